//! A schema as its author writes it.

use std::{borrow::Cow, fmt};

use holdfast_state::json::{JsonText, push_compact};
use minicbor::{Decode, Encode};
use schemars::{JsonSchema, Schema as ApiSchema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::value::RawValue;

use crate::json_schema::{NotASchema, Schema};

/// A JSON Schema of the subset that is judged, kept without the spaces between tokens.
#[derive(Clone, PartialEq, Eq, Serialize, Encode, Decode)]
#[serde(transparent)]
#[cbor(transparent)]
pub struct SchemaText(#[n(0)] JsonText);

impl SchemaText {
    /// The schema that this JSON text is.
    ///
    /// # Errors
    /// [`NotASchema`]
    pub fn new(json: &str) -> Result<Self, NotASchema> {
        let mut text = String::with_capacity(json.len());
        push_compact(&mut text, json);
        Schema::compile(&text)?;
        Ok(Self(JsonText::made(text)))
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
