//! `groups.delete`: a group goes, with how far it is.
//!
//! Not while it has members: they would join again and begin from the beginning. Who has
//! left, or whose time is over, is none.

use holdfast_state::{
    Id, Stop, Tx,
    command::{Command, Method, Refusal, RefusalInfo, Write},
    table::Table as _,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    row::{Groups, Members, Offsets},
    standing::Name,
};
use crate::topics::{
    delete::Deleted,
    delete_all, floor,
    refusals::{GROUP_NOT_EMPTY, GROUP_NOT_FOUND},
};

/// The command.
#[derive(Debug)]
pub struct DeleteGroup;

/// Which group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteGroupSpec {
    /// The topic's id.
    pub topic: Id,
    /// The group's id.
    pub group: Id,
}

/// The group is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DeleteGroupOutcome {
    /// Always the same.
    pub outcome: Deleted,
    /// The topic's id.
    pub topic: Id,
    /// The group's id.
    pub group: Id,
}

/// Why a group is not deleted, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum DeleteGroupRefusal {
    /// There is no such group.
    GroupNotFound {
        /// The topic.
        topic: Id,
        /// The group.
        group: Id,
    },
    /// It has members.
    GroupNotEmpty {
        /// The group.
        group: Id,
        /// How many.
        members: usize,
    },
}

impl Refusal for DeleteGroupRefusal {
    const ALL: &'static [RefusalInfo] = &[GROUP_NOT_FOUND, GROUP_NOT_EMPTY];

    fn code(&self) -> &'static str {
        match self {
            Self::GroupNotFound { .. } => GROUP_NOT_FOUND.code,
            Self::GroupNotEmpty { .. } => GROUP_NOT_EMPTY.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/group")
    }
}

impl Command for DeleteGroup {
    const NAME: &'static str = "groups.delete";
    const SUMMARY: &'static str = "Deletes a group that has no members.";
    const METHOD: Method = Method::Delete;
    const PATH: &'static str = "/v1/topics/{topic}/groups/{group}";
    type Spec = DeleteGroupSpec;
    type Outcome = DeleteGroupOutcome;
    type Refusal = DeleteGroupRefusal;
}

impl Write for DeleteGroup {
    fn run(
        tx: &mut Tx<'_>,
        spec: &DeleteGroupSpec,
    ) -> Result<DeleteGroupOutcome, Stop<DeleteGroupRefusal>> {
        let name = Name { topic: &spec.topic, group: &spec.group };
        let (topic, group) = (spec.topic.clone(), spec.group.clone());
        let Some(row) = name.group(tx)? else {
            return Err(Stop::Refused(DeleteGroupRefusal::GroupNotFound { topic, group }));
        };
        let mut members = 0;
        for member in &row.members {
            if name.member(tx, member)?.is_some() {
                members += 1;
            }
        }
        if members > 0 {
            return Err(Stop::Refused(DeleteGroupRefusal::GroupNotEmpty { group, members }));
        }
        for member in &row.members {
            if let Some(gone) = name.member_row(tx, member)? {
                tx.cancel_timer(gone.timer)?;
            }
        }
        floor::raise(tx, row.generation)?;
        let tables = [Groups::ID, Members::ID, Offsets::ID];
        delete_all(tx, &tables, &(topic.as_str(), group.as_str()))?;
        Ok(DeleteGroupOutcome { outcome: Deleted::Deleted, topic, group })
    }
}
