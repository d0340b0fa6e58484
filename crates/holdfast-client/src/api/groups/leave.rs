//! `groups.leave`: Leaves a group of consumers.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::command::{Command, Kind, Method, encode};

/// Who leaves which group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeaveGroupSpec {
    /// The topic's id.
    pub topic: String,
    /// The group's id.
    pub group: String,
    /// The consumer's id.
    pub member: String,
}

impl LeaveGroupSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(
        topic: impl Into<String>,
        group: impl Into<String>,
        member: impl Into<String>,
    ) -> Self {
        Self { topic: topic.into(), group: group.into(), member: member.into() }
    }
}

/// The consumer is not a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LeaveGroupOutcome {
    /// Always the same.
    pub outcome: LeftGroup,
    /// The group's generation now.
    pub generation: u64,
    /// How many members there are.
    pub members: u64,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LeftGroup {
    /// The consumer is a member no more.
    Left,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for LeaveGroupSpec {
    type Outcome = LeaveGroupOutcome;
    const NAME: &'static str = "groups.leave";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Delete;

    fn target(&self) -> String {
        format!(
            "/v1/topics/{}/groups/{}/members/{}",
            encode(&self.topic),
            encode(&self.group),
            encode(&self.member),
        )
    }
}
