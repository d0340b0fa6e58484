//! What a document says: any JSON.

use std::{borrow::Cow, fmt};

use holdfast_state::json::JsonText;
use minicbor::{Decode, Encode};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::value::RawValue;

/// The most bytes that a value may have, counted as it is kept.
pub const BYTES_MAX: usize = 256 << 10;

/// Any JSON of at most 262,144 bytes and 64 levels. It is kept without the spaces
/// between tokens; numbers, strings and the order of keys stay letter for letter. Of a
/// key that an object has twice the last one counts.
#[derive(Clone, PartialEq, Eq, Serialize, Encode, Decode)]
#[serde(transparent)]
#[cbor(transparent)]
pub struct Value(#[n(0)] JsonText);

/// Why a text is not a [`Value`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAValue {
    /// Not JSON that everybody can read, or too deep.
    #[error("a document is JSON: {0}")]
    NotJson(String),
    /// Too large.
    #[error("a document has at most {BYTES_MAX} bytes, not {0}")]
    TooLarge(usize),
}

impl Value {
    /// The value that this JSON text is.
    ///
    /// # Errors
    /// [`NotAValue`]
    pub fn new(json: &str) -> Result<Self, NotAValue> {
        let text = JsonText::new(json).map_err(|error| NotAValue::NotJson(error.to_string()))?;
        if text.len() > BYTES_MAX {
            return Err(NotAValue::TooLarge(text.len()));
        }
        Ok(Self(text))
    }

    /// A value made of values, which may have become too large: its size, then.
    pub(super) fn composed(text: String) -> Result<Self, usize> {
        if text.len() > BYTES_MAX { Err(text.len()) } else { Ok(Self(JsonText::made(text))) }
    }

    /// The JSON text as it is kept.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::new(raw.get()).map_err(de::Error::custom)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl JsonSchema for Value {
    fn schema_name() -> Cow<'static, str> {
        "DocumentValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "Any JSON, at most 262144 bytes and 64 levels." })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_json_is_a_value_and_keeps_its_letters() {
        for json in ["null", "-0.10e+3", r#""x y""#, "[]", r#"{"b":1,"a":{"c":[1]}}"#] {
            let value = Value::new(json).unwrap();
            assert_eq!(value.as_str(), json);
            assert_eq!(serde_json::to_string(&value).unwrap(), json);
            assert_eq!(serde_json::from_str::<Value>(json).unwrap(), value);
        }
        assert_eq!(Value::new(" { \"a\" : [1 , 2 ] } ").unwrap().as_str(), r#"{"a":[1,2]}"#);
    }

    #[test]
    fn what_is_no_json_or_too_large_or_too_deep_is_refused() {
        let text = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
        assert_eq!(Value::new(&format!("  {}  ", text(BYTES_MAX))).unwrap().0.len(), BYTES_MAX);
        let large = Err(NotAValue::TooLarge(BYTES_MAX + 1));
        assert_eq!(Value::new(&text(BYTES_MAX + 1)), large);
        assert_eq!(Value::composed(text(BYTES_MAX + 1)), Err(BYTES_MAX + 1));
        let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
        for bad in ["", "{", "1 2", "nul", &deep] {
            assert!(matches!(Value::new(bad), Err(NotAValue::NotJson(_))), "{bad}");
        }
    }
}
