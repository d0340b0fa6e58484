//! `topics.update`: Changes how long a topic's messages are kept.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::topics::Retention,
    command::{Command, Kind, Method, encode},
    json::Json,
};

/// What changes of which topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UpdateTopicSpec {
    /// Its id.
    pub id: String,
    /// What is kept of each partition from now on; everything when it is empty.
    pub retention: Retention,
}

impl UpdateTopicSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>, retention: Retention) -> Self {
        Self { id: id.into(), retention }
    }
}

/// The topic is as it was asked to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UpdateTopicOutcome {
    /// Always the same.
    pub outcome: Updated,
    /// Its id.
    pub id: String,
    /// How many partitions it has.
    pub partitions: u64,
    /// The transaction that created it, or changed it last.
    pub version: u64,
    /// When it was created.
    pub created_at: String,
    /// The caller's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Json>,
    /// What is kept of each of them; absent when everything is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Updated {
    /// The topic is as it was asked to be.
    Updated,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for UpdateTopicSpec {
    type Outcome = UpdateTopicOutcome;
    const NAME: &'static str = "topics.update";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Patch;

    fn target(&self) -> String {
        format!("/v1/topics/{}", encode(&self.id))
    }
}
