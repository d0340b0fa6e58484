//! `leases.acquire`: the lease is this owner's, or will be when its turn comes.
//!
//! Without `wait_for` a lease that is held is refused. With it the owner waits in order
//! and is granted the lease in the transaction in which its turn comes; asking again says
//! how it stands, so a retry is harmless and polling needs nothing else. An owner that
//! holds the lease, or waits already, gets what it has: its time and its place stay as
//! they are. Only the session is another if it names another that is open: so an owner
//! that comes back under a new session keeps what it had.
//!
//! A grant hangs on the `session` that is given, and ends with it; then it needs no `ttl`
//! of its own, and nobody needs to renew it.
//!
//! Who would wait for itself, through others, is refused (`lease_deadlock`). A free lease
//! costs one row read and two written: the grant, and its timer.

use holdfast_state::{
    Abort, Id, Lifetime, LogTime, Metadata, Stop, Tx,
    command::{Command, Method, Refusal, RefusalInfo, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    deadlock::{Found, Wait, by_waiting},
    queue::{
        self, ALL, WAITERS_MAX, Wish, join, leave, place_of, standing_place, waiters,
        waiting as still_waiting,
    },
    refusals::{LEASE_CROWDED, LEASE_DEADLOCK, LEASE_HELD, LEASE_JUST_GRANTED, TTL_REQUIRED},
    row::{LeaseRow, WaiterRow},
    standing::{Held, Standing, Terms, count, end, grant, hang},
};
use crate::ties::{Known, Tie, refusal::SESSION_NOT_FOUND};

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
    /// How long a grant counts unless it is renewed; without this, as long as the session
    /// is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Lifetime>,
    /// How long to wait for it; without this, a lease that is held is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_for: Option<Lifetime>,
    /// The session on which the grant, or the place in the queue, hangs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Id>,
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
    /// When the grant ends unless it is renewed, or its session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<LogTime>,
    /// The session that the grant, or the place in the queue, hangs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Id>,
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
    /// There is neither a ttl nor a session.
    TtlRequired {
        /// The lease.
        lease: Id,
    },
    /// The session is not open.
    SessionNotFound {
        /// The session.
        session: Id,
    },
    /// This very transaction made the grant that is over by now, with its session.
    LeaseJustGranted {
        /// The lease.
        lease: Id,
    },
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
    const ALL: &'static [RefusalInfo] = &[
        TTL_REQUIRED,
        SESSION_NOT_FOUND,
        LEASE_JUST_GRANTED,
        LEASE_HELD,
        LEASE_CROWDED,
        LEASE_DEADLOCK,
    ];

    fn code(&self) -> &'static str {
        match self {
            Self::TtlRequired { .. } => TTL_REQUIRED.code,
            Self::SessionNotFound { .. } => SESSION_NOT_FOUND.code,
            Self::LeaseJustGranted { .. } => LEASE_JUST_GRANTED.code,
            Self::LeaseHeld { .. } => LEASE_HELD.code,
            Self::LeaseCrowded { .. } => LEASE_CROWDED.code,
            Self::LeaseDeadlock { .. } => LEASE_DEADLOCK.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some(match self {
            Self::TtlRequired { .. } => "/ttl",
            Self::SessionNotFound { .. } => "/session",
            Self::LeaseJustGranted { .. }
            | Self::LeaseHeld { .. }
            | Self::LeaseCrowded { .. }
            | Self::LeaseDeadlock { .. } => "/id",
        })
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
    let (lease, tie) = (&spec.id, tie(tx, spec)?);
    let standing = Standing::of(tx, lease)?;
    if standing.over().is_some_and(|over| over.token == tx.version()) {
        let lease = lease.clone();
        return Err(Stop::Refused(AcquireLeaseRefusal::LeaseJustGranted { lease }));
    }
    let held = match standing {
        Standing::Free(over) => {
            if let Some(over) = over {
                end(tx, lease, &over)?;
            }
            let (owner, ttl, metadata) = (spec.owner.clone(), spec.ttl, spec.metadata.clone());
            grant(tx, lease, Terms { owner, ttl, metadata, tie, waiting: 0 })?
        }
        Standing::Granted(held) if held.row.owner == spec.owner => rehang(tx, lease, held, tie)?,
        Standing::Granted(held) => {
            let ahead =
                Ahead { owner: held.row.owner.clone(), expires_at: Some(held.expires_at()) };
            return wait(tx, spec, held.row, &ahead, tie);
        }
        Standing::Passing(over, heir) if heir == spec.owner => {
            let held = pass_on(tx, lease, &over)?;
            rehang(tx, lease, held, tie)?
        }
        Standing::Passing(over, owner) => {
            return wait(tx, spec, over, &Ahead { owner, expires_at: None }, tie);
        }
    };
    Ok(granted(tx, lease, held))
}

fn granted(tx: &Tx<'_>, lease: &Id, held: Held) -> AcquireLeaseOutcome {
    let expires_at = Some(held.expires_at());
    let row = held.row;
    AcquireLeaseOutcome {
        outcome: Acquired::Granted,
        existed: row.token < tx.version(),
        id: lease.clone(),
        owner: row.owner,
        token: Some(row.token.get()),
        expires_at,
        session: row.tie.map(|tie| tie.session),
        ahead: None,
        waits_until: None,
    }
}

/// What the grant is to hang on.
fn tie(tx: &Tx<'_>, spec: &AcquireLeaseSpec) -> Result<Option<Tie>, Stop<AcquireLeaseRefusal>> {
    let Some(session) = &spec.session else {
        let refusal = || AcquireLeaseRefusal::TtlRequired { lease: spec.id.clone() };
        return spec.ttl.map(|_| None).ok_or_else(|| Stop::Refused(refusal()));
    };
    let tie = Tie::to(tx, session)?;
    let refusal = || AcquireLeaseRefusal::SessionNotFound { session: session.clone() };
    tie.ok_or_else(|| Stop::Refused(refusal())).map(Some)
}

/// The owner has the lease already: it hangs on the session that it names now, if it does.
fn rehang(tx: &mut Tx<'_>, lease: &Id, held: Held, tie: Option<Tie>) -> Result<Held, Abort> {
    match tie.filter(|tie| held.row.tie.as_ref() != Some(tie)) {
        Some(tie) => hang(tx, lease, held, tie),
        None => Ok(held),
    }
}

/// Who holds a lease, or is next.
struct Ahead {
    owner: Id,
    /// When it ends; absent when the grant is over and the owner is next.
    expires_at: Option<LogTime>,
}

/// Gives a lease whose grant is over to whom it is next.
fn pass_on(tx: &mut Tx<'_>, lease: &Id, over: &LeaseRow) -> Result<Held, Abort> {
    Ok(end(tx, lease, over)?.expect("who is next is granted the lease"))
}

/// A place in the line: the one that the owner has, or one at its end.
fn wait(
    tx: &mut Tx<'_>,
    spec: &AcquireLeaseSpec,
    row: LeaseRow,
    ahead: &Ahead,
    tie: Option<Tie>,
) -> Result<AcquireLeaseOutcome, Stop<AcquireLeaseRefusal>> {
    let lease = &spec.id;
    let place = if row.waiting == 0 { None } else { standing_place(tx, lease, &spec.owner)? };
    if let Some(place) = place {
        let place = match tie.filter(|tie| place.tie.as_ref() != Some(tie)) {
            Some(tie) => queue::hang(tx, lease, &place, tie)?,
            None => place,
        };
        let all = waiters(tx, lease, ALL)?;
        let before = all.into_iter().take_while(|waiter| waiter.owner != spec.owner);
        let before = still_waiting(tx, &mut Known::default(), before.collect())?.len();
        let before = u32::try_from(before).expect("a queue is bounded");
        return Ok(waiting(spec, place, before + 1, true));
    }
    let wait_for = may_wait(tx, spec, &row, ahead)?;
    let passing = ahead.expires_at.is_none();
    let mut row = if passing { pass_on(tx, lease, &row)?.row } else { row };
    // A place that it gave up, or whose session is over, but which is there yet.
    if let Some(stale) = place_of(tx, lease, &spec.owner)? {
        leave(tx, lease, &stale)?;
        row.waiting -= 1;
    }
    let (owner, metadata, tie) = (&spec.owner, spec.metadata.as_ref(), tie.as_ref());
    let place = join(tx, lease, &Wish { owner, ttl: spec.ttl, wait_for, metadata, tie })?;
    let before = row.waiting + 1;
    count(tx, lease, &mut row, before)?;
    Ok(waiting(spec, place, before, false))
}

/// How long it waits, if it may.
fn may_wait(
    tx: &Tx<'_>,
    spec: &AcquireLeaseSpec,
    row: &LeaseRow,
    ahead: &Ahead,
) -> Result<Lifetime, Stop<AcquireLeaseRefusal>> {
    let (lease, waiting) = (spec.id.clone(), row.waiting);
    let Some(wait_for) = spec.wait_for else {
        let (owner, expires_at) = (ahead.owner.clone(), ahead.expires_at);
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
    place: WaiterRow,
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
        session: place.tie.map(|tie| tie.session),
        ahead: Some(ahead),
        waits_until: Some(place.timer.due),
    }
}
