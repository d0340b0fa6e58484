//! `queues.dead_letters`: the dead letters of a queue, by partition and offset, page by
//! page; and [`Letter`], which is how dead letters are shown.
//!
//! A page ends at its limit, or soon after it has come to 1 MiB.

use holdfast_state::{
    Abort, Id, LogTime, Metadata, Read, Stop,
    command::{Command, Method, Query, Refusal, RefusalInfo},
    page::{PageSize, bad_key, page},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    receipt::LetterId,
    row::{DeadLetters, LetterRow, Reason},
    standing::Name,
};
use crate::topics::{
    read::{Message, PAGE_BYTES},
    refusals::QUEUE_NOT_FOUND,
};

/// The command.
#[derive(Debug)]
pub struct ListDeadLetters;

/// Which page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListDeadLettersSpec {
    /// The topic's id.
    pub topic: Id,
    /// The queue's id.
    pub queue: Id,
    /// `next` of the page before; absent for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<LetterId>,
    /// How many letters at most.
    #[serde(default)]
    pub limit: PageSize,
}

/// A page of dead letters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DeadLettersPage {
    /// The letters, by partition and offset.
    pub letters: Vec<Letter>,
    /// Cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<LetterId>,
}

/// A dead letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Letter {
    /// What names it.
    pub letter: LetterId,
    /// Why it died last.
    pub reason: Reason,
    /// How often it was given out, over all its lives.
    pub attempts: u64,
    /// When it died last.
    pub died_at: LogTime,
    /// What the consumer said that rejected it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<Metadata>,
    /// When it was edited last; absent when it says what was appended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<LogTime>,
    /// How often it was redriven.
    pub redriven: u32,
    /// The partition it is in.
    pub partition: u16,
    /// The message as it would be given out again.
    #[serde(flatten)]
    pub message: Message,
}

impl Letter {
    pub(super) fn of(id: LetterId, row: &LetterRow) -> Self {
        Self {
            letter: id,
            reason: row.reason,
            attempts: row.attempts,
            died_at: row.died_at,
            note: row.note.clone(),
            edited_at: row.edited_at,
            redriven: row.redriven,
            partition: id.partition,
            message: row.shown(id.offset),
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum ListDeadLettersRefusal {
    /// The queue was never created.
    QueueNotFound {
        /// The topic.
        topic: Id,
        /// The queue.
        queue: Id,
    },
}

impl Refusal for ListDeadLettersRefusal {
    const ALL: &'static [RefusalInfo] = &[QUEUE_NOT_FOUND];

    fn code(&self) -> &'static str {
        match self {
            Self::QueueNotFound { .. } => QUEUE_NOT_FOUND.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/queue")
    }
}

impl Command for ListDeadLetters {
    const NAME: &'static str = "queues.dead_letters";
    const SUMMARY: &'static str = "Lists the dead letters of a queue.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/topics/{topic}/queues/{queue}/dead-letters";
    type Spec = ListDeadLettersSpec;
    type Outcome = DeadLettersPage;
    type Refusal = ListDeadLettersRefusal;
}

impl Query for ListDeadLetters {
    fn run(
        state: &impl Read,
        spec: &ListDeadLettersSpec,
    ) -> Result<DeadLettersPage, Stop<ListDeadLettersRefusal>> {
        let name = Name { topic: &spec.topic, queue: &spec.queue };
        if name.settings(state)?.is_none() {
            let (topic, queue) = (spec.topic.clone(), spec.queue.clone());
            return Err(Stop::Refused(ListDeadLettersRefusal::QueueNotFound { topic, queue }));
        }
        let page = first_letters(state, name, spec.cursor, spec.limit)?;
        let letters: Vec<_> = page.rows.iter().map(|(id, row)| Letter::of(*id, row)).collect();
        let next = letters.last().filter(|_| page.more).map(|letter| letter.letter);
        Ok(DeadLettersPage { letters, next })
    }
}

/// Dead letters of a queue, in order, and whether more follow.
pub(super) struct FirstLetters {
    pub(super) rows: Vec<(LetterId, LetterRow)>,
    more: bool,
}

/// The dead letters after this one, or the first: as many as asked, or fewer where they
/// are large.
pub(super) fn first_letters(
    state: &impl Read,
    name: Name<'_>,
    mut after: Option<LetterId>,
    limit: PageSize,
) -> Result<FirstLetters, Abort> {
    let (topic, queue) = (name.topic.as_str(), name.queue.as_str());
    let (mut rows, mut bytes, mut more) = (Vec::new(), 0, true);
    while more && rows.len() < limit.rows() && bytes < PAGE_BYTES {
        let cursor = after.map(|id| (topic, queue, (id.partition, id.offset)));
        let page =
            page::<DeadLetters>(state, &(topic, queue), cursor, step(limit.rows() - rows.len()))?;
        more = page.more;
        for found in page.rows {
            let mut key = found.key();
            let place = key.str().and_then(|_| key.str()).and_then(|_| key.u16());
            let place = place.and_then(|partition| Ok(LetterId { partition, offset: key.u64()? }));
            let id = place.map_err(|_| bad_key::<DeadLetters>())?;
            bytes += found.row.message.data.as_str().len();
            after = Some(id);
            rows.push((id, found.row));
        }
    }
    Ok(FirstLetters { rows, more })
}

/// Rows that are read at once: few, since each may have 64 KiB.
fn step(wanted: usize) -> PageSize {
    let step = u32::try_from(wanted.min(16)).ok().and_then(PageSize::new);
    step.expect("at least one is wanted, and at most 16 are")
}
