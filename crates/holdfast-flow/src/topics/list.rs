//! `topics.list`: all topics, page by page, in the order of their ids.

use holdfast_state::{
    Id, Read, Stop,
    command::{Command, Method, Never, Query},
    page::{PageSize, bad_key, page},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{get::Topic, row::Topics};

/// The command.
#[derive(Debug)]
pub struct ListTopics;

/// Which page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListTopicsSpec {
    /// `next` of the page before; absent for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Id>,
    /// How many topics at most.
    #[serde(default)]
    pub limit: PageSize,
}

/// A page of topics.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TopicsPage {
    /// The topics, by id.
    pub topics: Vec<Topic>,
    /// Cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Id>,
}

impl Command for ListTopics {
    const NAME: &'static str = "topics.list";
    const SUMMARY: &'static str = "Lists topics in the order of their ids.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/topics";
    type Spec = ListTopicsSpec;
    type Outcome = TopicsPage;
    type Refusal = Never;
}

impl Query for ListTopics {
    fn run(state: &impl Read, spec: &ListTopicsSpec) -> Result<TopicsPage, Stop<Never>> {
        let cursor = spec.cursor.as_ref().map(Id::as_str);
        let page = page::<Topics>(state, &(), cursor, spec.limit)?;
        let mut topics = Vec::with_capacity(page.rows.len());
        for found in page.rows {
            let id = found.key().id().map_err(|_| bad_key::<Topics>())?;
            topics.push(Topic::of(&id, found.row));
        }
        let next = topics.last().filter(|_| page.more).map(|topic| topic.id.clone());
        Ok(TopicsPage { topics, next })
    }
}
