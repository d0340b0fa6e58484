//! `groups.seek`: a group goes on somewhere else, back or forth.
//!
//! For people and tools, not for members: it sets committed offsets whoever reads there,
//! and begins a new generation, so that no commit of what was read before undoes it.

use holdfast_state::{
    Id, Stop, Tx,
    command::{Command, Method, Refusal, RefusalInfo, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    offsets::{PartitionOffset, PartitionOffsets},
    standing::{Name, new_group},
};
use crate::topics::{
    partition::Partitions,
    refusals::{OFFSET_BEYOND_END, OFFSET_OUT_OF_RANGE, PARTITION_NOT_FOUND, TOPIC_NOT_FOUND},
    sequence::{Sequence, first_tail},
};

/// The command.
#[derive(Debug)]
pub struct SeekGroup;

/// Which group goes where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeekGroupSpec {
    /// The topic's id.
    pub topic: Id,
    /// The group's id. It comes to be if there is none.
    pub group: Id,
    /// After which message it goes on, in each of these partitions; 0 is the beginning,
    /// wherever that is.
    pub offsets: PartitionOffsets,
}

/// The group goes on there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SeekGroupOutcome {
    /// Always the same.
    pub outcome: Sought,
    /// The group's generation now.
    pub generation: u64,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sought {
    /// The group's offsets are these.
    Sought,
}

/// Why it stays where it is, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum SeekGroupRefusal {
    /// The topic was never created.
    TopicNotFound {
        /// Its id.
        topic: Id,
    },
    /// The topic has fewer partitions.
    PartitionNotFound {
        /// Which of the offsets, from 0.
        index: usize,
        /// The topic's id.
        topic: Id,
        /// The number that was given.
        partition: u16,
        /// How many there are, numbered from 0.
        partitions: Partitions,
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
    /// The messages behind this offset were removed.
    OffsetOutOfRange {
        /// Which of the offsets, from 0.
        index: usize,
        /// The partition's number.
        partition: u16,
        /// The offset that was given.
        offset: u64,
        /// Offset of the first message that is there, or will be.
        first_offset: u64,
        /// Offset of the partition's last message.
        last_offset: u64,
    },
}

impl Refusal for SeekGroupRefusal {
    const ALL: &'static [RefusalInfo] =
        &[TOPIC_NOT_FOUND, PARTITION_NOT_FOUND, OFFSET_BEYOND_END, OFFSET_OUT_OF_RANGE];

    fn code(&self) -> &'static str {
        match self {
            Self::TopicNotFound { .. } => TOPIC_NOT_FOUND.code,
            Self::PartitionNotFound { .. } => PARTITION_NOT_FOUND.code,
            Self::OffsetBeyondEnd { .. } => OFFSET_BEYOND_END.code,
            Self::OffsetOutOfRange { .. } => OFFSET_OUT_OF_RANGE.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some(match self {
            Self::TopicNotFound { .. } => "/topic",
            Self::PartitionNotFound { .. } => "/partition",
            Self::OffsetBeyondEnd { .. } | Self::OffsetOutOfRange { .. } => "/offset",
        })
    }

    fn element(&self) -> Option<String> {
        match self {
            Self::TopicNotFound { .. } => None,
            Self::PartitionNotFound { index, .. }
            | Self::OffsetBeyondEnd { index, .. }
            | Self::OffsetOutOfRange { index, .. } => Some(format!("/offsets/{index}")),
        }
    }
}

impl Command for SeekGroup {
    const NAME: &'static str = "groups.seek";
    const SUMMARY: &'static str = "Sets where a group goes on, back or forth.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/topics/{topic}/groups/{group}/seek";
    type Spec = SeekGroupSpec;
    type Outcome = SeekGroupOutcome;
    type Refusal = SeekGroupRefusal;
}

impl Write for SeekGroup {
    fn run(
        tx: &mut Tx<'_>,
        spec: &SeekGroupSpec,
    ) -> Result<SeekGroupOutcome, Stop<SeekGroupRefusal>> {
        let offsets = check(tx, spec)?;
        let name = Name { topic: &spec.topic, group: &spec.group };
        for PartitionOffset { partition, offset } in offsets {
            name.put_offset(tx, partition, offset)?;
        }
        let row = match name.group(tx)? {
            Some(row) => row,
            None => new_group(tx)?,
        };
        let generation = name.renew(tx, row)?.generation;
        Ok(SeekGroupOutcome { outcome: Sought::Sought, generation })
    }
}

/// Where the group goes on, in each of these partitions.
fn check(
    tx: &Tx<'_>,
    spec: &SeekGroupSpec,
) -> Result<Vec<PartitionOffset>, Stop<SeekGroupRefusal>> {
    let first = first_tail(tx, &spec.topic)?;
    let not_found = || SeekGroupRefusal::TopicNotFound { topic: spec.topic.clone() };
    let first = first.ok_or_else(|| Stop::Refused(not_found()))?;
    let partitions = first.partitions;
    let mut places = Vec::with_capacity(spec.offsets.len());
    for (index, &PartitionOffset { partition, offset }) in spec.offsets.iter().enumerate() {
        if !partitions.has(partition) {
            let topic = spec.topic.clone();
            return Err(Stop::Refused(SeekGroupRefusal::PartitionNotFound {
                index,
                topic,
                partition,
                partitions,
            }));
        }
        let sequence = Sequence::new(&spec.topic, partition);
        let last_offset = sequence.tail(tx, first.clone())?.last;
        if offset > last_offset {
            return Err(Stop::Refused(SeekGroupRefusal::OffsetBeyondEnd {
                index,
                partition,
                offset,
                last_offset,
            }));
        }
        let head = sequence.head(tx)?;
        if offset > 0 && offset < head.removed() {
            let first_offset = head.first;
            return Err(Stop::Refused(SeekGroupRefusal::OffsetOutOfRange {
                index,
                partition,
                offset,
                first_offset,
                last_offset,
            }));
        }
        places.push(PartitionOffset { partition, offset: offset.max(head.removed()) });
    }
    Ok(places)
}
