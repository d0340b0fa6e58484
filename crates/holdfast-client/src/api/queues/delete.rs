//! `queues.delete`: Deletes a queue, with its dead letters.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::Deleted,
    command::{Command, Kind, Method, encode},
};

/// Which queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeleteQueueSpec {
    /// The topic's id.
    pub topic: String,
    /// The queue's id.
    pub queue: String,
}

impl DeleteQueueSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(topic: impl Into<String>, queue: impl Into<String>) -> Self {
        Self { topic: topic.into(), queue: queue.into() }
    }
}

/// The queue is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DeleteQueueOutcome {
    /// Always the same.
    pub outcome: Deleted,
    /// The topic's id.
    pub topic: String,
    /// The queue's id.
    pub queue: String,
    /// How many messages were out, or waited to be given out again.
    pub out: u64,
    /// How many dead letters went with it.
    pub dead: u64,
}

impl Command for DeleteQueueSpec {
    type Outcome = DeleteQueueOutcome;
    const NAME: &'static str = "queues.delete";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Delete;

    fn target(&self) -> String {
        format!("/v1/topics/{}/queues/{}", encode(&self.topic), encode(&self.queue))
    }
}
