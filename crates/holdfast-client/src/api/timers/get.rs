//! `timers.get`: Shows where a timer stands, and what came of it.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    command::{Command, Kind, Method, encode},
    json::Json,
};

/// Which timer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GetTimerSpec {
    /// Its id.
    pub id: String,
}

impl GetTimerSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into() }
    }
}

/// A timer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Timer {
    /// Its id.
    pub id: String,
    /// Where it stands.
    pub status: Status,
    /// When it is, or was, due.
    pub fires_at: String,
    /// What it runs.
    pub operations: Vec<Json>,
    /// When it fired or was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// What came of it: the outcome, or why its operations were refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Json>,
}

/// Where a timer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// It has still to fire.
    Armed,
    /// It fired, and its operations were done.
    Done,
    /// It fired, and its operations were refused: none was done.
    Refused,
    /// It was cancelled before it fired.
    Cancelled,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for GetTimerSpec {
    type Outcome = Timer;
    const NAME: &'static str = "timers.get";
    const KIND: Kind = Kind::Query;
    const METHOD: Method = Method::Get;

    fn target(&self) -> String {
        format!("/v1/timers/{}", encode(&self.id))
    }
}
