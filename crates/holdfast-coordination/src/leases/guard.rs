//! `leases.guard`: is this the token of the grant that the lease has now?
//!
//! As an operation of a transaction it refuses all of it otherwise, so whoever was
//! deposed, paused or cut off changes nothing under a lease that another holds by now.

use holdfast_planted::planted;
use holdfast_state::{
    Id, LogTime, Read, Stop, Version,
    command::{Command, Method, Query, Refusal, RefusalInfo},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    get::Grant,
    refusals::{LEASE_STALE, Stale},
    standing::{Held, grant_of},
};

/// The command.
#[derive(Debug)]
pub struct GuardLease;

/// Which lease, and the token that its holder was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GuardLeaseSpec {
    /// The lease's id.
    pub id: Id,
    /// The token of the grant.
    pub token: u64,
}

/// The grant counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GuardLeaseOutcome {
    /// Always the same.
    pub outcome: Guarded,
    /// Who holds the lease.
    pub owner: Id,
    /// When the grant ends unless it is renewed.
    pub expires_at: LogTime,
}

/// What the command found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Guarded {
    /// The token is that of the grant.
    Valid,
}

/// Why the caller may not act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum GuardLeaseRefusal {
    /// The token is not that of a grant that counts.
    LeaseStale(Stale),
}

impl Refusal for GuardLeaseRefusal {
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

impl Command for GuardLease {
    const NAME: &'static str = "leases.guard";
    const SUMMARY: &'static str = "Refuses unless a token is that of the lease's grant.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/leases/{id}/guard";
    type Spec = GuardLeaseSpec;
    type Outcome = GuardLeaseOutcome;
    type Refusal = GuardLeaseRefusal;
}

impl Query for GuardLease {
    fn run(
        state: &impl Read,
        spec: &GuardLeaseSpec,
    ) -> Result<GuardLeaseOutcome, Stop<GuardLeaseRefusal>> {
        let Grant { owner, expires_at, .. } = guard(state, spec)?;
        Ok(GuardLeaseOutcome { outcome: Guarded::Valid, owner, expires_at })
    }
}

/// The grant whose token this is.
///
/// # Errors
/// [`GuardLeaseRefusal`], or an abort.
pub fn guard(state: &impl Read, spec: &GuardLeaseSpec) -> Result<Grant, Stop<GuardLeaseRefusal>> {
    let refuse = |stale| Stop::Refused(GuardLeaseRefusal::LeaseStale(stale));
    if planted!(GuardTakesOldTokens)
        && let Some(held) = grant_of(state, &spec.id)?
        && held.row.token >= Version::new(spec.token)
    {
        return Ok(Grant::of(&held));
    }
    Ok(Grant::of(&standing_grant(state, &spec.id, spec.token, refuse)?))
}

/// The grant of a lease with this token, or what `refuse` makes of there being none.
pub(super) fn standing_grant<R>(
    state: &impl Read,
    lease: &Id,
    token: u64,
    refuse: impl FnOnce(Stale) -> Stop<R>,
) -> Result<Held, Stop<R>> {
    match grant_of(state, lease)? {
        Some(held) if held.row.token == Version::new(token) => Ok(held),
        other => Err(refuse(Stale::new(lease, token, other.as_ref().map(|held| &held.row)))),
    }
}
