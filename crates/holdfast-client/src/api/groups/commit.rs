//! `groups.commit`: Says up to which messages a group is done.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::groups::PartitionOffset,
    command::{Command, Kind, Method, encode},
};

/// What is done, and who says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CommitOffsetsSpec {
    /// The topic's id.
    pub topic: String,
    /// The group's id.
    pub group: String,
    /// The member that says so.
    pub member: String,
    /// The generation that it was told when it joined.
    pub generation: u64,
    /// Up to which message everything is done, in each of these partitions.
    pub offsets: Vec<PartitionOffset>,
}

impl CommitOffsetsSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(
        topic: impl Into<String>,
        group: impl Into<String>,
        member: impl Into<String>,
        generation: u64,
        offsets: Vec<PartitionOffset>,
    ) -> Self {
        Self {
            topic: topic.into(),
            group: group.into(),
            member: member.into(),
            generation,
            offsets,
        }
    }
}

/// It is written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CommitOffsetsOutcome {
    /// Always the same.
    pub outcome: Committed,
    /// The committed offsets of these partitions: what was asked, or more where more had
    /// been committed before.
    pub offsets: Vec<PartitionOffset>,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Committed {
    /// Everything up to these offsets is done.
    Committed,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for CommitOffsetsSpec {
    type Outcome = CommitOffsetsOutcome;
    const NAME: &'static str = "groups.commit";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        format!("/v1/topics/{}/groups/{}/commit", encode(&self.topic), encode(&self.group))
    }
}
