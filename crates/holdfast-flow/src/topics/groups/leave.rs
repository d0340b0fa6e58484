//! `groups.leave`: a consumer goes, and the others share its partitions at once.
//!
//! Who is not a member leaves all the same, and nothing changes.

use holdfast_state::{
    Id, Stop, Tx,
    command::{Command, Method, Refusal, RefusalInfo, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::standing::Name;
use crate::topics::refusals::GROUP_NOT_FOUND;

/// The command.
#[derive(Debug)]
pub struct LeaveGroup;

/// Who leaves which group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaveGroupSpec {
    /// The topic's id.
    pub topic: Id,
    /// The group's id.
    pub group: Id,
    /// The consumer's id.
    pub member: Id,
}

/// The consumer is not a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LeaveGroupOutcome {
    /// Always the same.
    pub outcome: LeftGroup,
    /// The group's generation now.
    pub generation: u64,
    /// How many members there are.
    pub members: usize,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeftGroup {
    /// The consumer is a member no more.
    Left,
}

/// Why there is nothing to leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum LeaveGroupRefusal {
    /// Nobody ever joined it.
    GroupNotFound {
        /// The topic.
        topic: Id,
        /// The group.
        group: Id,
    },
}

impl Refusal for LeaveGroupRefusal {
    const ALL: &'static [RefusalInfo] = &[GROUP_NOT_FOUND];

    fn code(&self) -> &'static str {
        match self {
            Self::GroupNotFound { .. } => GROUP_NOT_FOUND.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/group")
    }
}

impl Command for LeaveGroup {
    const NAME: &'static str = "groups.leave";
    const SUMMARY: &'static str = "Leaves a group of consumers.";
    const METHOD: Method = Method::Delete;
    const PATH: &'static str = "/v1/topics/{topic}/groups/{group}/members/{member}";
    type Spec = LeaveGroupSpec;
    type Outcome = LeaveGroupOutcome;
    type Refusal = LeaveGroupRefusal;
}

impl Write for LeaveGroup {
    fn run(
        tx: &mut Tx<'_>,
        spec: &LeaveGroupSpec,
    ) -> Result<LeaveGroupOutcome, Stop<LeaveGroupRefusal>> {
        let name = Name { topic: &spec.topic, group: &spec.group };
        let (topic, group) = (spec.topic.clone(), spec.group.clone());
        let not_found = || Stop::Refused(LeaveGroupRefusal::GroupNotFound { topic, group });
        let mut row = name.group(tx)?.ok_or_else(not_found)?;
        if let Some(member) = name.member_row(tx, &spec.member)? {
            name.drop(tx, &mut row, &spec.member, &member)?;
        }
        let (generation, members) = (row.generation, row.members.len());
        Ok(LeaveGroupOutcome { outcome: LeftGroup::Left, generation, members })
    }
}
