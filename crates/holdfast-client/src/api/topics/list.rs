//! `topics.list`: Lists topics in the order of their ids.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::topics::Retention,
    command::{Command, Kind, Method, Target},
    json::Json,
};

/// Which page.
#[derive(Clone, Default, Debug, PartialEq, Eq, Serialize)]
pub struct ListTopicsSpec {
    /// `next` of the page before; absent for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// How many topics at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// A page of topics.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TopicsPage {
    /// The topics, by id.
    pub topics: Vec<Topic>,
    /// Cursor of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Topic {
    /// Its id.
    pub id: String,
    /// How many partitions it has.
    pub partitions: u64,
    /// The transaction that created it, or changed it last.
    pub version: u64,
    /// When it was created.
    pub created_at: String,
    /// The caller's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Json>,
    /// What is kept of each of them; absent when everything is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
}

impl Command for ListTopicsSpec {
    type Outcome = TopicsPage;
    const NAME: &'static str = "topics.list";
    const KIND: Kind = Kind::Query;
    const METHOD: Method = Method::Get;

    fn target(&self) -> String {
        Target::at("/v1/topics").field("cursor", &self.cursor).field("limit", &self.limit).finish()
    }
}
