//! `queues.dead_letters`: Lists the dead letters of a queue.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::queues::Letter,
    command::{Command, Kind, Method, Target, encode},
};

/// Which page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListDeadLettersSpec {
    /// The topic's id.
    pub topic: String,
    /// The queue's id.
    pub queue: String,
    /// `next` of the page before; absent for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// How many letters at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

impl ListDeadLettersSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(topic: impl Into<String>, queue: impl Into<String>) -> Self {
        Self { topic: topic.into(), queue: queue.into(), cursor: None, limit: None }
    }
}

/// A page of dead letters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DeadLettersPage {
    /// The letters, by partition and offset.
    pub letters: Vec<Letter>,
    /// Cursor of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl Command for ListDeadLettersSpec {
    type Outcome = DeadLettersPage;
    const NAME: &'static str = "queues.dead_letters";
    const KIND: Kind = Kind::Query;
    const METHOD: Method = Method::Get;

    fn target(&self) -> String {
        Target::at(format!(
            "/v1/topics/{}/queues/{}/dead-letters",
            encode(&self.topic),
            encode(&self.queue)
        ))
        .field("cursor", &self.cursor)
        .field("limit", &self.limit)
        .finish()
    }
}
