//! `topics.get`: a topic; and [`Topic`], which every command about topics answers with.

use holdfast_state::{
    Abort, Id, LogTime, Metadata, Read, Stop,
    command::{Command, Method, Query, Refusal, RefusalInfo},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    refusals::TOPIC_NOT_FOUND,
    row::{TailRow, TopicRow, Topics},
    sequence::tail_of,
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

/// A topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Topic {
    /// Its id.
    pub id: Id,
    /// Offset of its last message: how many were ever appended.
    pub last_offset: u64,
    /// The transaction that created it.
    pub version: u64,
    /// When it was created.
    pub created_at: LogTime,
    /// The caller's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

impl Topic {
    /// The topic `id`, with its end looked up.
    pub(super) fn of(state: &impl Read, id: &Id, row: TopicRow) -> Result<Self, Abort> {
        Ok(Self::with_tail(id, row, &tail_of(state, id)?))
    }

    pub(super) fn with_tail(id: &Id, row: TopicRow, tail: &TailRow) -> Self {
        Self {
            id: id.clone(),
            last_offset: tail.last,
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
    const SUMMARY: &'static str = "Shows a topic and where it ends.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/topics/{id}";
    type Spec = GetTopicSpec;
    type Outcome = Topic;
    type Refusal = GetTopicRefusal;
}

impl Query for GetTopic {
    fn run(state: &impl Read, spec: &GetTopicSpec) -> Result<Topic, Stop<GetTopicRefusal>> {
        let row = state.get::<Topics>(spec.id.as_str())?;
        let refusal = || GetTopicRefusal::TopicNotFound { topic: spec.id.clone() };
        let row = row.ok_or_else(|| Stop::Refused(refusal()))?;
        Ok(Topic::of(state, &spec.id, row)?)
    }
}
