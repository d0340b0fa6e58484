//! `groups.delete`: Deletes a group that has no members.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::Deleted,
    command::{Command, Kind, Method, encode},
};

/// Which group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeleteGroupSpec {
    /// The topic's id.
    pub topic: String,
    /// The group's id.
    pub group: String,
}

impl DeleteGroupSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(topic: impl Into<String>, group: impl Into<String>) -> Self {
        Self { topic: topic.into(), group: group.into() }
    }
}

/// The group is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DeleteGroupOutcome {
    /// Always the same.
    pub outcome: Deleted,
    /// The topic's id.
    pub topic: String,
    /// The group's id.
    pub group: String,
}

impl Command for DeleteGroupSpec {
    type Outcome = DeleteGroupOutcome;
    const NAME: &'static str = "groups.delete";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Delete;

    fn target(&self) -> String {
        format!("/v1/topics/{}/groups/{}", encode(&self.topic), encode(&self.group))
    }
}
