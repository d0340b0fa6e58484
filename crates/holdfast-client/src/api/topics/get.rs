//! `topics.get`: Shows a topic and where its partitions begin and end.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::topics::Retention,
    command::{Command, Kind, Method, encode},
    json::Json,
};

/// Which topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GetTopicSpec {
    /// Its id.
    pub id: String,
}

impl GetTopicSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into() }
    }
}

/// A topic, and where it begins and ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TopicEnds {
    /// Its id.
    pub id: String,
    /// How many partitions it has.
    pub partitions: u64,
    /// The transaction that created it, or changed it last.
    pub version: u64,
    /// When it was created.
    pub created_at: String,
    /// Offset of the last message of each partition, by its number: how many were ever
    /// appended to it.
    pub last_offsets: Vec<u64>,
    /// Offset of the first message that is there, or will be, of each partition: what lay
    /// before it was removed.
    pub first_offsets: Vec<u64>,
    /// How large the messages are that are there, together: ids, keys, types and data, and
    /// 64 bytes for each append.
    pub bytes: u64,
    /// The caller's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Json>,
    /// What is kept of each of them; absent when everything is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
}

impl Command for GetTopicSpec {
    type Outcome = TopicEnds;
    const NAME: &'static str = "topics.get";
    const KIND: Kind = Kind::Query;
    const METHOD: Method = Method::Get;

    fn target(&self) -> String {
        format!("/v1/topics/{}", encode(&self.id))
    }
}
