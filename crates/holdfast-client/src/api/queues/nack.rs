//! `queues.nack`: Gives messages of a queue back.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    command::{Command, Kind, Method, encode},
    lifetime::Lifetime,
};

/// Which messages are given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NackMessagesSpec {
    /// The topic's id.
    pub topic: String,
    /// The queue's id.
    pub queue: String,
    /// The messages' receipts: all are taken, or none.
    pub receipts: Vec<String>,
    /// How long they stay out of sight; not at all when nothing is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<Lifetime>,
}

impl NackMessagesSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(topic: impl Into<String>, queue: impl Into<String>, receipts: Vec<String>) -> Self {
        Self { topic: topic.into(), queue: queue.into(), receipts, delay: None }
    }
}

/// The messages are given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NackMessagesOutcome {
    /// Always the same.
    pub outcome: GivenBack,
    /// How many.
    pub count: u64,
    /// When they come into sight.
    pub visible_at: String,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum GivenBack {
    /// The messages wait to be given out again.
    GivenBack,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for NackMessagesSpec {
    type Outcome = NackMessagesOutcome;
    const NAME: &'static str = "queues.nack";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        format!("/v1/topics/{}/queues/{}/nack", encode(&self.topic), encode(&self.queue))
    }
}
