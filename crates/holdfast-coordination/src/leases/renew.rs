//! `leases.renew`: the grant counts for longer.
//!
//! From now on it has its whole time again. It costs one row read and one written. A grant
//! that has no time of its own counts as long as its session, and is not changed; `ttl`
//! gives it one.

use holdfast_state::{
    Id, Lifetime, LogTime, Stop, Tx,
    command::{Command, Method, Refusal, RefusalInfo, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    guard::standing_grant,
    refusals::{LEASE_STALE, Stale},
    standing::prolong,
};

/// The command.
#[derive(Debug)]
pub struct RenewLease;

/// Which grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RenewLeaseSpec {
    /// The lease's id.
    pub id: Id,
    /// The token of the grant.
    pub token: u64,
    /// How long it counts from now on, and with later renewals; as before when nothing is
    /// given. Its session, if it hangs on one, is not renewed by this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Lifetime>,
}

/// The grant counts for longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RenewLeaseOutcome {
    /// Always the same.
    pub outcome: Renewed,
    /// The lease's id.
    pub id: Id,
    /// The token, as before.
    pub token: u64,
    /// When the grant ends unless it, or its session, is renewed again.
    pub expires_at: LogTime,
    /// How many wait for the lease.
    pub waiting: u32,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Renewed {
    /// The grant has its whole time again.
    Renewed,
}

/// Why it was not renewed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum RenewLeaseRefusal {
    /// The token is not that of a grant that counts.
    LeaseStale(Stale),
}

impl Refusal for RenewLeaseRefusal {
    const ALL: &'static [RefusalInfo] = &[LEASE_STALE];

    fn code(&self) -> &'static str {
        match self {
            Self::LeaseStale(_) => LEASE_STALE.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/token")
    }
}

impl Command for RenewLease {
    const NAME: &'static str = "leases.renew";
    const SUMMARY: &'static str = "Prolongs the grant of a lease.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/leases/{id}/renew";
    type Spec = RenewLeaseSpec;
    type Outcome = RenewLeaseOutcome;
    type Refusal = RenewLeaseRefusal;
}

impl Write for RenewLease {
    fn run(
        tx: &mut Tx<'_>,
        spec: &RenewLeaseSpec,
    ) -> Result<RenewLeaseOutcome, Stop<RenewLeaseRefusal>> {
        renew(tx, spec)
    }
}

/// Renews a grant. A refusal has written nothing.
///
/// # Errors
/// [`RenewLeaseRefusal`], or an abort.
pub fn renew(
    tx: &mut Tx<'_>,
    spec: &RenewLeaseSpec,
) -> Result<RenewLeaseOutcome, Stop<RenewLeaseRefusal>> {
    let refuse = |stale| Stop::Refused(RenewLeaseRefusal::LeaseStale(stale));
    let mut held = standing_grant(tx, &spec.id, spec.token, refuse)?;
    if let Some(ttl) = spec.ttl.or(held.row.term.map(|term| term.ttl)) {
        prolong(tx, &spec.id, &mut held, ttl)?;
    }
    Ok(RenewLeaseOutcome {
        outcome: Renewed::Renewed,
        id: spec.id.clone(),
        token: spec.token,
        expires_at: held.expires_at(),
        waiting: held.row.waiting,
    })
}
