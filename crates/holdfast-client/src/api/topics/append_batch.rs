//! `topics.append_batch`: Appends several messages to a topic, all or none.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::MessageEvent,
    api::topics::Appended,
    command::{Command, Kind, Method, encode},
    json::Json,
};

/// Which messages, to which topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AppendBatchSpec {
    /// The topic's id.
    pub topic: String,
    /// 1 to 1000 messages.
    pub messages: Vec<NewMessage>,
}

impl AppendBatchSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(topic: impl Into<String>, messages: Vec<NewMessage>) -> Self {
        Self { topic: topic.into(), messages }
    }
}

/// The messages are in the topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AppendBatchOutcome {
    /// Always the same.
    pub outcome: Appended,
    /// The topic's id.
    pub topic: String,
    /// Where they are, by partition; in each the messages lie in the order given.
    pub ranges: Vec<OffsetRange>,
    /// The transaction that appended the first.
    pub version: u64,
    /// When.
    pub time: String,
    /// They had been appended before, in the same words and the same order.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
}

/// A message that is not in a topic yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewMessage {
    /// What happened: `booking.held`.
    pub r#type: String,
    /// What it says; `null` when nothing is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Json>,
    /// What makes it a `CloudEvent`, with an id of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<MessageEvent>,
    /// Its id, used once in the topic; without one it gets a fresh id, and a retry
    /// without an idempotency key would be another message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What it is about, for those whose order matters among themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl NewMessage {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(r#type: impl Into<String>) -> Self {
        Self { r#type: r#type.into(), data: None, event: None, id: None, key: None }
    }
}

/// Messages of one partition, side by side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OffsetRange {
    /// The partition.
    pub partition: u16,
    /// Place of the first message.
    pub first_offset: u64,
    /// Place of the last message.
    pub last_offset: u64,
}

impl Command for AppendBatchSpec {
    type Outcome = AppendBatchOutcome;
    const NAME: &'static str = "topics.append_batch";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        format!("/v1/topics/{}/batches", encode(&self.topic))
    }
}
