//! `leases.release`: the owner holds the lease no longer; who is next does, at once.

use holdfast_planted::planted;
use holdfast_state::{
    Id, Stop, Tx,
    command::{Command, Method, Refusal, RefusalInfo, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    get::Grant,
    guard::standing_grant,
    refusals::{LEASE_JUST_GRANTED, LEASE_STALE, Stale},
    standing::{end, grant_of},
};

/// The command.
#[derive(Debug)]
pub struct ReleaseLease;

/// Which grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseLeaseSpec {
    /// The lease's id.
    pub id: Id,
    /// The token of the grant.
    pub token: u64,
}

/// The grant has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReleaseLeaseOutcome {
    /// Always the same.
    pub outcome: Released,
    /// The lease's id.
    pub id: Id,
    /// The grant of whom it passed to; absent when nobody waited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Grant>,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Released {
    /// The grant has ended.
    Released,
}

/// Why the grant did not end, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum ReleaseLeaseRefusal {
    /// The token is not that of a grant that counts.
    LeaseStale(Stale),
    /// This very transaction made the grant.
    LeaseJustGranted {
        /// The lease.
        lease: Id,
    },
}

impl Refusal for ReleaseLeaseRefusal {
    const ALL: &'static [RefusalInfo] = &[LEASE_STALE, LEASE_JUST_GRANTED];

    fn code(&self) -> &'static str {
        match self {
            Self::LeaseStale(_) => LEASE_STALE.code,
            Self::LeaseJustGranted { .. } => LEASE_JUST_GRANTED.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/token")
    }
}

impl Command for ReleaseLease {
    const NAME: &'static str = "leases.release";
    const SUMMARY: &'static str = "Ends a grant; the lease passes to who is next.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/leases/{id}/release";
    type Spec = ReleaseLeaseSpec;
    type Outcome = ReleaseLeaseOutcome;
    type Refusal = ReleaseLeaseRefusal;
}

impl Write for ReleaseLease {
    fn run(
        tx: &mut Tx<'_>,
        spec: &ReleaseLeaseSpec,
    ) -> Result<ReleaseLeaseOutcome, Stop<ReleaseLeaseRefusal>> {
        release(tx, spec)
    }
}

/// Ends a grant. A refusal has written nothing.
///
/// # Errors
/// [`ReleaseLeaseRefusal`], or an abort.
pub fn release(
    tx: &mut Tx<'_>,
    spec: &ReleaseLeaseSpec,
) -> Result<ReleaseLeaseOutcome, Stop<ReleaseLeaseRefusal>> {
    let refuse = |stale| Stop::Refused(ReleaseLeaseRefusal::LeaseStale(stale));
    let any = if planted!(ReleaseTakesAnyToken) { grant_of(tx, &spec.id)? } else { None };
    let row = match any {
        Some(held) => held.row,
        None => standing_grant(tx, &spec.id, spec.token, refuse)?.row,
    };
    if row.token == tx.version() {
        let lease = spec.id.clone();
        return Err(Stop::Refused(ReleaseLeaseRefusal::LeaseJustGranted { lease }));
    }
    let next = end(tx, &spec.id, &row)?.map(|next| Grant::of(&next));
    Ok(ReleaseLeaseOutcome { outcome: Released::Released, id: spec.id.clone(), next })
}
