//! `topics.create`: Creates a topic: messages in order, in one partition or several.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::topics::Retention,
    command::{Command, Kind, Method},
    json::Json,
};

/// Which topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CreateTopicSpec {
    /// Its id.
    pub id: String,
    /// The caller's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Json>,
    /// How many partitions it has, for ever: messages of one key share one and are in order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partitions: Option<u64>,
    /// What is kept of each partition; everything when nothing is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
}

impl CreateTopicSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), metadata: None, partitions: None, retention: None }
    }
}

/// The topic is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CreateTopicOutcome {
    /// Always the same.
    pub outcome: Created,
    /// Its id.
    pub id: String,
    /// How many partitions it has.
    pub partitions: u64,
    /// The transaction that created it, or changed it last.
    pub version: u64,
    /// When it was created.
    pub created_at: String,
    /// It had been created before, in the same words.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
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
pub enum Created {
    /// The topic was created.
    Created,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for CreateTopicSpec {
    type Outcome = CreateTopicOutcome;
    const NAME: &'static str = "topics.create";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        "/v1/topics".to_owned()
    }
}
