//! `leases.release`: Ends a grant; the lease passes to who is next.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::leases::Grant,
    command::{Command, Kind, Method, encode},
};

/// Which grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReleaseLeaseSpec {
    /// The lease's id.
    pub id: String,
    /// The token of the grant.
    pub token: u64,
}

impl ReleaseLeaseSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>, token: u64) -> Self {
        Self { id: id.into(), token }
    }
}

/// The grant has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReleaseLeaseOutcome {
    /// Always the same.
    pub outcome: Released,
    /// The lease's id.
    pub id: String,
    /// The grant of whom it passed to; absent when nobody waited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Grant>,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Released {
    /// The grant has ended.
    Released,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for ReleaseLeaseSpec {
    type Outcome = ReleaseLeaseOutcome;
    const NAME: &'static str = "leases.release";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        format!("/v1/leases/{}/release", encode(&self.id))
    }
}
