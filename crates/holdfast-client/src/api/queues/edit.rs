//! `queues.edit`: Changes what a dead letter says.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::MessageEvent,
    api::queues::Reason,
    command::{Command, Kind, Method, encode},
    json::Json,
};

/// What which letter says from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EditDeadLetterSpec {
    /// The topic's id.
    pub topic: String,
    /// The queue's id.
    pub queue: String,
    /// The letter.
    pub letter: String,
    /// What it says.
    pub data: Json,
    /// What happened; as before when nothing is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
}

impl EditDeadLetterSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(
        topic: impl Into<String>,
        queue: impl Into<String>,
        letter: impl Into<String>,
        data: Json,
    ) -> Self {
        Self { topic: topic.into(), queue: queue.into(), letter: letter.into(), data, r#type: None }
    }
}

/// The letter says something else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EditDeadLetterOutcome {
    /// Always the same.
    pub outcome: Edited,
    /// What names it.
    pub letter: String,
    /// Why it died last.
    pub reason: Reason,
    /// How often it was given out, over all its lives.
    pub attempts: u64,
    /// When it died last.
    pub died_at: String,
    /// How often it was redriven.
    pub redriven: u32,
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
    /// When it was edited last; absent when it says what was appended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<String>,
    /// What makes it a `CloudEvent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<MessageEvent>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What the consumer said that rejected it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Json>,
    /// Number of the schema that it was judged by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<u64>,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Edited {
    /// The letter says this now.
    Edited,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for EditDeadLetterSpec {
    type Outcome = EditDeadLetterOutcome;
    const NAME: &'static str = "queues.edit";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Put;

    fn target(&self) -> String {
        format!(
            "/v1/topics/{}/queues/{}/dead-letters/{}",
            encode(&self.topic),
            encode(&self.queue),
            encode(&self.letter),
        )
    }
}
