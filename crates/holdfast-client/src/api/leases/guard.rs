//! `leases.guard`: Refuses unless a token is that of the lease's grant.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::command::{Command, Kind, Method, Target, encode};

/// Which lease, and the token that its holder was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GuardLeaseSpec {
    /// The lease's id.
    pub id: String,
    /// The token of the grant.
    pub token: u64,
}

impl GuardLeaseSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>, token: u64) -> Self {
        Self { id: id.into(), token }
    }
}

/// The grant counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GuardLeaseOutcome {
    /// Always the same.
    pub outcome: Guarded,
    /// Who holds the lease.
    pub owner: String,
    /// When the grant ends unless it is renewed.
    pub expires_at: String,
}

/// What the command found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Guarded {
    /// The token is that of the grant.
    Valid,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for GuardLeaseSpec {
    type Outcome = GuardLeaseOutcome;
    const NAME: &'static str = "leases.guard";
    const KIND: Kind = Kind::Query;
    const METHOD: Method = Method::Get;

    fn target(&self) -> String {
        Target::at(format!("/v1/leases/{}/guard", encode(&self.id)))
            .field("token", &self.token)
            .finish()
    }
}
