//! `groups.list`: the groups of a topic, by id, page by page.

use holdfast_state::{
    Id, Read, Stop,
    command::{Command, Method, Query, Refusal, RefusalInfo},
    page::{PageSize, bad_key, page},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::row::Groups;
use crate::topics::{refusals::TOPIC_NOT_FOUND, sequence::first_tail};

/// The command.
#[derive(Debug)]
pub struct ListGroups;

/// Which page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListGroupsSpec {
    /// The topic's id.
    pub topic: Id,
    /// `next` of the page before; absent for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Id>,
    /// How many groups at most.
    #[serde(default)]
    pub limit: PageSize,
}

/// A page of groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GroupsPage {
    /// The groups, by id.
    pub groups: Vec<ListedGroup>,
    /// Cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Id>,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ListedGroup {
    /// Its id.
    pub group: Id,
    /// One more with every change of members, and with every seek.
    pub generation: u64,
    /// How many members it has.
    pub members: usize,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum ListGroupsRefusal {
    /// The topic was never created.
    TopicNotFound {
        /// Its id.
        topic: Id,
    },
}

impl Refusal for ListGroupsRefusal {
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

impl Command for ListGroups {
    const NAME: &'static str = "groups.list";
    const SUMMARY: &'static str = "Lists the groups of a topic in the order of their ids.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/topics/{topic}/groups";
    type Spec = ListGroupsSpec;
    type Outcome = GroupsPage;
    type Refusal = ListGroupsRefusal;
}

impl Query for ListGroups {
    fn run(
        state: &impl Read,
        spec: &ListGroupsSpec,
    ) -> Result<GroupsPage, Stop<ListGroupsRefusal>> {
        let topic = spec.topic.as_str();
        if first_tail(state, &spec.topic)?.is_none() {
            let topic = spec.topic.clone();
            return Err(Stop::Refused(ListGroupsRefusal::TopicNotFound { topic }));
        }
        let cursor = spec.cursor.as_ref().map(|group| (topic, group.as_str()));
        let page = page::<Groups>(state, &(topic,), cursor, spec.limit)?;
        let mut groups = Vec::with_capacity(page.rows.len());
        for found in page.rows {
            let mut key = found.key();
            let group = key.str().and_then(|_| key.id()).map_err(|_| bad_key::<Groups>())?;
            let (generation, members) = (found.row.generation, found.row.members.len());
            groups.push(ListedGroup { group, generation, members });
        }
        let next = groups.last().filter(|_| page.more).map(|listed| listed.group.clone());
        Ok(GroupsPage { groups, next })
    }
}
