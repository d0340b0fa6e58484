//! `sessions.list`: the sessions that are open, by id, page by page.

use holdfast_state::{
    Id, Read, Stop,
    command::{Command, Method, Never, Query},
    page::{PageSize, bad_key, page},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::get::Session;
use crate::ties::row::Sessions;

/// The command.
#[derive(Debug)]
pub struct ListSessions;

/// Which page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListSessionsSpec {
    /// `next` of the page before; absent for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Id>,
    /// How many sessions at most.
    #[serde(default)]
    pub limit: PageSize,
}

/// A page of sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SessionsPage {
    /// The sessions, by id.
    pub sessions: Vec<Session>,
    /// Cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Id>,
}

impl Command for ListSessions {
    const NAME: &'static str = "sessions.list";
    const SUMMARY: &'static str = "Lists the sessions that are open, in the order of their ids.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/sessions";
    type Spec = ListSessionsSpec;
    type Outcome = SessionsPage;
    type Refusal = Never;
}

impl Query for ListSessions {
    fn run(state: &impl Read, spec: &ListSessionsSpec) -> Result<SessionsPage, Stop<Never>> {
        let cursor = spec.cursor.as_ref().map(Id::as_str);
        let page = page::<Sessions>(state, &(), cursor, spec.limit)?;
        let (mut sessions, mut last) = (Vec::with_capacity(page.rows.len()), None);
        for found in page.rows {
            let id = found.key().id().map_err(|_| bad_key::<Sessions>())?;
            last = Some(id.clone());
            if !found.row.is_over(state.now()) {
                sessions.push(Session::of(id, found.row));
            }
        }
        Ok(SessionsPage { sessions, next: last.filter(|_| page.more) })
    }
}
