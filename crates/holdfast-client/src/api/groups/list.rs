//! `groups.list`: Lists the groups of a topic in the order of their ids.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::command::{Command, Kind, Method, Target, encode};

/// Which page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListGroupsSpec {
    /// The topic's id.
    pub topic: String,
    /// `next` of the page before; absent for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// How many groups at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

impl ListGroupsSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(topic: impl Into<String>) -> Self {
        Self { topic: topic.into(), cursor: None, limit: None }
    }
}

/// A page of groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GroupsPage {
    /// The groups, by id.
    pub groups: Vec<ListedGroup>,
    /// Cursor of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ListedGroup {
    /// Its id.
    pub group: String,
    /// One more with every change of members, and with every seek.
    pub generation: u64,
    /// How many members it has.
    pub members: u64,
}

impl Command for ListGroupsSpec {
    type Outcome = GroupsPage;
    const NAME: &'static str = "groups.list";
    const KIND: Kind = Kind::Query;
    const METHOD: Method = Method::Get;

    fn target(&self) -> String {
        Target::at(format!("/v1/topics/{}/groups", encode(&self.topic)))
            .field("cursor", &self.cursor)
            .field("limit", &self.limit)
            .finish()
    }
}
