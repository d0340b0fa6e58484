//! `leases.transfer`: Hands a lease to another owner, with a new token.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    command::{Command, Kind, Method, encode},
    json::Json,
    lifetime::Lifetime,
};

/// Which grant, and to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TransferLeaseSpec {
    /// The lease's id.
    pub id: String,
    /// The token of the grant.
    pub token: u64,
    /// Who gets it.
    pub to: String,
    /// Words about the new owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Json>,
    /// The session of the new owner, on which the new grant hangs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// How long the new grant counts unless it is renewed; as long as this one when
    /// nothing is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Lifetime>,
}

impl TransferLeaseSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>, token: u64, to: impl Into<String>) -> Self {
        Self { id: id.into(), token, to: to.into(), metadata: None, session: None, ttl: None }
    }
}

/// The lease is another's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TransferLeaseOutcome {
    /// Always the same.
    pub outcome: Transferred,
    /// The lease's id.
    pub id: String,
    /// The transaction that made it: the fencing token.
    pub token: u64,
    /// Who holds the lease.
    pub owner: String,
    /// When it was granted.
    pub granted_at: String,
    /// When it ends unless it is renewed, or its session.
    pub expires_at: String,
    /// The owner's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Json>,
    /// The session that it hangs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Transferred {
    /// The lease is another's.
    Transferred,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for TransferLeaseSpec {
    type Outcome = TransferLeaseOutcome;
    const NAME: &'static str = "leases.transfer";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        format!("/v1/leases/{}/transfer", encode(&self.id))
    }
}
