//! `queues.create`: Creates a queue: messages of a topic, given out until done.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    command::{Command, Kind, Method, encode},
    json::Json,
    lifetime::Lifetime,
};

/// Which queue of which topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CreateQueueSpec {
    /// The topic's id.
    pub topic: String,
    /// The queue's id, its own among the queues of the topic.
    pub id: String,
    /// Where it begins; with the first message there is, when nothing is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub begin: Option<Begin>,
    /// How long after its append a message is given out for the first time; at once when
    /// nothing is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<Lifetime>,
    /// How often a message is given out before it is a dead letter; 10 times when nothing
    /// is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_deliveries: Option<u64>,
    /// The caller's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Json>,
    /// How long a message that was given out stays out of sight; 30 seconds when nothing
    /// is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Lifetime>,
}

impl CreateQueueSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(topic: impl Into<String>, id: impl Into<String>) -> Self {
        Self {
            topic: topic.into(),
            id: id.into(),
            begin: None,
            delay: None,
            max_deliveries: None,
            metadata: None,
            visibility: None,
        }
    }
}

/// The queue is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CreateQueueOutcome {
    /// Always the same.
    pub outcome: QueueCreated,
    /// The topic's id.
    pub topic: String,
    /// The queue's id.
    pub id: String,
    /// How long a message that was given out stays out of sight.
    pub visibility: Lifetime,
    /// How often a message is given out before it is a dead letter.
    pub max_deliveries: u32,
    /// The transaction that created it.
    pub version: u64,
    /// When it was created.
    pub created_at: String,
    /// How long after its append a message is given out for the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<Lifetime>,
    /// It had been created before, in the same words.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// The caller's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Json>,
}

/// Where a queue begins in its topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Begin {
    /// With the first message there is.
    Beginning,
    /// Behind the last one: with what is appended from now on.
    End,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum QueueCreated {
    /// The queue was created.
    Created,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for CreateQueueSpec {
    type Outcome = CreateQueueOutcome;
    const NAME: &'static str = "queues.create";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        format!("/v1/topics/{}/queues", encode(&self.topic))
    }
}
