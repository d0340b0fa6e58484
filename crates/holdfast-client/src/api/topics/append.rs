//! `topics.append`: Appends a message to a topic.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::MessageEvent,
    api::topics::Appended,
    command::{Command, Kind, Method, encode},
    json::Json,
};

/// Which message, to which topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AppendSpec {
    /// The topic's id.
    pub topic: String,
    /// What happened: `booking.held`.
    pub r#type: String,
    /// What it says; `null` when nothing is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Json>,
    /// What makes it a `CloudEvent`, with an id of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<MessageEvent>,
    /// The message's id, used once in the topic; without one it gets a fresh id, and a
    /// retry without an idempotency key would be another message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What it is about, for those whose order matters among themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl AppendSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(topic: impl Into<String>, r#type: impl Into<String>) -> Self {
        Self {
            topic: topic.into(),
            r#type: r#type.into(),
            data: None,
            event: None,
            id: None,
            key: None,
        }
    }
}

/// The message is in the topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AppendOutcome {
    /// Always the same.
    pub outcome: Appended,
    /// The topic's id.
    pub topic: String,
    /// The partition it is in.
    pub partition: u16,
    /// Its place in the partition.
    pub offset: u64,
    /// Its id: the caller's, or a fresh one.
    pub id: String,
    /// The transaction that appended it.
    pub version: u64,
    /// When.
    pub time: String,
    /// It had been appended before, in the same words.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
}

impl Command for AppendSpec {
    type Outcome = AppendOutcome;
    const NAME: &'static str = "topics.append";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        format!("/v1/topics/{}/messages", encode(&self.topic))
    }
}
