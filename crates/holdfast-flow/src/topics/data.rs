//! What a message says: any JSON, carried and not interpreted.

use std::{borrow::Cow, fmt};

use holdfast_state::json::JsonText;
use minicbor::{Decode, Encode};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::value::RawValue;

/// The most bytes that data may have, counted as it is kept.
pub const BYTES_MAX: usize = 64 << 10;

/// Any JSON of at most 65,536 bytes and 64 levels. It is kept without the spaces
/// between tokens; numbers, strings and the order of keys stay letter for letter.
#[derive(Clone, PartialEq, Eq, Serialize, Encode, Decode)]
#[serde(transparent)]
#[cbor(transparent)]
pub struct Data(#[n(0)] JsonText);

/// Why a text is not [`Data`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotData {
    /// Not JSON that everybody can read, or too deep.
    #[error("data is JSON: {0}")]
    NotJson(String),
    /// Too large.
    #[error("data has at most {BYTES_MAX} bytes, not {0}")]
    TooLarge(usize),
}

impl Data {
    /// The data that this JSON text is.
    ///
    /// # Errors
    /// [`NotData`]
    pub fn new(json: &str) -> Result<Self, NotData> {
        let text = JsonText::new(json).map_err(|error| NotData::NotJson(error.to_string()))?;
        if text.len() > BYTES_MAX {
            return Err(NotData::TooLarge(text.len()));
        }
        Ok(Self(text))
    }

    /// The JSON text as it is kept.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `null`: what a message says that is told by its type alone.
impl Default for Data {
    fn default() -> Self {
        Self(JsonText::made("null"))
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::new(raw.get()).map_err(de::Error::custom)
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl JsonSchema for Data {
    fn schema_name() -> Cow<'static, str> {
        "MessageData".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Any JSON, at most 65536 bytes and 64 levels; kept, not looked into."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_json_is_data_and_keeps_its_letters() {
        for json in ["null", "true", "-0.10e+3", r#""x y""#, "[]", r#"{"b":1,"a":{"c":[1]}}"#] {
            let data = Data::new(json).unwrap();
            assert_eq!(data.as_str(), json);
            assert_eq!(serde_json::to_string(&data).unwrap(), json);
            assert_eq!(serde_json::from_str::<Data>(json).unwrap(), data);
        }
        assert_eq!(Data::new(" [1 , 2 ] ").unwrap().as_str(), "[1,2]");
        assert_eq!(Data::new("null").unwrap(), Data::default());
    }

    #[test]
    fn what_is_no_json_or_too_large_or_too_deep_is_refused() {
        let text = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
        assert_eq!(Data::new(&format!("  {}  ", text(BYTES_MAX))).unwrap().0.len(), BYTES_MAX);
        let large = Data::new(&text(BYTES_MAX + 1));
        assert_eq!(large, Err(NotData::TooLarge(BYTES_MAX + 1)));
        let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
        for bad in ["", "{", "1 2", "nul", &deep] {
            assert!(matches!(Data::new(bad), Err(NotData::NotJson(_))), "{bad}");
        }
    }
}
