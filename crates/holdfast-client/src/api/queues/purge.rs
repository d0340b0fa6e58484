//! `queues.purge`: Removes dead letters of a queue.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::command::{Command, Kind, Method, encode};

/// Which letters of which queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PurgeDeadLettersSpec {
    /// The topic's id.
    pub topic: String,
    /// The queue's id.
    pub queue: String,
    /// The letters: all go, or none. When nothing is given, every one there is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub letters: Option<Vec<String>>,
}

impl PurgeDeadLettersSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(topic: impl Into<String>, queue: impl Into<String>) -> Self {
        Self { topic: topic.into(), queue: queue.into(), letters: None }
    }
}

/// The letters are gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PurgeDeadLettersOutcome {
    /// Always the same.
    pub outcome: Purged,
    /// How many.
    pub count: u64,
    /// How many dead letters there still are.
    pub dead: u64,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Purged {
    /// The letters are gone.
    Purged,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for PurgeDeadLettersSpec {
    type Outcome = PurgeDeadLettersOutcome;
    const NAME: &'static str = "queues.purge";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        format!("/v1/topics/{}/queues/{}/purge", encode(&self.topic), encode(&self.queue))
    }
}
