//! JSON that is kept as text: what callers give to be carried and not interpreted.
//!
//! Who keeps it has it checked first ([`check`]): what was accepted once can be read
//! by everybody later, inside any answer, also by parsers that bound how deep a value
//! may be.

use std::{fmt, ops::Deref};

use minicbor::{Decode, Encode};
use serde::{
    Serialize, Serializer,
    de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

/// How many lists and objects may lie inside one another.
pub const DEPTH_MAX: usize = 64;

/// Checks a whole JSON text: its strings are Unicode, its numbers have a double near
/// them, and it is at most [`DEPTH_MAX`] deep.
///
/// # Errors
/// What is wrong with it, and where.
pub fn check(json: &str) -> Result<(), serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    Walk { left: DEPTH_MAX }.deserialize(&mut deserializer)?;
    deserializer.end()
}

/// JSON text as it is kept, in a row and in an answer: without the spaces between its tokens.
/// Whoever carries JSON has one, behind bounds of his own. Rows are trusted to hold what was
/// checked when it came in.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct JsonText(#[n(0)] Box<str>);

impl JsonText {
    /// The JSON that this text is.
    ///
    /// # Errors
    /// As [`check`].
    pub fn new(json: &str) -> Result<Self, serde_json::Error> {
        check(json)?;
        let mut text = String::with_capacity(json.len());
        push_compact(&mut text, json);
        Ok(Self::made(text))
    }

    /// Text that was made as it is kept.
    #[must_use]
    pub fn made(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }
}

impl Deref for JsonText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for JsonText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl Serialize for JsonText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(self).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

/// Goes through a value and keeps nothing.
#[derive(Clone, Copy)]
struct Walk {
    /// How much deeper it may become.
    left: usize,
}

impl Walk {
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        let left = self.left.checked_sub(1);
        let left = left.ok_or_else(|| E::custom(format!("more than {DEPTH_MAX} levels deep")))?;
        Ok(Self { left })
    }
}

impl<'de> DeserializeSeed<'de> for Walk {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let inner = self.deeper()?;
        while list.next_element_seed(inner)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let inner = self.deeper()?;
        while object.next_key_seed(inner)?.is_some() {
            object.next_value_seed(inner)?;
        }
        Ok(())
    }
}

/// Appends valid JSON without the spaces between its tokens, so that the same value
/// written with other spaces is the same text. Numbers, strings and the order of
/// keys stay letter for letter.
pub fn push_compact(out: &mut String, json: &str) {
    let (mut in_string, mut escaped) = (false, false);
    for character in json.chars() {
        if in_string {
            in_string = escaped || character != '"';
            escaped = !escaped && character == '\\';
        } else if character.is_ascii_whitespace() {
            continue;
        } else {
            in_string = character == '"';
        }
        out.push(character);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_some_parser_would_refuse_is_refused() {
        for fine in ["null", r#"{"a": [1, -2.5, "x\u00e9\ud83d\ude00", true]}"#, "[[], {}]"] {
            assert!(check(fine).is_ok(), "{fine}");
        }
        let deep = |levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(check(&deep(DEPTH_MAX)).is_ok());
        let bad = ["", "{", "1 2", r#""\ud800""#, r#"{"\udc00": 1}"#, "1e999"];
        for bad in bad.into_iter().chain([deep(DEPTH_MAX + 1).as_str()]) {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_spaces_between_tokens_go() {
        let mut text = String::from("data:");
        push_compact(&mut text, " { \"b c\" : [1, 2.50 ,\t\"x \\\" \\\\\" ] ,\n\"a\": 1e3 } ");
        assert_eq!(text, r#"data:{"b c":[1,2.50,"x \" \\"],"a":1e3}"#);
    }
}
