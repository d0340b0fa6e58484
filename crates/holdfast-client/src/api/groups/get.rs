//! `groups.get`: Shows a group's members and how far it is in each partition.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::command::{Command, Kind, Method, encode};

/// Which group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GetGroupSpec {
    /// The topic's id.
    pub topic: String,
    /// The group's id.
    pub group: String,
}

impl GetGroupSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(topic: impl Into<String>, group: impl Into<String>) -> Self {
        Self { topic: topic.into(), group: group.into() }
    }
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Group {
    /// The topic's id.
    pub topic: String,
    /// The group's id.
    pub group: String,
    /// One more with every change of members, and with every seek.
    pub generation: u64,
    /// Its members, by id.
    pub members: Vec<Member>,
    /// The topic's partitions, by number.
    pub partitions: Vec<Progress>,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Member {
    /// Its id.
    pub member: String,
    /// When it came.
    pub joined_at: String,
    /// When it is a member no more unless it joins again.
    pub expires_at: String,
}

/// How far a group is in a partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Progress {
    /// The partition's number.
    pub partition: u16,
    /// Everything up to this message is done.
    pub committed: u64,
    /// Offset of the partition's last message: `last_offset - committed - lost` are to be
    /// done.
    pub last_offset: u64,
    /// How many messages behind it were removed: they are lost to the group; absent when
    /// none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<u64>,
    /// Who reads it; absent when nobody does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reader: Option<String>,
}

impl Command for GetGroupSpec {
    type Outcome = Group;
    const NAME: &'static str = "groups.get";
    const KIND: Kind = Kind::Query;
    const METHOD: Method = Method::Get;

    fn target(&self) -> String {
        format!("/v1/topics/{}/groups/{}", encode(&self.topic), encode(&self.group))
    }
}
