//! `queues.ack`: Acknowledges messages of a queue: they are done.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::command::{Command, Kind, Method, encode};

/// Which messages are done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AckMessagesSpec {
    /// The topic's id.
    pub topic: String,
    /// The queue's id.
    pub queue: String,
    /// The messages' receipts: all are taken, or none.
    pub receipts: Vec<String>,
}

impl AckMessagesSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(topic: impl Into<String>, queue: impl Into<String>, receipts: Vec<String>) -> Self {
        Self { topic: topic.into(), queue: queue.into(), receipts }
    }
}

/// The messages are done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AckMessagesOutcome {
    /// Always the same.
    pub outcome: Acked,
    /// How many.
    pub count: u64,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Acked {
    /// The messages are done, and given out no more.
    Acked,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for AckMessagesSpec {
    type Outcome = AckMessagesOutcome;
    const NAME: &'static str = "queues.ack";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        format!("/v1/topics/{}/queues/{}/ack", encode(&self.topic), encode(&self.queue))
    }
}
