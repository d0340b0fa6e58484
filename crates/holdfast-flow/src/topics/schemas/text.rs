//! A schema as its author writes it.

use std::{borrow::Cow, fmt};

use holdfast_state::json::push_compact;
use schemars::{JsonSchema, Schema as ApiSchema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::value::RawValue;

use crate::json_schema::{NotASchema, Schema};

/// A JSON Schema of the subset that is judged, kept without the spaces between tokens.
#[derive(Clone, PartialEq, Eq)]
pub struct SchemaText(Box<str>);

impl SchemaText {
    /// The schema that this JSON text is.
    ///
    /// # Errors
    /// [`NotASchema`]
    pub fn new(json: &str) -> Result<Self, NotASchema> {
        let mut text = String::with_capacity(json.len());
        push_compact(&mut text, json);
        Schema::compile(&text)?;
        Ok(Self(text.into()))
    }

    /// The text as it is kept.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SchemaText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for SchemaText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SchemaText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::new(raw.get()).map_err(de::Error::custom)
    }
}

impl JsonSchema for SchemaText {
    fn schema_name() -> Cow<'static, str> {
        "TopicSchema".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> ApiSchema {
        json_schema!({
            "description": "A JSON Schema of draft 2020-12, of at most 32768 bytes, of the keywords that are judged."
        })
    }
}

impl<C> minicbor::Encode<C> for SchemaText {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.str(&self.0)?.ok()
    }
}

/// Rows are trusted to hold what was checked when it came in.
impl<'b, C> minicbor::Decode<'b, C> for SchemaText {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Ok(Self(d.str()?.into()))
    }
}
