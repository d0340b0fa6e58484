//! Extension attributes: what producers and those on the way add, kept as it came.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use minicbor::{Decode, Encode};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

use super::attribute::EventText;

/// The most extension attributes of an event.
pub const COUNT_MAX: usize = 64;

/// The most bytes of all names and values together.
pub const BYTES_MAX: usize = 8 << 10;

/// The longest name.
pub const NAME_MAX: usize = 64;

/// Names that mean something else: attributes of the specification, data, and the key of a
/// message.
const TAKEN: &[&str] = &[
    "specversion",
    "id",
    "source",
    "type",
    "subject",
    "time",
    "datacontenttype",
    "dataschema",
    "data",
    "partitionkey",
];

/// A value. In header fields all are text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Encode, Decode)]
#[serde(untagged)]
pub enum ExtensionValue {
    /// True or false.
    #[n(0)]
    Boolean(#[n(0)] bool),
    /// A number of 32 bits.
    #[n(1)]
    Integer(#[n(0)] i32),
    /// Text.
    #[n(2)]
    Text(#[n(0)] EventText),
}

struct ValueVisitor;

impl de::Visitor<'_> for ValueVisitor {
    type Value = ExtensionValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, true, false, or an integer of 32 bits")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<ExtensionValue, E> {
        Ok(ExtensionValue::Boolean(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<ExtensionValue, E> {
        let small = i32::try_from(value).map(ExtensionValue::Integer);
        small.map_err(|_| E::invalid_value(de::Unexpected::Signed(value), &self))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<ExtensionValue, E> {
        let small = i32::try_from(value).map(ExtensionValue::Integer);
        small.map_err(|_| E::invalid_value(de::Unexpected::Unsigned(value), &self))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<ExtensionValue, E> {
        EventText::new(value).map(ExtensionValue::Text).map_err(E::custom)
    }
}

impl<'de> Deserialize<'de> for ExtensionValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

impl JsonSchema for ExtensionValue {
    fn schema_name() -> Cow<'static, str> {
        "ExtensionValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                { "type": "string", "minLength": 1, "maxLength": EventText::BYTES_MAX },
                { "type": "boolean" },
                { "type": "integer", "minimum": i32::MIN, "maximum": i32::MAX },
            ]
        })
    }
}

impl ExtensionValue {
    fn bytes(&self) -> usize {
        match self {
            Self::Boolean(_) => 1,
            Self::Integer(_) => 4,
            Self::Text(text) => text.as_str().len(),
        }
    }
}

/// Extension attributes by name: at most 64, of together at most 8192 bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Encode, Decode)]
#[serde(transparent)]
#[cbor(transparent)]
pub struct Extensions(#[n(0)] BTreeMap<String, ExtensionValue>);

/// Why these are not [`Extensions`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotExtensions {
    /// A name of another form.
    #[error("an extension attribute is called by 1 to {NAME_MAX} of a-z and 0-9, not {0:?}")]
    Name(String),
    /// A name that means something else.
    #[error("{0:?} is no extension attribute")]
    Taken(String),
    /// Too many, or too large.
    #[error("at most {COUNT_MAX} extension attributes, of together at most {BYTES_MAX} bytes")]
    TooLarge,
}

impl Extensions {
    /// These attributes.
    ///
    /// # Errors
    /// [`NotExtensions`]
    pub fn new(attributes: BTreeMap<String, ExtensionValue>) -> Result<Self, NotExtensions> {
        for name in attributes.keys() {
            let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            if name.is_empty() || name.len() > NAME_MAX || !name.bytes().all(fits) {
                return Err(NotExtensions::Name(name.clone()));
            }
            if TAKEN.contains(&name.as_str()) {
                return Err(NotExtensions::Taken(name.clone()));
            }
        }
        let extensions = Self(attributes);
        if extensions.0.len() > COUNT_MAX || extensions.bytes() > BYTES_MAX {
            return Err(NotExtensions::TooLarge);
        }
        Ok(extensions)
    }

    /// Are there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The attributes by name.
    #[must_use]
    pub const fn by_name(&self) -> &BTreeMap<String, ExtensionValue> {
        &self.0
    }

    /// Bytes of names and values.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.iter().map(|(name, value)| name.len() + value.bytes()).sum()
    }
}

impl<'de> Deserialize<'de> for Extensions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(BTreeMap::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl JsonSchema for Extensions {
    fn schema_name() -> Cow<'static, str> {
        "Extensions".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "additionalProperties": generator.subschema_for::<ExtensionValue>(),
            "propertyNames": { "pattern": "^[a-z0-9]{1,64}$" },
            "maxProperties": COUNT_MAX,
            "description": "Extension attributes by name, of together at most 8192 bytes."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Extensions, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn values_keep_their_types() {
        let json = r#"{"a":true,"b":-2147483648,"c":"x y","d1":"true"}"#;
        let extensions = read(json).unwrap();
        assert_eq!(serde_json::to_string(&extensions).unwrap(), json);
        let bytes = minicbor::to_vec(&extensions).unwrap();
        assert_eq!(minicbor::decode::<Extensions>(&bytes).unwrap(), extensions);
        assert_eq!(extensions.bytes(), 1 + 1 + 1 + 4 + 1 + 3 + 2 + 4);
    }

    #[test]
    fn names_and_values_are_bounded() {
        for bad in [
            r#"{"A":1}"#,
            r#"{"a_b":1}"#,
            r#"{"":1}"#,
            r#"{"id":"x"}"#,
            r#"{"data":"x"}"#,
            r#"{"partitionkey":"x"}"#,
            r#"{"a":1.5}"#,
            r#"{"a":2147483648}"#,
            r#"{"a":null}"#,
            r#"{"a":[]}"#,
            r#"{"a":""}"#,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
        let many = |count: usize, value: &str| {
            let named = |number| format!("\"a{number}\":\"{value}\"");
            read(&format!("{{{}}}", (0..count).map(named).collect::<Vec<_>>().join(",")))
        };
        assert!(many(COUNT_MAX, "x").is_ok() && many(COUNT_MAX + 1, "x").is_err());
        assert!(many(2, &"x".repeat(4094)).is_ok() && many(3, &"x".repeat(4000)).is_err());
    }
}
