//! `sessions.close`: Ends a session and all that hangs on it.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::command::{Command, Kind, Method, encode};

/// Which session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CloseSessionSpec {
    /// Its id.
    pub id: String,
    /// The transaction that opened it: only that session, and none that has had its id
    /// since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

impl CloseSessionSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), version: None }
    }
}

/// The session is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CloseSessionOutcome {
    /// Always the same.
    pub outcome: Closed,
    /// Its id.
    pub id: String,
    /// The transaction that opened it.
    pub version: u64,
    /// Some of what hung on it is yet to be taken away: it counts for nobody, and what
    /// waits behind it comes at once, but in transactions that follow.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_pieces: bool,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Closed {
    /// The session is over.
    Closed,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for CloseSessionSpec {
    type Outcome = CloseSessionOutcome;
    const NAME: &'static str = "sessions.close";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        format!("/v1/sessions/{}/close", encode(&self.id))
    }
}
