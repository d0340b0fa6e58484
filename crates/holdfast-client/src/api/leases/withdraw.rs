//! `leases.withdraw`: Ends an owner's wait for a lease.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::command::{Command, Kind, Method, encode};

/// Who, and from which lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WithdrawSpec {
    /// The lease's id.
    pub id: String,
    /// Who waits for it.
    pub owner: String,
}

impl WithdrawSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>, owner: impl Into<String>) -> Self {
        Self { id: id.into(), owner: owner.into() }
    }
}

/// It waits no longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WithdrawOutcome {
    /// Always the same.
    pub outcome: Withdrawn,
    /// The lease's id.
    pub id: String,
    /// Who waited.
    pub owner: String,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Withdrawn {
    /// The owner waits no longer.
    Withdrawn,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for WithdrawSpec {
    type Outcome = WithdrawOutcome;
    const NAME: &'static str = "leases.withdraw";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        format!("/v1/leases/{}/withdraw", encode(&self.id))
    }
}
