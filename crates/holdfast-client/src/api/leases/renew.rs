//! `leases.renew`: Prolongs the grant of a lease.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    command::{Command, Kind, Method, encode},
    lifetime::Lifetime,
};

/// Which grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RenewLeaseSpec {
    /// The lease's id.
    pub id: String,
    /// The token of the grant.
    pub token: u64,
    /// How long it counts from now on, and with later renewals; as before when nothing is
    /// given. Its session, if it hangs on one, is not renewed by this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Lifetime>,
}

impl RenewLeaseSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>, token: u64) -> Self {
        Self { id: id.into(), token, ttl: None }
    }
}

/// The grant counts for longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RenewLeaseOutcome {
    /// Always the same.
    pub outcome: Renewed,
    /// The lease's id.
    pub id: String,
    /// The token, as before.
    pub token: u64,
    /// When the grant ends unless it, or its session, is renewed again.
    pub expires_at: String,
    /// How many wait for the lease.
    pub waiting: u32,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Renewed {
    /// The grant has its whole time again.
    Renewed,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for RenewLeaseSpec {
    type Outcome = RenewLeaseOutcome;
    const NAME: &'static str = "leases.renew";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        format!("/v1/leases/{}/renew", encode(&self.id))
    }
}
