//! `groups.join`: a consumer comes into a group, or stays in it.
//!
//! The answer says which partitions are its to read, from where on, and in which
//! generation; whoever calls it again before its time is over stays a member. A member
//! looks at the generation of each answer: another one than before means that partitions
//! were dealt out anew.

use holdfast_state::{
    Abort, Id, Lifetime, LogTime, Read, Stop, Tx,
    command::{Command, Method, Refusal, RefusalInfo, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    assignment::assigned,
    offsets::GroupPlace,
    row::{GroupRow, MemberRow, SESSION},
    standing::{Name, new_group},
};
use crate::topics::{
    partition::Partitions,
    refusals::{GROUP_FULL, TOPIC_NOT_FOUND},
    sequence::first_tail,
};

/// The most members that a group may have.
pub const MEMBERS_MAX: usize = 256;

/// The command.
#[derive(Debug)]
pub struct JoinGroup;

/// Who joins which group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinGroupSpec {
    /// The topic's id.
    pub topic: Id,
    /// The group's id. It comes to be with its first member.
    pub group: Id,
    /// The consumer's own id.
    pub member: Id,
    /// How long it stays a member without joining again; 30 seconds when nothing is given.
    #[serde(default = "session")]
    pub ttl: Lifetime,
}

const fn session() -> Lifetime {
    SESSION
}

/// The consumer is a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct JoinGroupOutcome {
    /// Always the same.
    pub outcome: JoinedGroup,
    /// It was one before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// The topic's id.
    pub topic: Id,
    /// The group's id.
    pub group: Id,
    /// The consumer's id.
    pub member: Id,
    /// The group's generation: what a commit has to name.
    pub generation: u64,
    /// How many members there are.
    pub members: usize,
    /// The partitions that are its to read, each with the group's committed offset: read
    /// after it.
    pub partitions: Vec<GroupPlace>,
    /// When it is a member no more unless it joins again.
    pub expires_at: LogTime,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JoinedGroup {
    /// The consumer is a member from now on, or still.
    Joined,
}

/// Why it is not a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum JoinGroupRefusal {
    /// The topic was never created.
    TopicNotFound {
        /// Its id.
        topic: Id,
    },
    /// The group has as many members as may be.
    GroupFull {
        /// The group.
        group: Id,
        /// How many it has.
        members: usize,
    },
}

impl Refusal for JoinGroupRefusal {
    const ALL: &'static [RefusalInfo] = &[TOPIC_NOT_FOUND, GROUP_FULL];

    fn code(&self) -> &'static str {
        match self {
            Self::TopicNotFound { .. } => TOPIC_NOT_FOUND.code,
            Self::GroupFull { .. } => GROUP_FULL.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some(match self {
            Self::TopicNotFound { .. } => "/topic",
            Self::GroupFull { .. } => "/group",
        })
    }
}

impl Command for JoinGroup {
    const NAME: &'static str = "groups.join";
    const SUMMARY: &'static str = "Joins a group of consumers, or stays in it.";
    const METHOD: Method = Method::Put;
    const PATH: &'static str = "/v1/topics/{topic}/groups/{group}/members/{member}";
    type Spec = JoinGroupSpec;
    type Outcome = JoinGroupOutcome;
    type Refusal = JoinGroupRefusal;
}

impl Write for JoinGroup {
    fn run(
        tx: &mut Tx<'_>,
        spec: &JoinGroupSpec,
    ) -> Result<JoinGroupOutcome, Stop<JoinGroupRefusal>> {
        let name = Name { topic: &spec.topic, group: &spec.group };
        let first = first_tail(tx, &spec.topic)?;
        let not_found = || JoinGroupRefusal::TopicNotFound { topic: spec.topic.clone() };
        let partitions = first.ok_or_else(|| Stop::Refused(not_found()))?.partitions;
        let mut group = match name.group(tx)? {
            Some(group) => group,
            None => new_group(tx)?,
        };
        let before = name.member_row(tx, &spec.member)?;
        if let Some(row) = before.as_ref().filter(|row| !row.is_over(tx.now())) {
            let member = stay(tx, name, spec, row.clone())?;
            return Ok(outcome(tx, spec, partitions, (&group, &member), true)?);
        }
        if before.is_none() && group.members.len() >= MEMBERS_MAX {
            let (group, members) = (spec.group.clone(), group.members.len());
            return Err(Stop::Refused(JoinGroupRefusal::GroupFull { group, members }));
        }
        if let Some(row) = before {
            name.drop(tx, &mut group, &spec.member, &row)?;
        }
        let member = name.enter(tx, &mut group, &spec.member, spec.ttl)?;
        Ok(outcome(tx, spec, partitions, (&group, &member), false)?)
    }
}

/// A member has its whole time again. Its timer stays where it is unless it would come
/// too late.
fn stay(
    tx: &mut Tx<'_>,
    name: Name<'_>,
    spec: &JoinGroupSpec,
    mut row: MemberRow,
) -> Result<MemberRow, Abort> {
    row.expires_at = tx.now().plus_us(spec.ttl.as_us());
    if row.expires_at < row.timer.due {
        tx.cancel_timer(row.timer)?;
        row.timer = name.arm(tx, &spec.member, row.expires_at)?;
    }
    name.put_member(tx, &spec.member, &row)?;
    Ok(row)
}

fn outcome(
    state: &impl Read,
    spec: &JoinGroupSpec,
    partitions: Partitions,
    (group, member): (&GroupRow, &MemberRow),
    existed: bool,
) -> Result<JoinGroupOutcome, Abort> {
    let name = Name { topic: &spec.topic, group: &spec.group };
    let partitions = assigned(partitions, &group.members, &spec.member);
    let partitions = partitions.map(|partition| name.place(state, partition));
    Ok(JoinGroupOutcome {
        outcome: JoinedGroup::Joined,
        existed,
        topic: spec.topic.clone(),
        group: spec.group.clone(),
        member: spec.member.clone(),
        generation: group.generation,
        members: group.members.len(),
        partitions: partitions.collect::<Result<_, Abort>>()?,
        expires_at: member.expires_at,
    })
}
