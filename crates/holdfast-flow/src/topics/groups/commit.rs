//! `groups.commit`: everything up to an offset is done.
//!
//! Only a member commits, in the generation it was told, for partitions that are its: who
//! was cut off while others took over its partitions is refused, in the transaction in
//! which it commits. A committed offset does not go back; a commit that comes late changes
//! nothing.

use holdfast_planted::planted;
use holdfast_state::{
    Id, Read, Stop, Tx,
    command::{Command, Method, Refusal, RefusalInfo, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    assignment::assigned,
    offsets::{PartitionOffset, PartitionOffsets},
    standing::Name,
};
use crate::topics::{
    refusals::{GENERATION_STALE, GROUP_NOT_FOUND, OFFSET_BEYOND_END, PARTITION_NOT_ASSIGNED},
    row::TailRow,
    sequence::{Sequence, doubt, first_tail},
};

/// The command.
#[derive(Debug)]
pub struct CommitOffsets;

/// What is done, and who says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommitOffsetsSpec {
    /// The topic's id.
    pub topic: Id,
    /// The group's id.
    pub group: Id,
    /// The member that says so.
    pub member: Id,
    /// The generation that it was told when it joined.
    pub generation: u64,
    /// Up to which message everything is done, in each of these partitions.
    pub offsets: PartitionOffsets,
}

/// It is written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CommitOffsetsOutcome {
    /// Always the same.
    pub outcome: Committed,
    /// The committed offsets of these partitions: what was asked, or more where more had
    /// been committed before.
    pub offsets: Vec<PartitionOffset>,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Committed {
    /// Everything up to these offsets is done.
    Committed,
}

/// Why nothing is committed, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum CommitOffsetsRefusal {
    /// Nobody ever joined it.
    GroupNotFound {
        /// The topic.
        topic: Id,
        /// The group.
        group: Id,
    },
    /// Partitions were dealt out anew since, or the member's time is over.
    GenerationStale {
        /// The group.
        group: Id,
        /// Who wanted to commit.
        member: Id,
        /// In which generation.
        generation: u64,
        /// The group's generation.
        current: u64,
    },
    /// The partition is another member's, or there is no such partition.
    PartitionNotAssigned {
        /// Which of the offsets, from 0.
        index: usize,
        /// The partition's number.
        partition: u16,
    },
    /// The partition ends before.
    OffsetBeyondEnd {
        /// Which of the offsets, from 0.
        index: usize,
        /// The partition's number.
        partition: u16,
        /// The offset that was given.
        offset: u64,
        /// Offset of the partition's last message.
        last_offset: u64,
    },
}

impl Refusal for CommitOffsetsRefusal {
    const ALL: &'static [RefusalInfo] =
        &[GROUP_NOT_FOUND, GENERATION_STALE, PARTITION_NOT_ASSIGNED, OFFSET_BEYOND_END];

    fn code(&self) -> &'static str {
        match self {
            Self::GroupNotFound { .. } => GROUP_NOT_FOUND.code,
            Self::GenerationStale { .. } => GENERATION_STALE.code,
            Self::PartitionNotAssigned { .. } => PARTITION_NOT_ASSIGNED.code,
            Self::OffsetBeyondEnd { .. } => OFFSET_BEYOND_END.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some(match self {
            Self::GroupNotFound { .. } => "/group",
            Self::GenerationStale { .. } => "/generation",
            Self::PartitionNotAssigned { .. } => "/partition",
            Self::OffsetBeyondEnd { .. } => "/offset",
        })
    }

    fn element(&self) -> Option<String> {
        match self {
            Self::GroupNotFound { .. } | Self::GenerationStale { .. } => None,
            Self::PartitionNotAssigned { index, .. } | Self::OffsetBeyondEnd { index, .. } => {
                Some(format!("/offsets/{index}"))
            }
        }
    }
}

impl Command for CommitOffsets {
    const NAME: &'static str = "groups.commit";
    const SUMMARY: &'static str = "Says up to which messages a group is done.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/topics/{topic}/groups/{group}/commit";
    type Spec = CommitOffsetsSpec;
    type Outcome = CommitOffsetsOutcome;
    type Refusal = CommitOffsetsRefusal;
}

impl Write for CommitOffsets {
    fn run(
        tx: &mut Tx<'_>,
        spec: &CommitOffsetsSpec,
    ) -> Result<CommitOffsetsOutcome, Stop<CommitOffsetsRefusal>> {
        let name = Name { topic: &spec.topic, group: &spec.group };
        let first = allowed(tx, name, spec)?;
        let mut offsets = Vec::with_capacity(spec.offsets.len());
        for (index, asked) in spec.offsets.iter().enumerate() {
            let &PartitionOffset { partition, offset } = asked;
            let tail = Sequence::new(&spec.topic, partition).tail(tx, first.clone())?;
            if offset > tail.last {
                let last_offset = tail.last;
                return Err(Stop::Refused(CommitOffsetsRefusal::OffsetBeyondEnd {
                    index,
                    partition,
                    offset,
                    last_offset,
                }));
            }
            offsets.push((name.committed(tx, partition)?, asked));
        }
        let mut done = Vec::with_capacity(offsets.len());
        for (before, &PartitionOffset { partition, offset }) in offsets {
            if offset > before {
                name.put_offset(tx, partition, offset)?;
            }
            done.push(PartitionOffset { partition, offset: offset.max(before) });
        }
        Ok(CommitOffsetsOutcome { outcome: Committed::Committed, offsets: done })
    }
}

/// The tail of the topic's first partition, if the member may commit for all of these
/// partitions.
fn allowed(
    state: &impl Read,
    name: Name<'_>,
    spec: &CommitOffsetsSpec,
) -> Result<TailRow, Stop<CommitOffsetsRefusal>> {
    let (topic, group) = (spec.topic.clone(), spec.group.clone());
    let not_found = || CommitOffsetsRefusal::GroupNotFound { topic, group };
    let row = name.group(state)?.ok_or_else(|| Stop::Refused(not_found()))?;
    let member = name.member(state, &spec.member)?;
    let stale = row.generation != spec.generation && !planted!(GenerationNotChecked);
    if member.is_none() || stale {
        return Err(Stop::Refused(CommitOffsetsRefusal::GenerationStale {
            group: spec.group.clone(),
            member: spec.member.clone(),
            generation: spec.generation,
            current: row.generation,
        }));
    }
    let first = first_tail(state, &spec.topic)?;
    let first = first.ok_or_else(|| doubt(format!("{name:?} has no topic")))?;
    let own = assigned(first.partitions, &row.members, &spec.member);
    let stranger = spec.offsets.iter().position(|asked| !own.contains(&asked.partition));
    if let Some(index) = stranger {
        let partition = spec.offsets[index].partition;
        let refusal = CommitOffsetsRefusal::PartitionNotAssigned { index, partition };
        return Err(Stop::Refused(refusal));
    }
    Ok(first)
}
