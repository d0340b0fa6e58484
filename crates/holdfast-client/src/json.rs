//! JSON as it was written: values that this crate passes on and does not read.
//!
//! Numbers keep their digits and objects the order of their keys, which a tree of parsed values
//! would not promise.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned, ser};
use serde_json::value::RawValue;

/// A JSON value, as text. Two are equal if their texts are.
#[derive(Clone)]
pub struct Json(Box<RawValue>);

impl Json {
    /// What this value is as JSON.
    ///
    /// # Errors
    /// When it cannot be JSON: a map whose keys are no texts, say.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        serde_json::value::to_raw_value(value).map(Self)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// The value that it is meant to be.
    ///
    /// # Errors
    /// When it is another.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.as_str())
    }
}

impl FromStr for Json {
    type Err = serde_json::Error;

    fn from_str(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text).map(Self)
    }
}

impl Default for Json {
    /// `null`
    fn default() -> Self {
        Self(RawValue::NULL.to_owned())
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Json {}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer).map_err(ser::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_letter_for_letter() {
        let text = r#"{"z": 12.50, "a": 123456789012345678901234567890}"#;
        let json: Json = serde_json::from_str(text).unwrap();
        assert_eq!(json.as_str(), text);
        assert_eq!(serde_json::to_string(&[&json]).unwrap(), format!("[{text}]"));
        assert_eq!("1 2".parse::<Json>().map_err(|error| error.is_syntax()), Err(true));
        assert_eq!(Json::of("a").unwrap().read::<String>().unwrap(), "a");
        assert_eq!(Json::default().as_str(), "null");
    }
}
