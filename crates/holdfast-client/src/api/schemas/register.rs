//! `schemas.register`: Registers a schema for the messages of a topic.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    command::{Command, Kind, Method, encode},
    json::Json,
};

/// Which schema of which topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RegisterSchemaSpec {
    /// The topic's id.
    pub topic: String,
    /// What data of its messages must be.
    pub schema: Json,
}

impl RegisterSchemaSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(topic: impl Into<String>, schema: Json) -> Self {
        Self { topic: topic.into(), schema }
    }
}

/// The schema judges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RegisterSchemaOutcome {
    /// Always the same.
    pub outcome: Registered,
    /// The topic's id.
    pub topic: String,
    /// Its number: 1, 2, 3 …
    pub number: u64,
    /// When it was registered.
    pub registered_at: String,
    /// It was the latest already.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Registered {
    /// The schema is the topic's latest.
    Registered,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for RegisterSchemaSpec {
    type Outcome = RegisterSchemaOutcome;
    const NAME: &'static str = "schemas.register";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        format!("/v1/topics/{}/schemas", encode(&self.topic))
    }
}
