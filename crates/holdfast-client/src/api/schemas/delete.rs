//! `schemas.delete`: Deletes a schema of a topic.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::command::{Command, Kind, Method, encode};

/// Which schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeleteSchemaSpec {
    /// The topic's id.
    pub topic: String,
    /// The schema's number.
    pub number: u64,
}

impl DeleteSchemaSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(topic: impl Into<String>, number: u64) -> Self {
        Self { topic: topic.into(), number }
    }
}

/// The schema is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DeleteSchemaOutcome {
    /// Always the same.
    pub outcome: Deleted,
    /// The topic's id.
    pub topic: String,
    /// The schema's number.
    pub number: u64,
    /// Number of the one that judges now; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest: Option<u64>,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Deleted {
    /// The schema is gone.
    Deleted,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for DeleteSchemaSpec {
    type Outcome = DeleteSchemaOutcome;
    const NAME: &'static str = "schemas.delete";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Delete;

    fn target(&self) -> String {
        format!("/v1/topics/{}/schemas/{}", encode(&self.topic), self.number)
    }
}
