//! From a request's body and text fields to a spec.

use std::{borrow::Cow, collections::BTreeMap};

use serde::{
    de::{
        DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Visitor,
        value::MapDeserializer,
    },
    forward_to_deserialize_any,
};
use serde_json::value::{RawValue, to_raw_value};

use super::{Input, SpecError};

/// The spec that a request is.
///
/// # Errors
/// [`SpecError`]
pub(super) fn parse<S: DeserializeOwned>(input: Input<'_>) -> Result<S, SpecError> {
    match (input.body.is_empty(), input.fields.is_empty()) {
        (false, true) => from_json(input.body),
        (true, _) => from_fields(input.fields),
        (false, false) => from_both(input),
    }
}

fn from_json<S: DeserializeOwned>(body: &[u8]) -> Result<S, SpecError> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let spec = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| spec_error(&error, is_malformed(error.inner())))?;
    json.end().map_err(|error| SpecError {
        pointer: String::new(),
        message: error.to_string(),
        malformed: true,
    })?;
    Ok(spec)
}

fn is_malformed(error: &serde_json::Error) -> bool {
    error.is_syntax() || error.is_eof()
}

fn from_fields<S: DeserializeOwned>(
    fields: &[(Cow<'_, str>, Cow<'_, str>)],
) -> Result<S, SpecError> {
    let pairs = fields.iter().map(|(name, value)| (name.as_ref(), Text(value)));
    let map: MapDeserializer<'_, _, serde::de::value::Error> = MapDeserializer::new(pairs);
    serde_path_to_error::deserialize(map).map_err(|error| spec_error(&error, false))
}

/// A body with the fields of path and header put in: these decide what is meant, so a
/// body that says something else is refused. Values stay as they were written.
fn from_both<S: DeserializeOwned>(input: Input<'_>) -> Result<S, SpecError> {
    let mut object: BTreeMap<String, Box<RawValue>> = from_json(input.body)?;
    for (name, value) in input.fields {
        let text = to_raw_value(value.as_ref()).expect("text is JSON");
        let in_body = object.insert(name.to_string(), text);
        if in_body.is_some_and(|json| !is_text(&json, value)) {
            return Err(SpecError {
                pointer: format!("/{name}"),
                message: "differs from the value in the path or the header".to_owned(),
                malformed: false,
            });
        }
    }
    let both = serde_json::to_vec(&object).expect("JSON is written as it was read");
    let mut json = serde_json::Deserializer::from_slice(&both);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let SpecError { pointer, message, malformed } =
            spec_error(&error, is_malformed(error.inner()));
        // Places in a text that nobody sent.
        let place = format!(" at line {} column {}", error.inner().line(), error.inner().column());
        let message = message.strip_suffix(&place).unwrap_or(&message).to_owned();
        SpecError { pointer, message, malformed }
    })
}

fn is_text(json: &RawValue, text: &str) -> bool {
    serde_json::from_str::<String>(json.get()).is_ok_and(|given| given == text)
}

fn spec_error<E: std::fmt::Display>(
    error: &serde_path_to_error::Error<E>,
    malformed: bool,
) -> SpecError {
    let mut pointer = String::new();
    for segment in error.path() {
        use serde_path_to_error::Segment;
        let part = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => key.replace('~', "~0").replace('/', "~1"),
            Segment::Enum { variant } => variant.clone(),
            Segment::Unknown => continue,
        };
        pointer.push('/');
        pointer.push_str(&part);
    }
    SpecError { pointer, message: error.inner().to_string(), malformed }
}

/// A value that came as text and becomes what its field wants.
struct Text<'a>(&'a str);

impl<'de, 'a> IntoDeserializer<'de> for Text<'a> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

type TextError = serde::de::value::Error;

impl Text<'_> {
    fn number<T: std::str::FromStr>(&self) -> Result<T, TextError> {
        self.0
            .parse()
            .map_err(|_| TextError::custom(format!("{:?} is not a number in range", self.0)))
    }
}

/// Integers, each in its own range.
macro_rules! numbers {
    ($($deserialize:ident $visit:ident),*) => {
        $(fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
            visitor.$visit(self.number()?)
        })*
    };
}

impl<'de> Deserializer<'de> for Text<'_> {
    type Error = TextError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
        visitor.visit_str(self.0)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
        match self.0 {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            other => Err(TextError::custom(format!("{other:?} is neither true nor false"))),
        }
    }

    numbers! {
        deserialize_i8 visit_i8, deserialize_i16 visit_i16, deserialize_i32 visit_i32,
        deserialize_i64 visit_i64, deserialize_u8 visit_u8, deserialize_u16 visit_u16,
        deserialize_u32 visit_u32, deserialize_u64 visit_u64
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, TextError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TextError> {
        visitor.visit_enum(self.0.into_deserializer())
    }

    forward_to_deserialize_any! {
        i128 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::{amount::Amount, id::Id};

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Spec {
        id: Id,
        amount: Option<Amount>,
        limit: Option<u32>,
        #[serde(default)]
        all: bool,
        #[serde(default)]
        places: u8,
    }

    fn parse_spec(body: &str, fields: &[(&'static str, &'static str)]) -> Result<Spec, SpecError> {
        let fields: Vec<_> =
            fields.iter().map(|(n, v)| (Cow::Borrowed(*n), Cow::Borrowed(*v))).collect();
        parse(Input { body: body.as_bytes(), fields: &fields, commands: &[] })
    }

    fn spec(amount: Option<i128>, limit: Option<u32>, all: bool) -> Spec {
        let (id, amount) = (Id::new("a").unwrap(), amount.map(Amount::new));
        Spec { id, amount, limit, all, places: 0 }
    }

    #[test]
    fn body_and_text_fields_make_one_spec() {
        assert_eq!(parse_spec(r#"{"id":"a","amount":5}"#, &[]), Ok(spec(Some(5), None, false)));
        assert_eq!(
            parse_spec("", &[("id", "a"), ("limit", "9"), ("all", "true"), ("amount", "7")]),
            Ok(spec(Some(7), Some(9), true))
        );
        let places = |text| parse_spec("", &[("id", "a"), ("places", text)]).map(|s| s.places);
        assert_eq!(places("255"), Ok(255));
        assert!(places("256").is_err() && places("-1").is_err() && places("0.5").is_err());
        assert_eq!(parse_spec(r#"{"limit":3}"#, &[("id", "a")]), Ok(spec(None, Some(3), false)));
        assert_eq!(parse_spec(r#"{"id":"a"}"#, &[("id", "a")]), Ok(spec(None, None, false)));
    }

    #[test]
    fn a_body_beside_a_path_keeps_its_letters() {
        #[derive(Deserialize)]
        struct Carried {
            id: String,
            data: Box<RawValue>,
        }
        let parse = |body: &str| {
            let fields = [(Cow::Borrowed("id"), Cow::Borrowed("a"))];
            parse::<Carried>(Input { body: body.as_bytes(), fields: &fields, commands: &[] })
        };
        let carried = parse(r#"{"data": {"b": 12345678901234567890.10, "a": 1e400}}"#).unwrap();
        assert_eq!(carried.data.get(), r#"{"b": 12345678901234567890.10, "a": 1e400}"#);
        assert_eq!(carried.id, "a");
        assert!(parse(r#"{"data": 1, "id": "\u0061"}"#).is_ok());
        let error = parse("{}").err().unwrap();
        assert_eq!((error.message.as_str(), error.malformed), ("missing field `data`", false));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let pointer = |body: &str, fields: &[(&'static str, &'static str)]| {
            let error = parse_spec(body, fields).unwrap_err();
            (error.pointer, error.malformed)
        };
        let named = |name: &str| (name.to_owned(), false);
        assert_eq!(pointer(r#"{"id":"a","amount":"5"}"#, &[]), named("/amount"));
        assert_eq!(pointer(r#"{"id":"a","amount":-9007199254740992}"#, &[]), named("/amount"));
        assert_eq!(pointer(r#"{"id":"a","amont":5}"#, &[]), named("/amont"));
        assert_eq!(pointer(r#"{"id":"a b"}"#, &[]), named("/id"));
        assert_eq!(pointer(r#"{"id":"b"}"#, &[("id", "a")]), named("/id"));
        assert_eq!(pointer("", &[("id", "a"), ("limit", "-1")]), named("/limit"));
        assert_eq!(pointer("", &[("id", "a"), ("more", "1")]), named("/more"));
        assert_eq!(pointer("{}", &[]), named(""));
        assert_eq!(pointer("[]", &[("id", "a")]), named(""));
        for malformed in ["{", "nonsense", "{\"id\":\"a\"} x", "\u{0}"] {
            assert!(parse_spec(malformed, &[]).unwrap_err().malformed, "{malformed:?}");
        }
    }
}
