//! `queues.list`: the queues of a topic, by id, page by page.

use holdfast_state::{
    Id, Read, Stop,
    command::{Command, Method, Query, Refusal, RefusalInfo},
    page::{PageSize, bad_key, page},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{create::Queue, row::Queues, standing::Name};
use crate::topics::{refusals::TOPIC_NOT_FOUND, sequence::first_tail};

/// The command.
#[derive(Debug)]
pub struct ListQueues;

/// Which page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListQueuesSpec {
    /// The topic's id.
    pub topic: Id,
    /// `next` of the page before; absent for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Id>,
    /// How many queues at most.
    #[serde(default)]
    pub limit: PageSize,
}

/// A page of queues.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct QueuesPage {
    /// The queues, by id.
    pub queues: Vec<Queue>,
    /// Cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Id>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum ListQueuesRefusal {
    /// The topic was never created.
    TopicNotFound {
        /// Its id.
        topic: Id,
    },
}

impl Refusal for ListQueuesRefusal {
    const ALL: &'static [RefusalInfo] = &[TOPIC_NOT_FOUND];

    fn code(&self) -> &'static str {
        match self {
            Self::TopicNotFound { .. } => TOPIC_NOT_FOUND.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/topic")
    }
}

impl Command for ListQueues {
    const NAME: &'static str = "queues.list";
    const SUMMARY: &'static str = "Lists the queues of a topic in the order of their ids.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/topics/{topic}/queues";
    type Spec = ListQueuesSpec;
    type Outcome = QueuesPage;
    type Refusal = ListQueuesRefusal;
}

impl Query for ListQueues {
    fn run(
        state: &impl Read,
        spec: &ListQueuesSpec,
    ) -> Result<QueuesPage, Stop<ListQueuesRefusal>> {
        let topic = spec.topic.as_str();
        if first_tail(state, &spec.topic)?.is_none() {
            let topic = spec.topic.clone();
            return Err(Stop::Refused(ListQueuesRefusal::TopicNotFound { topic }));
        }
        let cursor = spec.cursor.as_ref().map(|queue| (topic, queue.as_str()));
        let page = page::<Queues>(state, &(topic,), cursor, spec.limit)?;
        let mut queues = Vec::with_capacity(page.rows.len());
        for found in page.rows {
            let mut key = found.key();
            let queue = key.str().and_then(|_| key.id()).map_err(|_| bad_key::<Queues>())?;
            queues.push(Queue::of(Name { topic: &spec.topic, queue: &queue }, found.row));
        }
        let next = queues.last().filter(|_| page.more).map(|queue| queue.id.clone());
        Ok(QueuesPage { queues, next })
    }
}
