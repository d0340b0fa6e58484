//! `leases.acquire`: Grants a lease to an owner, at once or in its turn.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    command::{Command, Kind, Method, encode},
    json::Json,
    lifetime::Lifetime,
};

/// Who wants which lease, and for how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AcquireLeaseSpec {
    /// The lease's id.
    pub id: String,
    /// Who wants it: a name that no other contender has.
    pub owner: String,
    /// The owner's own words, for those who observe the lease: an address, say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Json>,
    /// The session on which the grant, or the place in the queue, hangs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// How long a grant counts unless it is renewed; without this, as long as the session
    /// is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Lifetime>,
    /// How long to wait for it; without this, a lease that is held is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_for: Option<Lifetime>,
}

impl AcquireLeaseSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>, owner: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            owner: owner.into(),
            metadata: None,
            session: None,
            ttl: None,
            wait_for: None,
        }
    }
}

/// The owner holds the lease, or waits for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AcquireLeaseOutcome {
    /// Which of the two.
    pub outcome: Acquired,
    /// The lease's id.
    pub id: String,
    /// Who holds it or waits.
    pub owner: String,
    /// How many go before it: the holder, and those who came earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ahead: Option<u32>,
    /// It was so before, and stays as it was.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// When the grant ends unless it is renewed, or its session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// The session that the grant, or the place in the queue, hangs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The fencing token of the grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<u64>,
    /// When it gives up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_until: Option<String>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Acquired {
    /// The owner holds the lease.
    Granted,
    /// The owner waits for it.
    Waiting,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for AcquireLeaseSpec {
    type Outcome = AcquireLeaseOutcome;
    const NAME: &'static str = "leases.acquire";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        format!("/v1/leases/{}/acquire", encode(&self.id))
    }
}
