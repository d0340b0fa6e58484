//! What a request is said to be: names and values, such as `tenant: acme`.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use holdfast_state::Id;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, Visitor},
};

/// The most descriptors that a request may have.
pub const COUNT_MAX: usize = 16;

/// The longest value, in bytes.
pub const VALUE_BYTES_MAX: usize = 256;

/// The value of a descriptor: 1 to 256 bytes of UTF-8 without control characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DescriptorValue(Box<str>);

/// Why a text is not a [`DescriptorValue`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a descriptor has 1 to {VALUE_BYTES_MAX} bytes and no control characters")]
pub struct NotADescriptor;

impl DescriptorValue {
    /// The value with this text.
    ///
    /// # Errors
    /// [`NotADescriptor`]
    pub fn new(text: &str) -> Result<Self, NotADescriptor> {
        let long = text.is_empty() || text.len() > VALUE_BYTES_MAX;
        if long || text.chars().any(char::is_control) {
            return Err(NotADescriptor);
        }
        Ok(Self(text.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for DescriptorValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Serialize for DescriptorValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for DescriptorValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'_, str>::deserialize(deserializer)?;
        Self::new(&text).map_err(de::Error::custom)
    }
}

impl JsonSchema for DescriptorValue {
    fn schema_name() -> Cow<'static, str> {
        "DescriptorValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": VALUE_BYTES_MAX })
    }
}

impl<C> minicbor::Encode<C> for DescriptorValue {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.str(&self.0)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for DescriptorValue {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::new(d.str()?).map_err(minicbor::decode::Error::custom)
    }
}

/// Descriptors by name, at most sixteen. Where fields come as text, the JSON object is
/// the text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Descriptors(BTreeMap<Id, DescriptorValue>);

impl Descriptors {
    /// The value of a descriptor.
    #[must_use]
    pub fn get(&self, name: &Id) -> Option<&DescriptorValue> {
        self.0.get(name)
    }

    /// The same descriptors and one more, which takes the place of one of its name.
    ///
    /// # Errors
    /// The descriptors as they were, when there are as many as may be.
    pub fn with(mut self, name: Id, value: DescriptorValue) -> Result<Self, Self> {
        if self.0.len() >= COUNT_MAX && !self.0.contains_key(&name) {
            return Err(self);
        }
        self.0.insert(name, value);
        Ok(self)
    }
}

struct DescriptorsVisitor;

impl<'de> Visitor<'de> for DescriptorsVisitor {
    type Value = Descriptors;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object of at most {COUNT_MAX} descriptors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Descriptors, A::Error> {
        let mut descriptors = BTreeMap::new();
        while let Some((name, value)) = map.next_entry::<Id, DescriptorValue>()? {
            if descriptors.insert(name.clone(), value).is_some() {
                return Err(de::Error::custom(format!("descriptor {name} is given twice")));
            }
            if descriptors.len() > COUNT_MAX {
                return Err(de::Error::custom(format!("more than {COUNT_MAX} descriptors")));
            }
        }
        Ok(Descriptors(descriptors))
    }

    /// Where every field comes as text, from a query or a command line.
    fn visit_str<E: de::Error>(self, json: &str) -> Result<Descriptors, E> {
        serde_json::from_str(json).map_err(E::custom)
    }
}

impl<'de> Deserialize<'de> for Descriptors {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(DescriptorsVisitor)
    }
}

impl JsonSchema for Descriptors {
    fn schema_name() -> Cow<'static, str> {
        "Descriptors".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "maxProperties": COUNT_MAX,
            "additionalProperties": generator.subschema_for::<DescriptorValue>(),
            "description": "What the request is: names and values."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Descriptors, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_few_named_values_are_descriptors() {
        let two = read(r#"{"tenant":"acme","user":"ü 7"}"#).unwrap();
        let [tenant, user, other] = ["tenant", "user", "other"].map(|name| Id::new(name).unwrap());
        assert_eq!(two.get(&tenant).map(DescriptorValue::as_str), Some("acme"));
        assert_eq!(two.get(&user).map(DescriptorValue::as_str), Some("ü 7"));
        assert_eq!(two.get(&other), None);
        assert_eq!(serde_json::to_string(&two).unwrap(), r#"{"tenant":"acme","user":"ü 7"}"#);
    }

    #[test]
    fn what_could_not_be_told_apart_or_is_too_much_is_refused() {
        let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(VALUE_BYTES_MAX + 1));
        let many: Vec<_> = (0..=COUNT_MAX).map(|n| format!(r#""d{n}":"x""#)).collect();
        let many = format!("{{{}}}", many.join(","));
        for bad in [r#"{"a":""}"#, r#"{"a":"\u0000"}"#, r#"{"a":1}"#, r#"{"a b":"x"}"#, "[]"] {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert!(read(r#"{"a":"x","a":"y"}"#).unwrap_err().contains("given twice"));
        assert!(read(&long).unwrap_err().contains("1 to 256 bytes"));
        assert!(read(&many).unwrap_err().contains("more than 16"));
    }
}
