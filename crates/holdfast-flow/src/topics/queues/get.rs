//! `queues.get`: a queue, and where its messages are.

use holdfast_state::{
    Abort, Id, LogTime, Read, Stop,
    command::{Command, Method, Query, Refusal, RefusalInfo},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{create::Queue, row::StandingRow, standing::Name};
use crate::topics::{
    refusals::QUEUE_NOT_FOUND,
    sequence::{Sequence, doubt, first_tail},
};

/// The command.
#[derive(Debug)]
pub struct GetQueue;

/// Which queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetQueueSpec {
    /// The topic's id.
    pub topic: Id,
    /// The queue's id.
    pub queue: Id,
}

/// A queue, and where its messages are: those that are in none of these places are done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct QueueStanding {
    /// The queue.
    #[serde(flatten)]
    pub queue: Queue,
    /// How many were not given out yet.
    pub waiting: u64,
    /// How many are out, or wait to be given out again.
    pub out: u64,
    /// How many are dead letters.
    pub dead: u64,
    /// How many were removed from the topic before they were done. Those that were out are
    /// counted when somebody next asks for them.
    pub lost: u64,
    /// When the first of those that are out comes, or came, into sight again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_due_at: Option<LogTime>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum GetQueueRefusal {
    /// The queue was never created.
    QueueNotFound {
        /// The topic.
        topic: Id,
        /// The queue.
        queue: Id,
    },
}

impl Refusal for GetQueueRefusal {
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

impl Command for GetQueue {
    const NAME: &'static str = "queues.get";
    const SUMMARY: &'static str = "Shows a queue and where its messages are.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/topics/{topic}/queues/{queue}";
    type Spec = GetQueueSpec;
    type Outcome = QueueStanding;
    type Refusal = GetQueueRefusal;
}

impl Query for GetQueue {
    fn run(state: &impl Read, spec: &GetQueueSpec) -> Result<QueueStanding, Stop<GetQueueRefusal>> {
        let name = Name { topic: &spec.topic, queue: &spec.queue };
        let (topic, queue) = (spec.topic.clone(), spec.queue.clone());
        let not_found = || Stop::Refused(GetQueueRefusal::QueueNotFound { topic, queue });
        let row = name.settings(state)?.ok_or_else(not_found)?;
        let standing = name.standing(state)?;
        let next = name.first_due(state, &standing, LogTime::MAX)?;
        let (waiting, lost) = waiting(state, name, &standing)?;
        Ok(QueueStanding {
            queue: Queue::of(name, row),
            waiting,
            out: standing.out,
            dead: standing.dead,
            lost: standing.lost + lost,
            next_due_at: next.map(|(time, _)| time),
        })
    }
}

/// How many messages wait to be given out for the first time, and how many waited and were
/// removed.
fn waiting(state: &impl Read, name: Name<'_>, standing: &StandingRow) -> Result<(u64, u64), Abort> {
    let first = first_tail(state, name.topic)?;
    let first = first.ok_or_else(|| doubt(format!("{name:?} has no topic")))?;
    let (mut waiting, mut lost) = (0, 0);
    for (partition, cursor) in first.partitions.all().zip(&standing.cursors) {
        let sequence = Sequence::new(name.topic, partition);
        let removed = sequence.head(state)?.removed();
        lost += removed.saturating_sub(*cursor);
        waiting += sequence.tail(state, first.clone())?.last.saturating_sub(removed.max(*cursor));
    }
    Ok((waiting, lost))
}
