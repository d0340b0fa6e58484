//! `topics.append_batch`: several messages at the end of a topic, all or none, with
//! nothing between them.
//!
//! They are stored as one row, so a batch costs little more than a message. Repeated
//! as a whole it has the same outcome, if one of its messages has an id by which it is
//! known again. A batch of which some messages are in the topic and others are not, or
//! elsewhere, is refused.

use holdfast_state::{
    Abort, Id, LogTime, Read as _, Stop, Tx,
    command::{Command, Method, Refusal, RefusalInfo, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    append::Appended,
    messages::Messages,
    refusals::{BATCH_DIFFERS, MESSAGE_EXISTS, TOPIC_NOT_FOUND},
    row::{MessageRow, Tails},
    sequence::{Run, place_of, push},
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
    /// Place of the first message; the others follow it.
    pub first_offset: u64,
    /// Place of the last message.
    pub last_offset: u64,
    /// The transaction that appended the first.
    pub version: u64,
    /// When.
    pub time: LogTime,
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
        /// Its id.
        id: Id,
        /// Where the message is that has it.
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
        /// Its id.
        id: Id,
        /// Where it is.
        offset: u64,
    },
}

impl Refusal for AppendBatchRefusal {
    const ALL: &'static [RefusalInfo] = &[TOPIC_NOT_FOUND, MESSAGE_EXISTS, BATCH_DIFFERS];

    fn code(&self) -> &'static str {
        match self {
            Self::TopicNotFound { .. } => TOPIC_NOT_FOUND.code,
            Self::MessageExists { .. } => MESSAGE_EXISTS.code,
            Self::BatchDiffers { .. } => BATCH_DIFFERS.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some(match self {
            Self::TopicNotFound { .. } => "/topic",
            Self::MessageExists { .. } | Self::BatchDiffers { .. } => "/id",
        })
    }

    fn element(&self) -> Option<String> {
        match self {
            Self::TopicNotFound { .. } => None,
            Self::MessageExists { index, .. } | Self::BatchDiffers { index, .. } => {
                Some(format!("/messages/{index}"))
            }
        }
    }
}

impl Command for AppendBatch {
    const NAME: &'static str = "topics.append_batch";
    const SUMMARY: &'static str = "Appends several messages to a topic, all or none.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/topics/{topic}/batches";
    type Spec = AppendBatchSpec;
    type Outcome = AppendBatchOutcome;
    type Refusal = AppendBatchRefusal;
}

impl Write for AppendBatch {
    fn run(
        tx: &mut Tx<'_>,
        spec: &AppendBatchSpec,
    ) -> Result<AppendBatchOutcome, Stop<AppendBatchRefusal>> {
        let tail = tx.get::<Tails>(spec.topic.as_str())?;
        let not_found = || AppendBatchRefusal::TopicNotFound { topic: spec.topic.clone() };
        let tail = tail.ok_or_else(|| Stop::Refused(not_found()))?;
        let rows: Vec<MessageRow> = spec.messages.iter().map(MessageRow::of).collect();
        if let Some(known) = first_known(tx, &spec.topic, &rows)? {
            return existing(tx, spec, &rows, &known, tail.last);
        }
        let run = push(tx, &spec.topic, tail, rows)?;
        Ok(outcome(spec, &run, run.base, false))
    }
}

/// A message of the batch whose id is used.
struct Known {
    index: usize,
    id: Id,
    offset: u64,
}

fn first_known(tx: &Tx<'_>, topic: &Id, rows: &[MessageRow]) -> Result<Option<Known>, Abort> {
    for (index, row) in rows.iter().enumerate() {
        if let Some(id) = &row.id
            && let Some(offset) = place_of(tx, topic, id)?
        {
            return Ok(Some(Known { index, id: id.clone(), offset }));
        }
    }
    Ok(None)
}

/// One message is there: all of them, side by side?
fn existing(
    tx: &Tx<'_>,
    spec: &AppendBatchSpec,
    rows: &[MessageRow],
    known: &Known,
    last: u64,
) -> Result<AppendBatchOutcome, Stop<AppendBatchRefusal>> {
    let &Known { index, offset, .. } = known;
    let (topic, id) = (spec.topic.clone(), known.id.clone());
    let run = Run::holding(tx, &topic, offset)?;
    if let Some(field) = run.at(offset)?.message.differs(&rows[index]) {
        let exists = AppendBatchRefusal::MessageExists { topic, index, id, offset, field };
        return Err(Stop::Refused(exists));
    }
    let first = offset.checked_sub(index as u64).filter(|first| *first > 0);
    match first {
        Some(first) if same(tx, &topic, rows, first, last)? => {
            let run = Run::holding(tx, &topic, first)?;
            Ok(outcome(spec, &run, first, true))
        }
        Some(_) | None => {
            Err(Stop::Refused(AppendBatchRefusal::BatchDiffers { topic, index, id, offset }))
        }
    }
}

/// Are these the messages from offset `first` on?
fn same(
    tx: &Tx<'_>,
    topic: &Id,
    rows: &[MessageRow],
    first: u64,
    last: u64,
) -> Result<bool, Abort> {
    let mut rest = rows;
    let mut next = first;
    while !rest.is_empty() {
        if next > last {
            return Ok(false);
        }
        let run = Run::holding(tx, topic, next)?;
        let stored = run.messages_from(next);
        let count = stored.len().min(rest.len());
        if stored[..count] != rest[..count] {
            return Ok(false);
        }
        rest = &rest[count..];
        next = run.end();
    }
    Ok(true)
}

fn outcome(spec: &AppendBatchSpec, run: &Run, first: u64, existed: bool) -> AppendBatchOutcome {
    AppendBatchOutcome {
        outcome: Appended::Appended,
        existed,
        topic: spec.topic.clone(),
        first_offset: first,
        last_offset: first + spec.messages.len() as u64 - 1,
        version: run.row.version.get(),
        time: run.row.time,
    }
}
