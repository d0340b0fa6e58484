//! `topics.read`: Reads the messages of a topic's partition after an offset.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    api::MessageEvent,
    command::{Command, Kind, Method, Target, encode},
    json::Json,
};

/// Which messages of which partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReadMessagesSpec {
    /// The topic's id.
    pub topic: String,
    /// Offset of the last message that the caller has: `next` of the page before; 0 for
    /// the beginning, wherever that is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// How many messages at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// The partition's number; the first when nothing is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition: Option<u16>,
    /// How long the answer may wait where there is no message yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait: Option<u64>,
}

impl ReadMessagesSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(topic: impl Into<String>) -> Self {
        Self { topic: topic.into(), after: None, limit: None, partition: None, wait: None }
    }
}

/// A page of messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MessagesPage {
    /// The topic's id.
    pub topic: String,
    /// The partition's number.
    pub partition: u16,
    /// The messages, by offset.
    pub messages: Vec<Message>,
    /// What to ask for next as `after`: offset of the page's last message, or what was
    /// asked where there is none yet.
    pub next: u64,
    /// Offset of the first message of the partition that is there, or will be.
    pub first_offset: u64,
    /// Offset of the partition's last message.
    pub last_offset: u64,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Message {
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

impl Command for ReadMessagesSpec {
    type Outcome = MessagesPage;
    const NAME: &'static str = "topics.read";
    const KIND: Kind = Kind::Query;
    const METHOD: Method = Method::Get;

    fn target(&self) -> String {
        Target::at(format!("/v1/topics/{}/messages", encode(&self.topic)))
            .field("after", &self.after)
            .field("limit", &self.limit)
            .field("partition", &self.partition)
            .field("wait", &self.wait)
            .finish()
    }

    fn wait(&self) -> Duration {
        Duration::from_secs(self.wait.unwrap_or_default())
    }
}
