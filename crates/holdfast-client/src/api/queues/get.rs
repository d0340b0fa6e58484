//! `queues.get`: Shows a queue and where its messages are.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    command::{Command, Kind, Method, encode},
    json::Json,
    lifetime::Lifetime,
};

/// Which queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GetQueueSpec {
    /// The topic's id.
    pub topic: String,
    /// The queue's id.
    pub queue: String,
}

impl GetQueueSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(topic: impl Into<String>, queue: impl Into<String>) -> Self {
        Self { topic: topic.into(), queue: queue.into() }
    }
}

/// A queue, and where its messages are: those that are in none of these places are done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct QueueStanding {
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
    /// How many were not given out yet.
    pub waiting: u64,
    /// How many are out, or wait to be given out again.
    pub out: u64,
    /// How many are dead letters.
    pub dead: u64,
    /// How many were removed from the topic before they were done. Those that were out are
    /// counted when somebody next asks for them.
    pub lost: u64,
    /// How long after its append a message is given out for the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<Lifetime>,
    /// The caller's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Json>,
    /// When the first of those that are out comes, or came, into sight again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_due_at: Option<String>,
}

impl Command for GetQueueSpec {
    type Outcome = QueueStanding;
    const NAME: &'static str = "queues.get";
    const KIND: Kind = Kind::Query;
    const METHOD: Method = Method::Get;

    fn target(&self) -> String {
        format!("/v1/topics/{}/queues/{}", encode(&self.topic), encode(&self.queue))
    }
}
