//! `topics.get`: a topic and where its partitions begin and end; and [`Topic`], which is how topics
//! are shown.

use holdfast_state::{
    Id, LogTime, Metadata, Read, Stop,
    command::{Command, Method, Query, Refusal, RefusalInfo},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    partition::Partitions,
    refusals::TOPIC_NOT_FOUND,
    retention::Retention,
    row::{Tails, TopicRow, Topics},
    sequence::{Sequence, doubt},
};

/// The command.
#[derive(Debug)]
pub struct GetTopic;

/// Which topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetTopicSpec {
    /// Its id.
    pub id: Id,
}

/// A topic, and where it begins and ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TopicEnds {
    /// The topic.
    #[serde(flatten)]
    pub topic: Topic,
    /// Offset of the last message of each partition, by its number: how many were ever
    /// appended to it.
    pub last_offsets: Vec<u64>,
    /// Offset of the first message that is there, or will be, of each partition: what lay
    /// before it was removed.
    pub first_offsets: Vec<u64>,
    /// How large the messages are that are there, together: ids, keys, types and data, and
    /// 64 bytes for each append.
    pub bytes: u64,
}

/// A topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Topic {
    /// Its id.
    pub id: Id,
    /// How many partitions it has.
    pub partitions: Partitions,
    /// What is kept of each of them; absent when everything is.
    #[serde(skip_serializing_if = "Retention::is_for_ever")]
    pub retention: Retention,
    /// The transaction that created it, or changed it last.
    pub version: u64,
    /// When it was created.
    pub created_at: LogTime,
    /// The caller's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

impl Topic {
    pub(super) fn of(id: &Id, row: TopicRow) -> Self {
        Self {
            id: id.clone(),
            partitions: row.partitions,
            retention: row.retention,
            version: row.version.get(),
            created_at: row.created_at,
            metadata: row.metadata,
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum GetTopicRefusal {
    /// It was never created.
    TopicNotFound {
        /// Its id.
        topic: Id,
    },
}

impl Refusal for GetTopicRefusal {
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

impl Command for GetTopic {
    const NAME: &'static str = "topics.get";
    const SUMMARY: &'static str = "Shows a topic and where its partitions begin and end.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/topics/{id}";
    type Spec = GetTopicSpec;
    type Outcome = TopicEnds;
    type Refusal = GetTopicRefusal;
}

impl Query for GetTopic {
    fn run(state: &impl Read, spec: &GetTopicSpec) -> Result<TopicEnds, Stop<GetTopicRefusal>> {
        let row = state.get::<Topics>(spec.id.as_str())?;
        let refusal = || GetTopicRefusal::TopicNotFound { topic: spec.id.clone() };
        let row = row.ok_or_else(|| Stop::Refused(refusal()))?;
        let (mut last_offsets, mut first_offsets, mut bytes) = (Vec::new(), Vec::new(), 0);
        for partition in row.partitions.all() {
            let tail = state.get::<Tails>((spec.id.as_str(), partition))?;
            let none = || doubt(format!("partition {partition} of {} has no tail", spec.id));
            let tail = tail.ok_or_else(none)?;
            let head = Sequence::new(&spec.id, partition).head(state)?;
            last_offsets.push(tail.last);
            first_offsets.push(head.first);
            bytes += tail.bytes - head.bytes;
        }
        Ok(TopicEnds { topic: Topic::of(&spec.id, row), last_offsets, first_offsets, bytes })
    }
}
