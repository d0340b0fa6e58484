//! `queues.delete`: a queue goes, with its dead letters.
//!
//! The messages stay in the topic. Who has some of them out is told, with the next receipt,
//! that there is no such queue.

use holdfast_state::{
    Id, Stop, Tx,
    command::{Command, Method, Refusal, RefusalInfo, Write},
    table::Table as _,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    row::{DeadLetters, Deliveries, Due, Queues, Redriven, Standings},
    standing::Name,
};
use crate::topics::{delete::Deleted, delete_all, floor, refusals::QUEUE_NOT_FOUND};

/// The command.
#[derive(Debug)]
pub struct DeleteQueue;

/// Which queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteQueueSpec {
    /// The topic's id.
    pub topic: Id,
    /// The queue's id.
    pub queue: Id,
}

/// The queue is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DeleteQueueOutcome {
    /// Always the same.
    pub outcome: Deleted,
    /// The topic's id.
    pub topic: Id,
    /// The queue's id.
    pub queue: Id,
    /// How many messages were out, or waited to be given out again.
    pub out: u64,
    /// How many dead letters went with it.
    pub dead: u64,
}

/// Why a queue is not deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum DeleteQueueRefusal {
    /// There is no such queue.
    QueueNotFound {
        /// The topic.
        topic: Id,
        /// The queue.
        queue: Id,
    },
}

impl Refusal for DeleteQueueRefusal {
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

impl Command for DeleteQueue {
    const NAME: &'static str = "queues.delete";
    const SUMMARY: &'static str = "Deletes a queue, with its dead letters.";
    const METHOD: Method = Method::Delete;
    const PATH: &'static str = "/v1/topics/{topic}/queues/{queue}";
    type Spec = DeleteQueueSpec;
    type Outcome = DeleteQueueOutcome;
    type Refusal = DeleteQueueRefusal;
}

impl Write for DeleteQueue {
    fn run(
        tx: &mut Tx<'_>,
        spec: &DeleteQueueSpec,
    ) -> Result<DeleteQueueOutcome, Stop<DeleteQueueRefusal>> {
        let name = Name { topic: &spec.topic, queue: &spec.queue };
        let (topic, queue) = (spec.topic.clone(), spec.queue.clone());
        if name.settings(tx)?.is_none() {
            return Err(Stop::Refused(DeleteQueueRefusal::QueueNotFound { topic, queue }));
        }
        let standing = name.standing(tx)?;
        floor::raise(tx, standing.deliveries)?;
        let tables =
            [Queues::ID, Standings::ID, Deliveries::ID, Due::ID, DeadLetters::ID, Redriven::ID];
        delete_all(tx, &tables, &(topic.as_str(), queue.as_str()))?;
        let (out, dead) = (standing.out, standing.dead);
        Ok(DeleteQueueOutcome { outcome: Deleted::Deleted, topic, queue, out, dead })
    }
}
