//! `groups.seek`: Sets where a group goes on, back or forth.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::groups::PartitionOffset,
    command::{Command, Kind, Method, encode},
};

/// Which group goes where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SeekGroupSpec {
    /// The topic's id.
    pub topic: String,
    /// The group's id. It comes to be if there is none.
    pub group: String,
    /// After which message it goes on, in each of these partitions; 0 is the beginning,
    /// wherever that is.
    pub offsets: Vec<PartitionOffset>,
}

impl SeekGroupSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(
        topic: impl Into<String>,
        group: impl Into<String>,
        offsets: Vec<PartitionOffset>,
    ) -> Self {
        Self { topic: topic.into(), group: group.into(), offsets }
    }
}

/// The group goes on there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SeekGroupOutcome {
    /// Always the same.
    pub outcome: Sought,
    /// The group's generation now.
    pub generation: u64,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Sought {
    /// The group's offsets are these.
    Sought,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for SeekGroupSpec {
    type Outcome = SeekGroupOutcome;
    const NAME: &'static str = "groups.seek";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        format!("/v1/topics/{}/groups/{}/seek", encode(&self.topic), encode(&self.group))
    }
}
