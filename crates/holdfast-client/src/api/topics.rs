//! Commands of `topics`.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

mod append;
mod append_batch;
mod create;
mod delete;
mod get;
mod list;
mod read;
mod update;

use serde::{Deserialize, Serialize};

use crate::lifetime::Lifetime;

pub use append::{AppendOutcome, AppendSpec};
pub use append_batch::{AppendBatchOutcome, AppendBatchSpec, NewMessage, OffsetRange};
pub use create::{CreateTopicOutcome, CreateTopicSpec, Created};
pub use delete::{DeleteTopicOutcome, DeleteTopicSpec};
pub use get::{GetTopicSpec, TopicEnds};
pub use list::{ListTopicsSpec, Topic, TopicsPage};
pub use read::{Message, MessagesPage, ReadMessagesSpec};
pub use update::{UpdateTopicOutcome, UpdateTopicSpec, Updated};

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Appended {
    /// What was given is in the topic.
    Appended,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

/// What is kept of each partition of a topic; everything when nothing is said.
#[derive(Clone, Default, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    /// Messages older than this are removed, a sixteenth of it later at most (but not
    /// sooner than in a second, and within an hour).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age: Option<Lifetime>,
    /// The newest messages of together at least so many bytes stay; others are removed, in
    /// pieces of 256 KiB. Ids, keys, types and data count, and 64 for each append.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}
