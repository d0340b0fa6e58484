//! `timers.arm`: Runs operations at a later time, as one transaction.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::OperationSpec,
    command::{Command, Kind, Method},
    lifetime::Lifetime,
};

/// When, and what then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ArmTimerSpec {
    /// What then runs, all or none: 1 to 128 operations.
    pub operations: Vec<OperationSpec>,
    /// It fires once log time has reached this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fires_at: Option<String>,
    /// The same, counted from now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fires_in: Option<Lifetime>,
    /// Its id; without one it gets a fresh id, and a retry would be another timer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

impl ArmTimerSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(operations: Vec<OperationSpec>) -> Self {
        Self { operations, fires_at: None, fires_in: None, id: None }
    }
}

/// The timer is armed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ArmTimerOutcome {
    /// Always the same.
    pub outcome: Armed,
    /// Its id.
    pub id: String,
    /// When it is due.
    pub fires_at: String,
    /// It had been armed before, in the same words.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Armed {
    /// The timer is armed.
    Armed,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for ArmTimerSpec {
    type Outcome = ArmTimerOutcome;
    const NAME: &'static str = "timers.arm";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        "/v1/timers".to_owned()
    }
}
