//! `queues.redrive`: Puts dead letters back into their queue.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::command::{Command, Kind, Method, encode};

/// Which letters of which queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RedriveDeadLettersSpec {
    /// The topic's id.
    pub topic: String,
    /// The queue's id.
    pub queue: String,
    /// The letters: all go back, or none. When nothing is given, the first ones there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub letters: Option<Vec<String>>,
    /// How many at most, where none are named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

impl RedriveDeadLettersSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(topic: impl Into<String>, queue: impl Into<String>) -> Self {
        Self { topic: topic.into(), queue: queue.into(), letters: None, limit: None }
    }
}

/// The letters are messages of the queue again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RedriveDeadLettersOutcome {
    /// Always the same.
    pub outcome: WentBack,
    /// How many.
    pub count: u64,
    /// How many dead letters there still are.
    pub dead: u64,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WentBack {
    /// The letters wait to be given out.
    Redriven,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for RedriveDeadLettersSpec {
    type Outcome = RedriveDeadLettersOutcome;
    const NAME: &'static str = "queues.redrive";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        format!("/v1/topics/{}/queues/{}/redrive", encode(&self.topic), encode(&self.queue))
    }
}
