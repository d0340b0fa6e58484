//! `sessions.list`: Lists the sessions that are open, in the order of their ids.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    command::{Command, Kind, Method, Target},
    json::Json,
    lifetime::Lifetime,
};

/// Which page.
#[derive(Clone, Default, Debug, PartialEq, Eq, Serialize)]
pub struct ListSessionsSpec {
    /// `next` of the page before; absent for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// How many sessions at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// A page of sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SessionsPage {
    /// The sessions, by id.
    pub sessions: Vec<Session>,
    /// Cursor of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A session that is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Session {
    /// Its id.
    pub id: String,
    /// The transaction that opened it.
    pub version: u64,
    /// When it was opened.
    pub opened_at: String,
    /// When it ends unless it is renewed.
    pub expires_at: String,
    /// How long it is open from a renewal on.
    pub ttl: Lifetime,
    /// The owner's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Json>,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

impl Command for ListSessionsSpec {
    type Outcome = SessionsPage;
    const NAME: &'static str = "sessions.list";
    const KIND: Kind = Kind::Query;
    const METHOD: Method = Method::Get;

    fn target(&self) -> String {
        Target::at("/v1/sessions")
            .field("cursor", &self.cursor)
            .field("limit", &self.limit)
            .finish()
    }
}
