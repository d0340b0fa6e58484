//! `topics.append_batch`: several messages at the end of a topic, all or none, with
//! nothing between those that go to one partition.
//!
//! They are stored as one row for each partition, so a batch costs little more than a
//! message. Repeated as a whole it has the same outcome, if one of its messages has an id
//! by which it is known again. A batch of which some messages are in the topic and others
//! are not, or elsewhere, or were removed meanwhile, is refused.

use std::collections::BTreeMap;

use holdfast_planted::planted;
use holdfast_state::{
    Abort, Id, LogTime, Read as _, Stop, Tx, Version,
    command::{
        Command, Method, Refusal, RefusalInfo, Write,
        foreign::{AskedForm, ToldBy},
    },
};
use schemars::{JsonSchema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::{
    append::Appended,
    events::{self, structured, written::CloudEvent},
    ids::Ids,
    messages::{Identity, Messages},
    partition::Partitions,
    refusals::{BATCH_DIFFERS, MESSAGE_EXISTS, SCHEMA_VIOLATED, TOPIC_NOT_FOUND},
    row::{MessageRow, MessagesRow, PlaceRow, Sibling, TailRow},
    schemas::{Checking, Violation},
    sequence::{Beside, Run, Sequence, first_tail},
};

/// The command.
#[derive(Debug)]
pub struct AppendBatch;

/// Which messages, to which topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AppendBatchSpec {
    /// The topic's id.
    pub topic: Id,
    /// 1 to 1000 messages.
    pub messages: Messages,
}

/// The messages are in the topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AppendBatchOutcome {
    /// Always the same.
    pub outcome: Appended,
    /// They had been appended before, in the same words and the same order.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// The topic's id.
    pub topic: Id,
    /// Where they are, by partition; in each the messages lie in the order given.
    pub ranges: Vec<OffsetRange>,
    /// The transaction that appended the first.
    pub version: u64,
    /// When.
    pub time: LogTime,
}

/// Messages of one partition, side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OffsetRange {
    /// The partition.
    pub partition: u16,
    /// Place of the first message.
    pub first_offset: u64,
    /// Place of the last message.
    pub last_offset: u64,
}

/// Why no message is appended, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum AppendBatchRefusal {
    /// The topic was never created.
    TopicNotFound {
        /// Its id.
        topic: Id,
    },
    /// The id of a message was used for another one.
    MessageExists {
        /// The topic's id.
        topic: Id,
        /// Which message of the batch, from 0.
        index: usize,
        /// What both are known by.
        #[serde(flatten)]
        identity: Identity,
        /// In which partition the message is that has it.
        partition: u16,
        /// Where in it.
        offset: u64,
        /// What differs.
        field: &'static str,
    },
    /// A message is in the topic already, but those beside it are not those of the
    /// batch.
    BatchDiffers {
        /// The topic's id.
        topic: Id,
        /// Which message of the batch, from 0: the first that is there already.
        index: usize,
        /// What it is known by.
        #[serde(flatten)]
        identity: Identity,
        /// In which partition it is.
        partition: u16,
        /// Where in it.
        offset: u64,
    },
    /// The data of a message is not what the topic's schema asks for.
    SchemaViolated {
        /// The topic's id.
        topic: Id,
        /// Which message of the batch, from 0.
        index: usize,
        /// Where in its data, and by what.
        #[serde(flatten)]
        violation: Violation,
    },
}

impl Refusal for AppendBatchRefusal {
    const ALL: &'static [RefusalInfo] =
        &[TOPIC_NOT_FOUND, MESSAGE_EXISTS, BATCH_DIFFERS, SCHEMA_VIOLATED];

    fn code(&self) -> &'static str {
        match self {
            Self::TopicNotFound { .. } => TOPIC_NOT_FOUND.code,
            Self::MessageExists { .. } => MESSAGE_EXISTS.code,
            Self::BatchDiffers { .. } => BATCH_DIFFERS.code,
            Self::SchemaViolated { .. } => SCHEMA_VIOLATED.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some(match self {
            Self::TopicNotFound { .. } => "/topic",
            Self::MessageExists { identity, .. } | Self::BatchDiffers { identity, .. } => {
                identity.pointer()
            }
            Self::SchemaViolated { .. } => "/data",
        })
    }

    fn element(&self) -> Option<String> {
        match self {
            Self::TopicNotFound { .. } => None,
            Self::MessageExists { index, .. }
            | Self::BatchDiffers { index, .. }
            | Self::SchemaViolated { index, .. } => Some(format!("/messages/{index}")),
        }
    }
}

impl Command for AppendBatch {
    const NAME: &'static str = "topics.append_batch";
    const SUMMARY: &'static str = "Appends several messages to a topic, all or none.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/topics/{topic}/batches";
    const ASKED_IN: &'static [AskedForm] = &[AskedForm {
        told_by: ToldBy::MediaType(events::BATCH),
        summary: "CloudEvents, as a JSON array.",
        schema: SchemaGenerator::subschema_for::<Vec<CloudEvent<'_>>>,
        read: structured::batch,
    }];
    type Spec = AppendBatchSpec;
    type Outcome = AppendBatchOutcome;
    type Refusal = AppendBatchRefusal;
}

impl Write for AppendBatch {
    fn run(
        tx: &mut Tx<'_>,
        spec: &AppendBatchSpec,
    ) -> Result<AppendBatchOutcome, Stop<AppendBatchRefusal>> {
        let first = first_tail(tx, &spec.topic)?;
        let not_found = || AppendBatchRefusal::TopicNotFound { topic: spec.topic.clone() };
        let first = first.ok_or_else(|| Stop::Refused(not_found()))?;
        if let Some(known) = first_known(tx, spec)? {
            return existing(tx, spec, &known, &first);
        }
        let schema = judged(tx, spec)?;
        let parts = parts(spec, first.partitions, tx.version());
        Ok(append(tx, spec, (parts, schema), &first)?)
    }
}

/// The number of the schema that lets all messages through, if the topic has any.
fn judged(tx: &Tx<'_>, spec: &AppendBatchSpec) -> Result<Option<u64>, Stop<AppendBatchRefusal>> {
    let Some(mut checking) = Checking::of(tx, &spec.topic)? else { return Ok(None) };
    for (index, message) in spec.messages.iter().enumerate() {
        if let Some(violation) = checking.check(&message.data, message.event.as_deref())? {
            let topic = spec.topic.clone();
            let violated = AppendBatchRefusal::SchemaViolated { topic, index, violation };
            return Err(Stop::Refused(violated));
        }
    }
    Ok(Some(checking.number))
}

/// The messages of a batch, by the partition that they go to.
type Parts = BTreeMap<u16, Vec<MessageRow>>;

fn parts(spec: &AppendBatchSpec, partitions: Partitions, version: Version) -> Parts {
    let mut parts = Parts::new();
    if partitions == Partitions::ONE {
        parts.insert(0, spec.messages.iter().map(MessageRow::of).collect());
        return parts;
    }
    for message in spec.messages.iter() {
        let partition = partitions.of(message.key.as_ref(), version);
        parts.entry(partition).or_default().push(MessageRow::of(message));
    }
    parts
}

fn append(
    tx: &mut Tx<'_>,
    spec: &AppendBatchSpec,
    (parts, schema): (Parts, Option<u64>),
    first: &TailRow,
) -> Result<AppendBatchOutcome, Abort> {
    let mut tails = Vec::with_capacity(parts.len());
    for partition in parts.keys() {
        tails.push(Sequence::new(&spec.topic, *partition).tail(tx, first.clone())?);
    }
    let siblings = parts.keys().zip(&tails);
    let siblings =
        siblings.map(|(partition, tail)| Sibling { partition: *partition, base: tail.last + 1 });
    let siblings = (parts.len() > 1).then(|| siblings.collect::<Vec<_>>());
    let mut ranges = Vec::with_capacity(parts.len());
    for ((partition, messages), tail) in parts.into_iter().zip(tails) {
        let sequence = Sequence::new(&spec.topic, partition);
        let beside = Beside { siblings: siblings.clone(), schema };
        let run = sequence.push(tx, tail, messages, beside)?;
        ranges.push(range(partition, run.base, run.row.messages.len()));
    }
    Ok(outcome(spec, Batch { version: tx.version(), time: tx.now(), ranges }, false))
}

/// Where a batch is, and since when.
struct Batch {
    version: Version,
    time: LogTime,
    ranges: Vec<OffsetRange>,
}

/// A message of the batch whose id is used.
struct Known {
    index: usize,
    identity: Identity,
    place: PlaceRow,
}

impl Known {
    fn differs(&self, spec: &AppendBatchSpec) -> AppendBatchRefusal {
        AppendBatchRefusal::BatchDiffers {
            topic: spec.topic.clone(),
            index: self.index,
            identity: self.identity.clone(),
            partition: self.place.partition,
            offset: self.place.offset,
        }
    }
}

fn first_known(tx: &Tx<'_>, spec: &AppendBatchSpec) -> Result<Option<Known>, Abort> {
    let named = || {
        let all = spec.messages.iter().zip(0..);
        all.filter_map(|(message, index)| Some((index, message.identity()?)))
    };
    if named().next().is_none() {
        return Ok(None);
    }
    let ids = Ids::of(tx, &spec.topic)?;
    for (index, identity) in named() {
        if index > 0 && planted!(BatchKnownByItsFirst) {
            break;
        }
        if let Some(place) = ids.find(tx, &identity)? {
            return Ok(Some(Known { index, identity, place }));
        }
    }
    Ok(None)
}

/// One message is there: all of them, side by side?
fn existing(
    tx: &Tx<'_>,
    spec: &AppendBatchSpec,
    known: &Known,
    first: &TailRow,
) -> Result<AppendBatchOutcome, Stop<AppendBatchRefusal>> {
    let PlaceRow { partition, offset } = known.place;
    let run = Sequence::new(&spec.topic, partition).holding(tx, offset)?;
    let asked = MessageRow::of(&spec.messages[known.index]);
    if let Some(field) = run.at(offset)?.message.differs(&asked) {
        let (topic, index, identity) = (spec.topic.clone(), known.index, known.identity.clone());
        let exists =
            AppendBatchRefusal::MessageExists { topic, index, identity, partition, offset, field };
        return Err(Stop::Refused(exists));
    }
    // Messages without a key went where the transaction sent them that appended the batch.
    let parts = parts(spec, first.partitions, run.row.version);
    let found = if parts.len() == 1 {
        side_by_side(tx, spec, &parts, known, first)?
    } else {
        siblings(tx, spec, &parts, &run)?
    };
    match found {
        Some(batch) => Ok(outcome(spec, batch, true)),
        None => Err(Stop::Refused(known.differs(spec))),
    }
}

/// Where a batch is that went to several partitions: under the rows that were written
/// with the one that is known.
fn siblings(
    tx: &Tx<'_>,
    spec: &AppendBatchSpec,
    parts: &Parts,
    run: &Run,
) -> Result<Option<Batch>, Abort> {
    let siblings = run.row.siblings.as_deref().unwrap_or_default();
    if !siblings.iter().map(|sibling| &sibling.partition).eq(parts.keys()) {
        return Ok(None);
    }
    let mut ranges = Vec::with_capacity(parts.len());
    for (&Sibling { partition, base }, messages) in siblings.iter().zip(parts.values()) {
        let sequence = Sequence::new(&spec.topic, partition);
        if base < sequence.head(tx)?.first {
            return Ok(None);
        }
        let there = sequence.starting(tx, base)?;
        if there.row.messages != *messages {
            return Ok(None);
        }
        ranges.push(range(partition, base, messages.len()));
    }
    let MessagesRow { version, time, .. } = run.row;
    Ok(Some(Batch { version, time, ranges }))
}

/// Where a batch is that went to one partition, in one row or in several.
fn side_by_side(
    tx: &Tx<'_>,
    spec: &AppendBatchSpec,
    parts: &Parts,
    known: &Known,
    first: &TailRow,
) -> Result<Option<Batch>, Abort> {
    let (partition, messages) = parts.first_key_value().expect("a batch has a message");
    let sequence = Sequence::new(&spec.topic, *partition);
    let first_there = sequence.head(tx)?.first;
    let begin = known.place.offset.checked_sub(known.index as u64);
    let begin = begin.filter(|begin| *begin >= first_there);
    let (Some(begin), true) = (begin, known.place.partition == *partition) else {
        return Ok(None);
    };
    let last = sequence.tail(tx, first.clone())?.last;
    let (mut rest, mut next, mut when) = (&messages[..], begin, None);
    while !rest.is_empty() {
        if next > last {
            return Ok(None);
        }
        let run = sequence.holding(tx, next)?;
        let stored = run.messages_from(next);
        let count = stored.len().min(rest.len());
        if stored[..count] != rest[..count] {
            return Ok(None);
        }
        rest = &rest[count..];
        next = run.end();
        when.get_or_insert((run.row.version, run.row.time));
    }
    let ranges = vec![range(*partition, begin, messages.len())];
    Ok(when.map(|(version, time)| Batch { version, time, ranges }))
}

fn range(partition: u16, first_offset: u64, count: usize) -> OffsetRange {
    OffsetRange { partition, first_offset, last_offset: first_offset + count as u64 - 1 }
}

fn outcome(spec: &AppendBatchSpec, batch: Batch, existed: bool) -> AppendBatchOutcome {
    AppendBatchOutcome {
        outcome: Appended::Appended,
        existed,
        topic: spec.topic.clone(),
        ranges: batch.ranges,
        version: batch.version.get(),
        time: batch.time,
    }
}
