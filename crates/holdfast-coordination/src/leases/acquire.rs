//! `leases.acquire`: the lease is this owner's, or will be when its turn comes.
//!
//! Without `wait_for` a lease that is held is refused. With it the owner waits in order
//! and is granted the lease in the transaction in which its turn comes; asking again says
//! how it stands, so a retry is harmless and polling needs nothing else. An owner that
//! holds the lease, or waits already, gets what it has: its time and its place stay as
//! they are.
//!
//! Who would wait for itself, through others, is refused (`lease_deadlock`). A free lease
//! costs one row read and two written: the grant, and its timer.

use holdfast_state::{
    Abort, Id, Lifetime, LogTime, Metadata, Read as _, Stop, Tx,
    command::{Command, Method, Refusal, RefusalInfo, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    deadlock::{Found, Wait, by_waiting},
    queue::{ALL, WAITERS_MAX, Wish, join, leave, place_of, waiters},
    refusals::{LEASE_CROWDED, LEASE_DEADLOCK, LEASE_HELD},
    row::{LeaseRow, WaiterRow},
    standing::{Standing, Terms, count, end, grant},
};

/// The command.
#[derive(Debug)]
pub struct AcquireLease;

/// Who wants which lease, and for how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcquireLeaseSpec {
    /// The lease's id.
    pub id: Id,
    /// Who wants it: a name that no other contender has.
    pub owner: Id,
    /// How long a grant counts unless it is renewed.
    pub ttl: Lifetime,
    /// How long to wait for it; without this, a lease that is held is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_for: Option<Lifetime>,
    /// The owner's own words, for those who observe the lease: an address, say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

/// The owner holds the lease, or waits for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AcquireLeaseOutcome {
    /// Which of the two.
    pub outcome: Acquired,
    /// It was so before, and stays as it was.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// The lease's id.
    pub id: Id,
    /// Who holds it or waits.
    pub owner: Id,
    /// The fencing token of the grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<u64>,
    /// When the grant ends unless it is renewed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<LogTime>,
    /// How many go before it: the holder, and those who came earlier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ahead: Option<u32>,
    /// When it gives up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_until: Option<LogTime>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Acquired {
    /// The owner holds the lease.
    Granted,
    /// The owner waits for it.
    Waiting,
}

/// Why the owner neither holds it nor waits, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum AcquireLeaseRefusal {
    /// Another holds it, or is next.
    LeaseHeld {
        /// The lease.
        lease: Id,
        /// Who holds it, or is next.
        owner: Id,
        /// When the grant ends unless it is renewed; absent when it is over and the owner
        /// is the next.
        #[serde(skip_serializing_if = "Option::is_none")]
        expires_at: Option<LogTime>,
        /// How many wait.
        waiting: u32,
    },
    /// As many wait as may, or more than can be looked through for a deadlock.
    LeaseCrowded {
        /// The lease.
        lease: Id,
        /// How many wait.
        waiting: u32,
        /// How many may.
        waiting_max: u32,
    },
    /// It would wait for itself.
    LeaseDeadlock {
        /// Each waits behind the next, and the last behind the first, who is refused.
        circle: Vec<Wait>,
    },
}

impl Refusal for AcquireLeaseRefusal {
    const ALL: &'static [RefusalInfo] = &[LEASE_HELD, LEASE_CROWDED, LEASE_DEADLOCK];

    fn code(&self) -> &'static str {
        match self {
            Self::LeaseHeld { .. } => LEASE_HELD.code,
            Self::LeaseCrowded { .. } => LEASE_CROWDED.code,
            Self::LeaseDeadlock { .. } => LEASE_DEADLOCK.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/id")
    }
}

impl Command for AcquireLease {
    const NAME: &'static str = "leases.acquire";
    const SUMMARY: &'static str = "Grants a lease to an owner, at once or in its turn.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/leases/{id}/acquire";
    type Spec = AcquireLeaseSpec;
    type Outcome = AcquireLeaseOutcome;
    type Refusal = AcquireLeaseRefusal;
}

impl Write for AcquireLease {
    fn run(
        tx: &mut Tx<'_>,
        spec: &AcquireLeaseSpec,
    ) -> Result<AcquireLeaseOutcome, Stop<AcquireLeaseRefusal>> {
        acquire(tx, spec)
    }
}

/// Grants the lease or puts the owner into its queue. A refusal has written nothing.
///
/// # Errors
/// [`AcquireLeaseRefusal`], or an abort.
pub fn acquire(
    tx: &mut Tx<'_>,
    spec: &AcquireLeaseSpec,
) -> Result<AcquireLeaseOutcome, Stop<AcquireLeaseRefusal>> {
    let row = match Standing::of(tx, &spec.id)? {
        Standing::Free(over) => {
            if let Some(over) = over {
                end(tx, &spec.id, &over)?;
            }
            let (owner, ttl, metadata) = (spec.owner.clone(), spec.ttl, spec.metadata.clone());
            grant(tx, &spec.id, Terms { owner, ttl, metadata, waiting: 0 })?
        }
        Standing::Granted(row) if row.owner == spec.owner => row,
        Standing::Granted(row) => {
            let (owner, expires_at) = (row.owner.clone(), Some(row.expires_at));
            return wait(tx, spec, row, Ahead { owner, expires_at });
        }
        Standing::Passing(over, heir) if heir == spec.owner => pass_on(tx, &spec.id, &over)?,
        Standing::Passing(over, owner) => {
            return wait(tx, spec, over, Ahead { owner, expires_at: None });
        }
    };
    Ok(AcquireLeaseOutcome {
        outcome: Acquired::Granted,
        existed: row.token < tx.version(),
        id: spec.id.clone(),
        owner: row.owner,
        token: Some(row.token.get()),
        expires_at: Some(row.expires_at),
        ahead: None,
        waits_until: None,
    })
}

/// Who holds a lease, or is next.
struct Ahead {
    owner: Id,
    expires_at: Option<LogTime>,
}

/// Gives a lease whose grant is over to whom it is next.
fn pass_on(tx: &mut Tx<'_>, lease: &Id, over: &LeaseRow) -> Result<LeaseRow, Abort> {
    Ok(end(tx, lease, over)?.expect("who is next is granted the lease"))
}

/// A place in the line: the one that the owner has, or one at its end.
fn wait(
    tx: &mut Tx<'_>,
    spec: &AcquireLeaseSpec,
    row: LeaseRow,
    ahead: Ahead,
) -> Result<AcquireLeaseOutcome, Stop<AcquireLeaseRefusal>> {
    let (lease, now) = (&spec.id, tx.now());
    let place = if row.waiting == 0 { None } else { place_of(tx, lease, &spec.owner)? };
    if let Some(place) = place.filter(|place| !place.is_over(now)) {
        let queue = waiters(tx, lease, ALL)?;
        let before = queue.iter().take_while(|waiter| waiter.owner != spec.owner);
        let before = before.filter(|waiter| !waiter.is_over(now)).count();
        let before = u32::try_from(before).expect("a queue is bounded");
        return Ok(waiting(spec, &place, before + 1, true));
    }
    let wait_for = may_wait(tx, spec, &row, ahead)?;
    let mut row = if row.is_over(now) { pass_on(tx, lease, &row)? } else { row };
    // A place that it gave up, but whose timer has yet to fire.
    if let Some(stale) = place_of(tx, lease, &spec.owner)? {
        leave(tx, lease, &stale)?;
        row.waiting -= 1;
    }
    let (owner, metadata) = (&spec.owner, spec.metadata.as_ref());
    let place = join(tx, lease, &Wish { owner, ttl: spec.ttl, wait_for, metadata })?;
    let before = row.waiting + 1;
    count(tx, lease, &mut row, before)?;
    Ok(waiting(spec, &place, before, false))
}

/// How long it waits, if it may.
fn may_wait(
    tx: &Tx<'_>,
    spec: &AcquireLeaseSpec,
    row: &LeaseRow,
    ahead: Ahead,
) -> Result<Lifetime, Stop<AcquireLeaseRefusal>> {
    let (lease, waiting) = (spec.id.clone(), row.waiting);
    let Some(wait_for) = spec.wait_for else {
        let Ahead { owner, expires_at } = ahead;
        let held = AcquireLeaseRefusal::LeaseHeld { lease, owner, expires_at, waiting };
        return Err(Stop::Refused(held));
    };
    let crowded = AcquireLeaseRefusal::LeaseCrowded { lease, waiting, waiting_max: WAITERS_MAX };
    if waiting >= WAITERS_MAX {
        return Err(Stop::Refused(crowded));
    }
    match by_waiting(tx, &spec.owner, &spec.id)? {
        Found::Nothing => Ok(wait_for),
        Found::Circle(circle) => Err(Stop::Refused(AcquireLeaseRefusal::LeaseDeadlock { circle })),
        Found::TooMuch => Err(Stop::Refused(crowded)),
    }
}

fn waiting(
    spec: &AcquireLeaseSpec,
    place: &WaiterRow,
    ahead: u32,
    existed: bool,
) -> AcquireLeaseOutcome {
    AcquireLeaseOutcome {
        outcome: Acquired::Waiting,
        existed,
        id: spec.id.clone(),
        owner: spec.owner.clone(),
        token: None,
        expires_at: None,
        ahead: Some(ahead),
        waits_until: Some(place.timer.due),
    }
}
