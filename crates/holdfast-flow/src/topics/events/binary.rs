//! Binary mode: attributes in header fields whose names begin with `ce-`, data as the body.
//!
//! Values are percent-encoded UTF-8, once, and may stand in double quotes, as older
//! versions of the binding had them. Data is JSON where its media type says so, or says
//! nothing and it is; text where the media type says that it is text in UTF-8; else bytes.

use std::collections::BTreeMap;

use holdfast_state::command::{SpecError, foreign::Foreign};
use serde_json::Value;

use super::{
    attribute::Binary,
    parts::{Bad, Content, Parts},
    syntax::Declared,
};
use crate::topics::data::Data;

/// What header fields of attributes begin with.
pub const PREFIX: &str = "ce-";

/// The message that an event is, as JSON.
///
/// # Errors
/// [`SpecError`], with a pointer to the attribute as if the event were JSON.
pub fn event(asked: Foreign<'_>) -> Result<Vec<u8>, SpecError> {
    let mut parts = attributes(asked).map_err(|bad| bad.at(""))?;
    if !asked.media_type.is_empty() {
        parts.0.insert("datacontenttype".to_owned(), asked.media_type.into());
    }
    let content = content(parts.datacontenttype(), asked.body);
    let message = content.and_then(|content| parts.message(content)).map_err(|bad| bad.at(""))?;
    Ok(serde_json::to_vec(&message).expect("a message is plain data"))
}

fn attributes(asked: Foreign<'_>) -> Result<Parts, Bad> {
    let mut attributes = BTreeMap::new();
    for (field, value) in asked.fields {
        let Some(name) = field.strip_prefix(PREFIX) else { continue };
        let bad = |why: &str| Bad::new(name, &format_args!("{field}: {why}"));
        if name == "datacontenttype" {
            return Err(bad("Content-Type says what the data is"));
        }
        let text = decode(value).ok_or_else(|| bad("expected percent-encoded UTF-8"))?;
        if attributes.insert(name.to_owned(), Value::String(text)).is_some() {
            return Err(bad("it is given more than once"));
        }
    }
    Ok(Parts(attributes))
}

fn content(media_type: Option<&str>, body: &[u8]) -> Result<Content, Bad> {
    if body.is_empty() {
        return Ok(Content::None);
    }
    let json = || {
        let text = str::from_utf8(body).map_err(|error| Bad::new("data", &error))?;
        Data::new(text).map(Content::Json).map_err(|error| Bad::new("data", &error))
    };
    let bytes = || Binary::new(body).map(Content::Bytes).map_err(|error| Bad::new("data", &error));
    match media_type.map(Declared::of) {
        Some(Declared::Json) => json(),
        Some(Declared::Text) => match str::from_utf8(body) {
            Ok(text) => {
                let text = Value::from(text).to_string();
                Data::new(&text).map(Content::Json).map_err(|error| Bad::new("data", &error))
            }
            Err(_) => bytes(),
        },
        Some(Declared::Bytes) => bytes(),
        None => json().or_else(|_| bytes()),
    }
}

/// A field's value: what stands in double quotes without them, then percent-decoded.
fn decode(value: &[u8]) -> Option<String> {
    let (mut unquoted, mut in_quotes) = (Vec::with_capacity(value.len()), false);
    let mut bytes = value.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => in_quotes = !in_quotes,
            b'\\' if in_quotes => unquoted.push(*bytes.next()?),
            other => unquoted.push(*other),
        }
    }
    let mut decoded = Vec::with_capacity(unquoted.len());
    let mut bytes = unquoted.into_iter();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                let (high, low) = (digit()?, digit()?);
                u8::try_from(high * 16 + low).expect("two hex digits")
            }
            other => other,
        });
    }
    String::from_utf8(decoded).ok().filter(|_| !in_quotes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_unquoted_and_decoded_once() {
        let text = |value: &str| decode(value.as_bytes());
        for (value, expected) in [
            ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
            ("%e2%82%ac", "€"),
            ("%41%2541", "A%41"),
            ("\"a b\"", "a b"),
            (r#""a \"b\" \\ %25""#, "a \"b\" \\ %"),
            (r"a\b", r"a\b"),
            ("grüezi", "grüezi"),
        ] {
            assert_eq!(text(value).as_deref(), Some(expected), "{value}");
        }
        for bad in ["%", "100%", "%4", "%zz", "%C0%A0", "%ff", "\"a", r#""a\"#] {
            assert_eq!(text(bad), None, "{bad}");
        }
    }
}
