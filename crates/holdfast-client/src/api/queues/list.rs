//! `queues.list`: Lists the queues of a topic in the order of their ids.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    command::{Command, Kind, Method, Target, encode},
    json::Json,
    lifetime::Lifetime,
};

/// Which page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListQueuesSpec {
    /// The topic's id.
    pub topic: String,
    /// `next` of the page before; absent for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// How many queues at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

impl ListQueuesSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(topic: impl Into<String>) -> Self {
        Self { topic: topic.into(), cursor: None, limit: None }
    }
}

/// A page of queues.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct QueuesPage {
    /// The queues, by id.
    pub queues: Vec<Queue>,
    /// Cursor of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A queue, without how far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Queue {
    /// The topic's id.
    pub topic: String,
    /// The queue's id.
    pub id: String,
    /// How long a message that was given out stays out of sight.
    pub visibility: Lifetime,
    /// How often a message is given out before it is a dead letter.
    pub max_deliveries: u32,
    /// The transaction that created it.
    pub version: u64,
    /// When it was created.
    pub created_at: String,
    /// How long after its append a message is given out for the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<Lifetime>,
    /// The caller's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Json>,
}

impl Command for ListQueuesSpec {
    type Outcome = QueuesPage;
    const NAME: &'static str = "queues.list";
    const KIND: Kind = Kind::Query;
    const METHOD: Method = Method::Get;

    fn target(&self) -> String {
        Target::at(format!("/v1/topics/{}/queues", encode(&self.topic)))
            .field("cursor", &self.cursor)
            .field("limit", &self.limit)
            .finish()
    }
}
