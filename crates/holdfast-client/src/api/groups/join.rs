//! `groups.join`: Joins a group of consumers, or stays in it.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    command::{Command, Kind, Method, encode},
    lifetime::Lifetime,
};

/// Who joins which group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JoinGroupSpec {
    /// The topic's id.
    pub topic: String,
    /// The group's id. It comes to be with its first member.
    pub group: String,
    /// The consumer's own id.
    pub member: String,
    /// How long it stays a member without joining again; 30 seconds when nothing is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Lifetime>,
}

impl JoinGroupSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(
        topic: impl Into<String>,
        group: impl Into<String>,
        member: impl Into<String>,
    ) -> Self {
        Self { topic: topic.into(), group: group.into(), member: member.into(), ttl: None }
    }
}

/// The consumer is a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct JoinGroupOutcome {
    /// Always the same.
    pub outcome: JoinedGroup,
    /// The topic's id.
    pub topic: String,
    /// The group's id.
    pub group: String,
    /// The consumer's id.
    pub member: String,
    /// The group's generation: what a commit has to name.
    pub generation: u64,
    /// How many members there are.
    pub members: u64,
    /// The partitions that are its to read, each with the group's committed offset: read
    /// after it.
    pub partitions: Vec<GroupPlace>,
    /// When it is a member no more unless it joins again.
    pub expires_at: String,
    /// It was one before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
}

/// Where a group goes on in a partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GroupPlace {
    /// The partition's number.
    pub partition: u16,
    /// It goes on after this message.
    pub offset: u64,
    /// How many messages were removed that the group had not committed; absent when none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<u64>,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum JoinedGroup {
    /// The consumer is a member from now on, or still.
    Joined,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for JoinGroupSpec {
    type Outcome = JoinGroupOutcome;
    const NAME: &'static str = "groups.join";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Put;

    fn target(&self) -> String {
        format!(
            "/v1/topics/{}/groups/{}/members/{}",
            encode(&self.topic),
            encode(&self.group),
            encode(&self.member),
        )
    }
}
