//! `queues.create`: a queue comes to be, at the beginning of its topic or at its end.
//!
//! Creating it again in the same words is the same queue; in other words it is refused.
//! Where it begins is not compared: the queue has gone on since.

use holdfast_state::{
    Abort, Id, Lifetime, LogTime, Metadata, Read as _, Stop, Tx,
    command::{Command, Method, Refusal, RefusalInfo, Write},
    unknown::Unknown,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    row::{QueueRow, Queues, StandingRow},
    settings::{Begin, Deliveries, Lasting, VISIBILITY},
    standing::Name,
};
use crate::topics::{
    floor::floor,
    refusals::{QUEUE_EXISTS, TOPIC_NOT_FOUND},
    row::{HeadRow, TailRow},
    sequence::{Sequence, first_tail},
};

/// The command.
#[derive(Debug)]
pub struct CreateQueue;

/// Which queue of which topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateQueueSpec {
    /// The topic's id.
    pub topic: Id,
    /// The queue's id, its own among the queues of the topic.
    pub id: Id,
    /// Where it begins; with the first message there is, when nothing is given.
    #[serde(default)]
    pub begin: Begin,
    /// How long a message that was given out stays out of sight; 30 seconds when nothing
    /// is given.
    #[serde(default = "visibility")]
    pub visibility: Lifetime,
    /// How often a message is given out before it is a dead letter; 10 times when nothing
    /// is given.
    #[serde(default)]
    pub max_deliveries: Deliveries,
    /// How long after its append a message is given out for the first time; at once when
    /// nothing is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<Lifetime>,
    /// The caller's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

const fn visibility() -> Lifetime {
    VISIBILITY
}

/// A queue, without how far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Queue {
    /// The topic's id.
    pub topic: Id,
    /// The queue's id.
    pub id: Id,
    /// How long a message that was given out stays out of sight.
    pub visibility: Lifetime,
    /// How often a message is given out before it is a dead letter.
    pub max_deliveries: u32,
    /// How long after its append a message is given out for the first time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<Lifetime>,
    /// The transaction that created it.
    pub version: u64,
    /// When it was created.
    pub created_at: LogTime,
    /// The caller's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

impl Queue {
    pub(super) fn of(name: Name<'_>, row: QueueRow) -> Self {
        Self {
            topic: name.topic.clone(),
            id: name.queue.clone(),
            visibility: row.visibility.0,
            max_deliveries: row.deliveries_max,
            delay: row.delay.map(|delay| delay.0),
            version: row.version.get(),
            created_at: row.created_at,
            metadata: row.metadata,
        }
    }
}

/// The queue is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CreateQueueOutcome {
    /// Always the same.
    pub outcome: QueueCreated,
    /// It had been created before, in the same words.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// The queue.
    #[serde(flatten)]
    pub queue: Queue,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum QueueCreated {
    /// The queue was created.
    Created,
}

/// Why a queue is not created, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum CreateQueueRefusal {
    /// The topic was never created.
    TopicNotFound {
        /// Its id.
        topic: Id,
    },
    /// It was created in other words.
    QueueExists {
        /// The topic.
        topic: Id,
        /// The queue.
        queue: Id,
        /// What differs.
        field: &'static str,
    },
}

impl Refusal for CreateQueueRefusal {
    const ALL: &'static [RefusalInfo] = &[TOPIC_NOT_FOUND, QUEUE_EXISTS];

    fn code(&self) -> &'static str {
        match self {
            Self::TopicNotFound { .. } => TOPIC_NOT_FOUND.code,
            Self::QueueExists { .. } => QUEUE_EXISTS.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some(match self {
            Self::TopicNotFound { .. } => "/topic",
            Self::QueueExists { .. } => "/id",
        })
    }
}

impl Command for CreateQueue {
    const NAME: &'static str = "queues.create";
    const SUMMARY: &'static str = "Creates a queue: messages of a topic, given out until done.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/topics/{topic}/queues";
    type Spec = CreateQueueSpec;
    type Outcome = CreateQueueOutcome;
    type Refusal = CreateQueueRefusal;
}

impl Write for CreateQueue {
    fn run(
        tx: &mut Tx<'_>,
        spec: &CreateQueueSpec,
    ) -> Result<CreateQueueOutcome, Stop<CreateQueueRefusal>> {
        let name = Name { topic: &spec.topic, queue: &spec.id };
        let first = first_tail(tx, &spec.topic)?;
        let not_found = || CreateQueueRefusal::TopicNotFound { topic: spec.topic.clone() };
        let first = first.ok_or_else(|| Stop::Refused(not_found()))?;
        let (row, existed) = match name.settings(tx)? {
            Some(row) => (row, true),
            None => (row(tx, spec), false),
        };
        if let Some(field) = differs(&row, spec) {
            let (topic, queue) = (spec.topic.clone(), spec.id.clone());
            return Err(Stop::Refused(CreateQueueRefusal::QueueExists { topic, queue, field }));
        }
        if !existed {
            let standing = StandingRow {
                deliveries: floor(tx)?,
                out: 0,
                dead: 0,
                cursors: cursors(tx, spec, &first)?,
                due_from: tx.now(),
                lost: 0,
                unknown: Unknown::default(),
            };
            tx.put::<Queues>((spec.topic.as_str(), spec.id.as_str()), &row)?;
            name.put_standing(tx, &standing)?;
        }
        let queue = Queue::of(name, row);
        Ok(CreateQueueOutcome { outcome: QueueCreated::Created, existed, queue })
    }
}

fn row(tx: &Tx<'_>, spec: &CreateQueueSpec) -> QueueRow {
    QueueRow {
        version: tx.version(),
        created_at: tx.now(),
        visibility: Lasting(spec.visibility),
        deliveries_max: spec.max_deliveries.get(),
        delay: spec.delay.map(Lasting),
        metadata: spec.metadata.clone(),
    }
}

/// The first field in which a queue is not what is asked for.
fn differs(row: &QueueRow, spec: &CreateQueueSpec) -> Option<&'static str> {
    match () {
        () if row.visibility != Lasting(spec.visibility) => Some("visibility"),
        () if row.deliveries_max != spec.max_deliveries.get() => Some("max_deliveries"),
        () if row.delay != spec.delay.map(Lasting) => Some("delay"),
        () if row.metadata != spec.metadata => Some("metadata"),
        () => None,
    }
}

fn cursors(tx: &Tx<'_>, spec: &CreateQueueSpec, first: &TailRow) -> Result<Vec<u64>, Abort> {
    let begin = |partition| match spec.begin {
        Begin::Beginning => Sequence::new(&spec.topic, partition).head(tx).map(HeadRow::removed),
        Begin::End => {
            Sequence::new(&spec.topic, partition).tail(tx, first.clone()).map(|tail| tail.last)
        }
    };
    first.partitions.all().map(begin).collect()
}
