//! `topics.delete`: a topic goes, with its messages, groups and queues.
//!
//! However much there is of it, it is a fact for each table. A topic that is created under
//! the same id later is another one: its offsets begin with 1, and it knows no group, queue
//! or message id of the first.

use holdfast_state::{
    Id, Read as _, Stop, TableId, Tx,
    command::{Command, Method, Refusal, RefusalInfo, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{TABLES, delete_all, floor, refusals::TOPIC_NOT_FOUND, row::Topics};

/// The command.
#[derive(Debug)]
pub struct DeleteTopic;

/// Which topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteTopicSpec {
    /// Its id.
    pub id: Id,
}

/// The topic is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DeleteTopicOutcome {
    /// Always the same.
    pub outcome: Deleted,
    /// The topic's id.
    pub id: Id,
}

/// What a command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Deleted {
    /// What was named is gone.
    Deleted,
}

/// Why a topic is not deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum DeleteTopicRefusal {
    /// There is no such topic.
    TopicNotFound {
        /// Its id.
        topic: Id,
    },
}

impl Refusal for DeleteTopicRefusal {
    const ALL: &'static [RefusalInfo] = &[TOPIC_NOT_FOUND];

    fn code(&self) -> &'static str {
        match self {
            Self::TopicNotFound { .. } => TOPIC_NOT_FOUND.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/id")
    }
}

impl Command for DeleteTopic {
    const NAME: &'static str = "topics.delete";
    const SUMMARY: &'static str = "Deletes a topic, with its messages, groups and queues.";
    const METHOD: Method = Method::Delete;
    const PATH: &'static str = "/v1/topics/{id}";
    type Spec = DeleteTopicSpec;
    type Outcome = DeleteTopicOutcome;
    type Refusal = DeleteTopicRefusal;
}

impl Write for DeleteTopic {
    fn run(
        tx: &mut Tx<'_>,
        spec: &DeleteTopicSpec,
    ) -> Result<DeleteTopicOutcome, Stop<DeleteTopicRefusal>> {
        if tx.get::<Topics>(spec.id.as_str())?.is_none() {
            let topic = spec.id.clone();
            return Err(Stop::Refused(DeleteTopicRefusal::TopicNotFound { topic }));
        }
        floor::raise(tx, floor::above_all(tx.version()))?;
        // Timers that are set find nothing, or another version, and end.
        let tables: Vec<TableId> = TABLES.iter().map(|(table, _)| *table).collect();
        delete_all(tx, &tables, &(spec.id.as_str(),))?;
        Ok(DeleteTopicOutcome { outcome: Deleted::Deleted, id: spec.id.clone() })
    }
}
