//! `schemas.configure`: Says what new schemas of a topic are compared with, and how.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::schemas::Compatibility,
    command::{Command, Kind, Method, encode},
};

/// Which compatibility of which topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConfigureSchemasSpec {
    /// The topic's id.
    pub topic: String,
    /// From now on.
    pub compatibility: Compatibility,
}

impl ConfigureSchemasSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(topic: impl Into<String>, compatibility: Compatibility) -> Self {
        Self { topic: topic.into(), compatibility }
    }
}

/// It holds from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConfigureSchemasOutcome {
    /// Always the same.
    pub outcome: Configured,
    /// The topic's id.
    pub topic: String,
    /// From now on.
    pub compatibility: Compatibility,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Configured {
    /// The topic's schemas are compared so from now on.
    Configured,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for ConfigureSchemasSpec {
    type Outcome = ConfigureSchemasOutcome;
    const NAME: &'static str = "schemas.configure";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Put;

    fn target(&self) -> String {
        format!("/v1/topics/{}/compatibility", encode(&self.topic))
    }
}
