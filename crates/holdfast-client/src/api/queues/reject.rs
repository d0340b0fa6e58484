//! `queues.reject`: Makes dead letters of messages of a queue.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    command::{Command, Kind, Method, encode},
    json::Json,
};

/// Which messages, and what is to be said about them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RejectMessagesSpec {
    /// The topic's id.
    pub topic: String,
    /// The queue's id.
    pub queue: String,
    /// The messages' receipts: all are taken, or none.
    pub receipts: Vec<String>,
    /// Kept with the dead letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<Json>,
}

impl RejectMessagesSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(topic: impl Into<String>, queue: impl Into<String>, receipts: Vec<String>) -> Self {
        Self { topic: topic.into(), queue: queue.into(), receipts, note: None }
    }
}

/// The messages are dead letters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RejectMessagesOutcome {
    /// Always the same.
    pub outcome: Rejected,
    /// How many messages were rejected.
    pub count: u64,
    /// How many of them are no dead letters, since the topic has them no more; absent when
    /// none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<u64>,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rejected {
    /// The messages are dead letters.
    Rejected,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for RejectMessagesSpec {
    type Outcome = RejectMessagesOutcome;
    const NAME: &'static str = "queues.reject";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        format!("/v1/topics/{}/queues/{}/reject", encode(&self.topic), encode(&self.queue))
    }
}
