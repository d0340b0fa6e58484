//! A caller's own words about a thing, carried and not interpreted.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use minicbor::{Decode, Encode};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::json::{JsonText, check, push_compact};

/// The most bytes that metadata may have, counted as it is kept.
pub const BYTES_MAX: usize = 4096;

/// A JSON object of at most 4096 bytes that is kept and not
/// looked into. It is kept with its top-level keys sorted and without the spaces
/// between tokens, so that a retry written with other spaces is the same; numbers
/// and strings stay letter for letter.
#[derive(Clone, PartialEq, Eq, Serialize, Encode, Decode)]
#[serde(transparent)]
#[cbor(transparent)]
pub struct Metadata(#[n(0)] JsonText);

/// Why a text is not [`Metadata`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("metadata is a JSON object of at most {BYTES_MAX} bytes: {0}")]
pub struct NotMetadata(String);

impl Metadata {
    /// The metadata that this JSON text is.
    ///
    /// # Errors
    /// [`NotMetadata`]: not JSON, not an object, a key twice, or too large.
    pub fn new(json: &str) -> Result<Self, NotMetadata> {
        serde_json::from_str(json).map_err(|error| NotMetadata(error.to_string()))
    }

    /// The JSON text as it is kept.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of_fields<E: de::Error>(fields: &BTreeMap<String, Box<RawValue>>) -> Result<Self, E> {
        let mut text = String::from("{");
        for (key, value) in fields {
            if text.len() > 1 {
                text.push(',');
            }
            text.push_str(&serde_json::to_string(key).map_err(E::custom)?);
            text.push(':');
            check(value.get()).map_err(E::custom)?;
            push_compact(&mut text, value.get());
            if text.len() >= BYTES_MAX {
                return Err(E::custom(format!("metadata has more than {BYTES_MAX} bytes")));
            }
        }
        text.push('}');
        Ok(Self(JsonText::made(text)))
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Metadata;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a JSON object of at most {BYTES_MAX} bytes")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metadata, A::Error> {
        let mut fields = BTreeMap::new();
        while let Some((key, value)) = map.next_entry::<String, Box<RawValue>>()? {
            if fields.contains_key(&key) {
                return Err(de::Error::custom(format!("metadata has the key {key:?} twice")));
            }
            fields.insert(key, value);
        }
        Metadata::of_fields(&fields)
    }

    /// Where every field comes as text, from a query or a command line.
    fn visit_str<E: de::Error>(self, json: &str) -> Result<Metadata, E> {
        Metadata::new(json).map_err(E::custom)
    }
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl JsonSchema for Metadata {
    fn schema_name() -> Cow<'static, str> {
        "Metadata".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "The caller's own words, at most 4096 bytes; kept, not looked into."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_and_order_of_keys_do_not_matter_but_digits_do() {
        let kept = Metadata::new(" { \"b\" : [1, 2.50] , \"a\" : \"x \\\" \\\\\" } ").unwrap();
        assert_eq!(kept.as_str(), r#"{"a":"x \" \\","b":[1,2.50]}"#);
        assert_eq!(serde_json::to_string(&kept).unwrap(), kept.as_str());
        let long = r#"{"n":123456789012345678901234567890.10}"#;
        assert_eq!(Metadata::new(long).unwrap().as_str(), long);
        assert_eq!(Metadata::new("{}").unwrap().as_str(), "{}");
    }

    #[test]
    fn what_is_not_a_small_object_is_refused() {
        let fits = format!(r#"{{"a":"{}"}}"#, "x".repeat(BYTES_MAX - 8));
        assert_eq!(Metadata::new(&fits).unwrap().as_str().len(), BYTES_MAX);
        let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(BYTES_MAX - 7));
        let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(1000), "]".repeat(1000));
        for bad in ["", "5", "[]", "\"{}\"", "{", r#"{"a":1,"a":2}"#, r#"{"a":1} x"#, &large, &deep]
        {
            assert!(Metadata::new(bad).is_err(), "{bad:.40}");
        }
    }
}
