//! `queues.receive`: Gives out messages of a queue.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    api::MessageEvent,
    command::{Command, Kind, Method, encode},
    json::Json,
    lifetime::Lifetime,
};

/// How many messages of which queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReceiveMessagesSpec {
    /// The topic's id.
    pub topic: String,
    /// The queue's id.
    pub queue: String,
    /// How many messages at most: 1 to 1000, 10 when nothing is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// How long they stay out of sight; as the queue says when nothing is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Lifetime>,
    /// How long the answer may wait where there is nothing to be given out yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait: Option<u64>,
}

impl ReceiveMessagesSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(topic: impl Into<String>, queue: impl Into<String>) -> Self {
        Self { topic: topic.into(), queue: queue.into(), limit: None, visibility: None, wait: None }
    }
}

/// Messages that are the caller's to deal with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReceiveMessagesOutcome {
    /// Always the same.
    pub outcome: Received,
    /// The messages.
    pub messages: Vec<ReceivedMessage>,
    /// When they come into sight again, unless they are settled before.
    pub visible_at: String,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Received {
    /// These messages were given out; perhaps none.
    Received,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

/// A message that was given out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReceivedMessage {
    /// What settles it, once.
    pub receipt: String,
    /// How often it was given out, this time counted.
    pub attempt: u32,
    /// The partition it is in.
    pub partition: u16,
    /// Its place in the partition.
    pub offset: u64,
    /// Its id: the caller's, or a fresh one.
    pub id: String,
    /// What happened.
    pub r#type: String,
    /// When it was appended.
    pub time: String,
    /// The transaction that appended it.
    pub version: u64,
    /// What it says.
    pub data: Json,
    /// What makes it a `CloudEvent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<MessageEvent>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Number of the schema that it was judged by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<u64>,
}

impl Command for ReceiveMessagesSpec {
    type Outcome = ReceiveMessagesOutcome;
    const NAME: &'static str = "queues.receive";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        format!("/v1/topics/{}/queues/{}/receive", encode(&self.topic), encode(&self.queue))
    }

    fn wait(&self) -> Duration {
        Duration::from_secs(self.wait.unwrap_or_default())
    }
}
