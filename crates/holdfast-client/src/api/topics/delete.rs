//! `topics.delete`: Deletes a topic, with its messages, groups and queues.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::Deleted,
    command::{Command, Kind, Method, encode},
};

/// Which topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeleteTopicSpec {
    /// Its id.
    pub id: String,
}

impl DeleteTopicSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into() }
    }
}

/// The topic is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DeleteTopicOutcome {
    /// Always the same.
    pub outcome: Deleted,
    /// The topic's id.
    pub id: String,
}

impl Command for DeleteTopicSpec {
    type Outcome = DeleteTopicOutcome;
    const NAME: &'static str = "topics.delete";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Delete;

    fn target(&self) -> String {
        format!("/v1/topics/{}", encode(&self.id))
    }
}
