//! `groups.get`: who belongs to a group, who reads what, and how far it is.

use holdfast_state::{
    Abort, Id, LogTime, Read, Stop,
    command::{Command, Method, Query, Refusal, RefusalInfo},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{assignment::reader, offsets::none, row::GroupRow, standing::Name};
use crate::topics::{
    refusals::GROUP_NOT_FOUND,
    sequence::{Sequence, doubt, first_tail},
};

/// The command.
#[derive(Debug)]
pub struct GetGroup;

/// Which group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetGroupSpec {
    /// The topic's id.
    pub topic: Id,
    /// The group's id.
    pub group: Id,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Group {
    /// The topic's id.
    pub topic: Id,
    /// The group's id.
    pub group: Id,
    /// One more with every change of members, and with every seek.
    pub generation: u64,
    /// Its members, by id.
    pub members: Vec<Member>,
    /// The topic's partitions, by number.
    pub partitions: Vec<Progress>,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Member {
    /// Its id.
    pub member: Id,
    /// When it came.
    pub joined_at: LogTime,
    /// When it is a member no more unless it joins again.
    pub expires_at: LogTime,
}

/// How far a group is in a partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Progress {
    /// The partition's number.
    pub partition: u16,
    /// Who reads it; absent when nobody does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reader: Option<Id>,
    /// Everything up to this message is done.
    pub committed: u64,
    /// How many messages behind it were removed: they are lost to the group; absent when
    /// none.
    #[serde(skip_serializing_if = "none")]
    pub lost: u64,
    /// Offset of the partition's last message: `last_offset - committed - lost` are to be
    /// done.
    pub last_offset: u64,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum GetGroupRefusal {
    /// Nobody ever joined it.
    GroupNotFound {
        /// The topic.
        topic: Id,
        /// The group.
        group: Id,
    },
}

impl Refusal for GetGroupRefusal {
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

impl Command for GetGroup {
    const NAME: &'static str = "groups.get";
    const SUMMARY: &'static str = "Shows a group's members and how far it is in each partition.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/topics/{topic}/groups/{group}";
    type Spec = GetGroupSpec;
    type Outcome = Group;
    type Refusal = GetGroupRefusal;
}

impl Query for GetGroup {
    fn run(state: &impl Read, spec: &GetGroupSpec) -> Result<Group, Stop<GetGroupRefusal>> {
        let name = Name { topic: &spec.topic, group: &spec.group };
        let (topic, group) = (spec.topic.clone(), spec.group.clone());
        let not_found = || {
            Stop::Refused(GetGroupRefusal::GroupNotFound {
                topic: topic.clone(),
                group: group.clone(),
            })
        };
        let row = name.group(state)?.ok_or_else(not_found)?;
        let members = members(state, name, &row)?;
        let partitions = progress(state, name, &row)?;
        Ok(Group { topic, group, generation: row.generation, members, partitions })
    }
}

fn members(state: &impl Read, name: Name<'_>, row: &GroupRow) -> Result<Vec<Member>, Abort> {
    let shown = |member: &Id| {
        let found = name.member_row(state, member)?;
        let found = found.ok_or_else(|| doubt(format!("{name:?} lacks its member {member}")))?;
        let (joined_at, expires_at) = (found.joined_at, found.expires_at);
        Ok(Member { member: member.clone(), joined_at, expires_at })
    };
    row.members.iter().map(shown).collect()
}

fn progress(state: &impl Read, name: Name<'_>, row: &GroupRow) -> Result<Vec<Progress>, Abort> {
    let first = first_tail(state, name.topic)?;
    let first = first.ok_or_else(|| doubt(format!("{name:?} has no topic")))?;
    let shown = |partition| {
        let tail = Sequence::new(name.topic, partition).tail(state, first.clone())?;
        let place = name.place(state, partition)?;
        Ok(Progress {
            partition,
            reader: reader(first.partitions, &row.members, partition).cloned(),
            committed: place.offset - place.lost,
            lost: place.lost,
            last_offset: tail.last,
        })
    };
    first.partitions.all().map(shown).collect()
}
