//! `timers.cancel`: Takes a timer back that has not fired.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::command::{Command, Kind, Method, encode};

/// Which timer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CancelTimerSpec {
    /// Its id.
    pub id: String,
}

impl CancelTimerSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into() }
    }
}

/// The timer will not fire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CancelTimerOutcome {
    /// Always the same.
    pub outcome: Cancelled,
    /// Its id.
    pub id: String,
    /// It had been cancelled before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cancelled {
    /// The timer is cancelled.
    Cancelled,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for CancelTimerSpec {
    type Outcome = CancelTimerOutcome;
    const NAME: &'static str = "timers.cancel";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        format!("/v1/timers/{}/cancel", encode(&self.id))
    }
}
