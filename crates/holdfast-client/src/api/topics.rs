//! Commands of `topics`.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

mod append;
mod append_batch;
mod create;
mod get;
mod list;
mod read;

use serde::{Deserialize, Serialize};

pub use append::{AppendOutcome, AppendSpec};
pub use append_batch::{AppendBatchOutcome, AppendBatchSpec, NewMessage, OffsetRange};
pub use create::{CreateTopicOutcome, CreateTopicSpec, Created};
pub use get::{GetTopicSpec, TopicEnds};
pub use list::{ListTopicsSpec, Topic, TopicsPage};
pub use read::{Message, MessagesPage, ReadMessagesSpec};

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
