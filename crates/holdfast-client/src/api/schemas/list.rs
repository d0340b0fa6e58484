//! `schemas.list`: Lists the schemas of a topic.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::schemas::{Compatibility, RegisteredSchema},
    command::{Command, Kind, Method, encode},
};

/// Of which topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListSchemasSpec {
    /// The topic's id.
    pub topic: String,
}

impl ListSchemasSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(topic: impl Into<String>) -> Self {
        Self { topic: topic.into() }
    }
}

/// The schemas of a topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TopicSchemas {
    /// What a new one must have in common with them.
    pub compatibility: Compatibility,
    /// The schemas, by number: at most 100.
    pub schemas: Vec<RegisteredSchema>,
    /// Number of the one that judges; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest: Option<u64>,
}

impl Command for ListSchemasSpec {
    type Outcome = TopicSchemas;
    const NAME: &'static str = "schemas.list";
    const KIND: Kind = Kind::Query;
    const METHOD: Method = Method::Get;

    fn target(&self) -> String {
        format!("/v1/topics/{}/schemas", encode(&self.topic))
    }
}
