//! `leases.transfer`: the owner hands the lease to another, past those who wait.
//!
//! The other gets a grant of its own, with a new token: what the former owner still has on
//! its way is refused from then on. A place that the other had in the queue goes. Who
//! waits goes on waiting, behind the new owner; where that would make it wait for itself,
//! the transfer is refused. The new grant hangs on the `session` that is given, never on
//! that of the former owner; without one it needs a time of its own.

use holdfast_state::{
    Id, Lifetime, Metadata, Stop, Tx,
    command::{Command, Method, Refusal, RefusalInfo, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    deadlock::{Found, Wait, by_holding},
    get::Grant,
    guard::standing_grant,
    queue::{WAITERS_MAX, leave, place_of},
    refusals::{
        LEASE_CROWDED, LEASE_DEADLOCK, LEASE_JUST_GRANTED, LEASE_STALE, Stale, TTL_REQUIRED,
    },
    standing::{Terms, grant, unhang},
};
use crate::ties::{Tie, refusal::SESSION_NOT_FOUND};

/// The command.
#[derive(Debug)]
pub struct TransferLease;

/// Which grant, and to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferLeaseSpec {
    /// The lease's id.
    pub id: Id,
    /// The token of the grant.
    pub token: u64,
    /// Who gets it.
    pub to: Id,
    /// How long the new grant counts unless it is renewed; as long as this one when
    /// nothing is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Lifetime>,
    /// The session of the new owner, on which the new grant hangs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Id>,
    /// Words about the new owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

/// The lease is another's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TransferLeaseOutcome {
    /// Always the same.
    pub outcome: Transferred,
    /// The lease's id.
    pub id: Id,
    /// The new owner's grant.
    #[serde(flatten)]
    pub grant: Grant,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Transferred {
    /// The lease is another's.
    Transferred,
}

/// Why the lease stays where it is, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum TransferLeaseRefusal {
    /// The token is not that of a grant that counts.
    LeaseStale(Stale),
    /// This very transaction made the grant.
    LeaseJustGranted {
        /// The lease.
        lease: Id,
    },
    /// The session is not open.
    SessionNotFound {
        /// The session.
        session: Id,
    },
    /// The grant had no time of its own, and the new one has neither that nor a session.
    TtlRequired {
        /// The lease.
        lease: Id,
    },
    /// More wait than can be looked through for a deadlock.
    LeaseCrowded {
        /// The lease.
        lease: Id,
        /// How many wait.
        waiting: u32,
        /// How many may.
        waiting_max: u32,
    },
    /// Somebody who waits would wait for itself.
    LeaseDeadlock {
        /// Each waits behind the next, and the last behind the first: the new owner.
        circle: Vec<Wait>,
    },
}

impl Refusal for TransferLeaseRefusal {
    const ALL: &'static [RefusalInfo] = &[
        LEASE_STALE,
        LEASE_JUST_GRANTED,
        SESSION_NOT_FOUND,
        TTL_REQUIRED,
        LEASE_CROWDED,
        LEASE_DEADLOCK,
    ];

    fn code(&self) -> &'static str {
        match self {
            Self::LeaseStale(_) => LEASE_STALE.code,
            Self::LeaseJustGranted { .. } => LEASE_JUST_GRANTED.code,
            Self::SessionNotFound { .. } => SESSION_NOT_FOUND.code,
            Self::TtlRequired { .. } => TTL_REQUIRED.code,
            Self::LeaseCrowded { .. } => LEASE_CROWDED.code,
            Self::LeaseDeadlock { .. } => LEASE_DEADLOCK.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some(match self {
            Self::LeaseStale(_) | Self::LeaseJustGranted { .. } => "/token",
            Self::SessionNotFound { .. } => "/session",
            Self::TtlRequired { .. } => "/ttl",
            Self::LeaseCrowded { .. } | Self::LeaseDeadlock { .. } => "/to",
        })
    }
}

impl Command for TransferLease {
    const NAME: &'static str = "leases.transfer";
    const SUMMARY: &'static str = "Hands a lease to another owner, with a new token.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/leases/{id}/transfer";
    type Spec = TransferLeaseSpec;
    type Outcome = TransferLeaseOutcome;
    type Refusal = TransferLeaseRefusal;
}

impl Write for TransferLease {
    fn run(
        tx: &mut Tx<'_>,
        spec: &TransferLeaseSpec,
    ) -> Result<TransferLeaseOutcome, Stop<TransferLeaseRefusal>> {
        transfer(tx, spec)
    }
}

/// Hands a lease on. A refusal has written nothing.
///
/// # Errors
/// [`TransferLeaseRefusal`], or an abort.
pub fn transfer(
    tx: &mut Tx<'_>,
    spec: &TransferLeaseSpec,
) -> Result<TransferLeaseOutcome, Stop<TransferLeaseRefusal>> {
    use TransferLeaseRefusal::{
        LeaseCrowded, LeaseDeadlock, LeaseJustGranted, LeaseStale, TtlRequired,
    };
    let lease = &spec.id;
    let held = standing_grant(tx, lease, spec.token, |stale| Stop::Refused(LeaseStale(stale)))?;
    let row = held.row;
    if row.token == tx.version() {
        return Err(Stop::Refused(LeaseJustGranted { lease: lease.clone() }));
    }
    let tie = tie(tx, spec)?;
    let ttl = spec.ttl.or(row.term.map(|term| term.ttl));
    if ttl.is_none() && tie.is_none() {
        return Err(Stop::Refused(TtlRequired { lease: lease.clone() }));
    }
    let mut waiting = row.waiting;
    match if waiting == 0 { Found::Nothing } else { by_holding(tx, &spec.to, lease)? } {
        Found::Nothing => {}
        Found::Circle(circle) => return Err(Stop::Refused(LeaseDeadlock { circle })),
        Found::TooMuch => {
            let (lease, waiting_max) = (lease.clone(), WAITERS_MAX);
            return Err(Stop::Refused(LeaseCrowded { lease, waiting, waiting_max }));
        }
    }
    unhang(tx, lease, &row)?;
    if let Some(place) = place_of(tx, lease, &spec.to)? {
        leave(tx, lease, &place)?;
        waiting -= 1;
    }
    let (owner, metadata) = (spec.to.clone(), spec.metadata.clone());
    let held = grant(tx, lease, Terms { owner, ttl, metadata, tie, waiting })?;
    let grant = Grant::of(&held);
    Ok(TransferLeaseOutcome { outcome: Transferred::Transferred, id: lease.clone(), grant })
}

/// What the new grant hangs on.
fn tie(tx: &Tx<'_>, spec: &TransferLeaseSpec) -> Result<Option<Tie>, Stop<TransferLeaseRefusal>> {
    let Some(session) = &spec.session else { return Ok(None) };
    let tie = Tie::to(tx, session)?;
    let refusal = || TransferLeaseRefusal::SessionNotFound { session: session.clone() };
    tie.ok_or_else(|| Stop::Refused(refusal())).map(Some)
}
