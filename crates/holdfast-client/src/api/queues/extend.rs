//! `queues.extend`: Keeps messages of a queue out of sight for longer.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    command::{Command, Kind, Method, encode},
    lifetime::Lifetime,
};

/// Which messages, and how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExtendMessagesSpec {
    /// The topic's id.
    pub topic: String,
    /// The queue's id.
    pub queue: String,
    /// The messages' receipts: all are taken, or none.
    pub receipts: Vec<String>,
    /// How long they stay out of sight from now on; as the queue says when nothing is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Lifetime>,
}

impl ExtendMessagesSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(topic: impl Into<String>, queue: impl Into<String>, receipts: Vec<String>) -> Self {
        Self { topic: topic.into(), queue: queue.into(), receipts, visibility: None }
    }
}

/// The messages stay out of sight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExtendMessagesOutcome {
    /// Always the same.
    pub outcome: KeptOut,
    /// When they come into sight again.
    pub visible_at: String,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum KeptOut {
    /// The messages stay out of sight until then.
    Extended,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for ExtendMessagesSpec {
    type Outcome = ExtendMessagesOutcome;
    const NAME: &'static str = "queues.extend";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        format!("/v1/topics/{}/queues/{}/extend", encode(&self.topic), encode(&self.queue))
    }
}
