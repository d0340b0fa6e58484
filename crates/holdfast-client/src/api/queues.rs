//! Commands of `queues`.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

mod ack;
mod create;
mod dead_letter;
mod dead_letters;
mod delete;
mod edit;
mod extend;
mod get;
mod list;
mod nack;
mod purge;
mod receive;
mod redrive;
mod reject;

use serde::{Deserialize, Serialize};

use crate::{api::MessageEvent, json::Json};

pub use ack::{AckMessagesOutcome, AckMessagesSpec, Acked};
pub use create::{Begin, CreateQueueOutcome, CreateQueueSpec, QueueCreated};
pub use dead_letter::GetDeadLetterSpec;
pub use dead_letters::{DeadLettersPage, ListDeadLettersSpec};
pub use delete::{DeleteQueueOutcome, DeleteQueueSpec};
pub use edit::{EditDeadLetterOutcome, EditDeadLetterSpec, Edited};
pub use extend::{ExtendMessagesOutcome, ExtendMessagesSpec, KeptOut};
pub use get::{GetQueueSpec, QueueStanding};
pub use list::{ListQueuesSpec, Queue, QueuesPage};
pub use nack::{GivenBack, NackMessagesOutcome, NackMessagesSpec};
pub use purge::{PurgeDeadLettersOutcome, PurgeDeadLettersSpec, Purged};
pub use receive::{ReceiveMessagesOutcome, ReceiveMessagesSpec, Received, ReceivedMessage};
pub use redrive::{RedriveDeadLettersOutcome, RedriveDeadLettersSpec, WentBack};
pub use reject::{RejectMessagesOutcome, RejectMessagesSpec, Rejected};

/// A dead letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Letter {
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

/// Why a message is a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// It was given out as often as may be, and never acknowledged.
    Exhausted,
    /// A consumer rejected it.
    Rejected,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}
