//! A lease as it stands, and the one way to change it.
//!
//! A grant whose time is over, or whose session is, counts no more although nothing may
//! have taken it away yet; what happens to the lease then is decided by looking
//! ([`Standing`]) and done by whoever writes next, as the timer would have. A transaction
//! makes at most one grant of a lease, since its version is the token, and two grants with
//! one token could not be told apart (P24): so a grant does not end in the transaction
//! that made it.

use holdfast_planted::planted;
use holdfast_state::{
    Abort, Id, Lifetime, LogTime, Metadata, Read, StoreError, Tx, unknown::Unknown,
};

use super::{
    expire::EXPIRE,
    queue::{ALL, leave, waiters, waiting},
    row::{LeaseRow, Leases, Term, WaiterRow},
};
use crate::ties::{self, Known, Tie, Tied};

/// A grant that counts.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) row: LeaseRow,
    /// When its session ends unless that is renewed, if it hangs on one.
    session_ends: Option<LogTime>,
}

impl Held {
    /// The grant in this row if it counts now, and else the row again.
    pub(super) fn of(
        state: &impl Read,
        known: &mut Known,
        row: LeaseRow,
    ) -> Result<Result<Self, LeaseRow>, Abort> {
        let own_time_over = row.term.is_some_and(|term| term.is_over(state.now()));
        if own_time_over && !planted!(GrantEndsWithItsTimer) {
            return Ok(Err(row));
        }
        let Some(tie) = &row.tie else { return Ok(Ok(Self { row, session_ends: None })) };
        let session_ends = known.ends(state, tie)?;
        Ok(if session_ends.is_some() { Ok(Self { row, session_ends }) } else { Err(row) })
    }

    /// When it ends unless it, or its session, is renewed.
    pub(super) fn expires_at(&self) -> LogTime {
        let own = self.row.term.map(|term| term.expires_at);
        let ends = own.into_iter().chain(self.session_ends).min();
        ends.expect("a grant has a time of its own or hangs on a session")
    }
}

/// The grant of a lease that counts now, if it has one.
pub(super) fn grant_of(state: &impl Read, lease: &Id) -> Result<Option<Held>, Abort> {
    let Some(row) = state.get::<Leases>(lease.as_str())? else { return Ok(None) };
    Ok(Held::of(state, &mut Known::default(), row)?.ok())
}

/// How a lease stands.
#[derive(Debug)]
pub(super) enum Standing {
    /// Nobody holds it or waits; there may be a row of a grant that is over.
    Free(Option<LeaseRow>),
    /// Somebody holds it.
    Granted(Held),
    /// Its grant is over, and this owner is next.
    Passing(LeaseRow, Id),
}

impl Standing {
    pub(super) fn of(state: &impl Read, lease: &Id) -> Result<Self, Abort> {
        let Some(row) = state.get::<Leases>(lease.as_str())? else { return Ok(Self::Free(None)) };
        let mut known = Known::default();
        let row = match Held::of(state, &mut known, row)? {
            Ok(held) => return Ok(Self::Granted(held)),
            Err(over) => over,
        };
        let all = if row.waiting == 0 { Vec::new() } else { waiters(state, lease, ALL)? };
        let heir = waiting(state, &mut known, all)?.into_iter().next();
        Ok(match heir {
            Some(heir) => Self::Passing(row, heir.owner),
            None => Self::Free(Some(row)),
        })
    }

    /// The row of a grant that is over but has yet to be taken away.
    pub(super) const fn over(&self) -> Option<&LeaseRow> {
        match self {
            Self::Free(over) => over.as_ref(),
            Self::Passing(over, _) => Some(over),
            Self::Granted(_) => None,
        }
    }
}

/// To whom a lease is granted, and how. `ttl` or `tie` is there.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub(super) owner: Id,
    pub(super) ttl: Option<Lifetime>,
    pub(super) metadata: Option<Metadata>,
    /// The session that it hangs on, which is open.
    pub(super) tie: Option<Tie>,
    /// How many wait behind it.
    pub(super) waiting: u32,
}

/// Grants a lease that nobody holds.
pub(super) fn grant(tx: &mut Tx<'_>, lease: &Id, terms: Terms) -> Result<Held, Abort> {
    let term = terms.ttl.map(|ttl| begin(tx, lease, ttl)).transpose()?;
    let before = if planted!(TokenUsedAgain) { tx.get::<Leases>(lease.as_str())? } else { None };
    let row = LeaseRow {
        token: before.map_or(tx.version(), |row| row.token),
        owner: terms.owner,
        granted_at: tx.now(),
        term,
        waiting: terms.waiting,
        metadata: terms.metadata,
        tie: terms.tie,
        unknown: Unknown::default(),
    };
    tx.put::<Leases>(lease.as_str(), &row)?;
    if let Some(tie) = &row.tie {
        ties::add(tx, tie, &Tied::Lease { lease: lease.clone() })?;
    }
    let held = Held::of(tx, &mut Known::default(), row)?;
    Ok(held.expect("whoever is granted a lease has a session that is open, or none"))
}

fn begin(tx: &mut Tx<'_>, lease: &Id, ttl: Lifetime) -> Result<Term, Abort> {
    let expires_at = tx.now().plus_us(ttl.as_us());
    Ok(Term { expires_at, ttl, timer: tx.arm_timer(expires_at, EXPIRE, lease)? })
}

/// Takes away what hangs on a grant, but not its row.
pub(super) fn unhang(tx: &mut Tx<'_>, lease: &Id, row: &LeaseRow) -> Result<(), Abort> {
    if let Some(term) = row.term {
        tx.cancel_timer(term.timer)?;
    }
    match &row.tie {
        Some(tie) => ties::remove(tx, tie, &Tied::Lease { lease: lease.clone() }),
        None => Ok(()),
    }
}

/// Ends a grant; the first of those who still wait has the next, which is returned.
pub(super) fn end(tx: &mut Tx<'_>, lease: &Id, row: &LeaseRow) -> Result<Option<Held>, Abort> {
    assert!(row.token < tx.version(), "a grant does not end in the transaction that made it");
    unhang(tx, lease, row)?;
    let (mut left, mut known) = (row.waiting, Known::default());
    while left > 0 {
        let first = if planted!(LastComesFirst) {
            waiters(tx, lease, ALL)?.pop()
        } else {
            waiters(tx, lease, 1)?.into_iter().next()
        };
        let first = first.ok_or_else(|| doubt(lease, "counts more than wait for it"))?;
        leave(tx, lease, &first)?;
        left -= 1;
        if !first.gave_up(tx.now()) && !known.is_over(tx, first.tie.as_ref())? {
            let WaiterRow { owner, ttl, metadata, tie, .. } = first;
            return grant(tx, lease, Terms { owner, ttl, metadata, tie, waiting: left }).map(Some);
        }
    }
    tx.delete::<Leases>(lease.as_str())?;
    Ok(None)
}

/// Somebody came to the queue of a lease that is granted, or left it.
pub(super) fn count(
    tx: &mut Tx<'_>,
    lease: &Id,
    row: &mut LeaseRow,
    waiting: u32,
) -> Result<(), Abort> {
    row.waiting = waiting;
    tx.put::<Leases>(lease.as_str(), row)
}

/// From now on a grant has this time of its own. Its timer stays where it is unless it
/// would come too late.
pub(super) fn prolong(
    tx: &mut Tx<'_>,
    lease: &Id,
    held: &mut Held,
    ttl: Lifetime,
) -> Result<(), Abort> {
    let expires_at = tx.now().plus_us(ttl.as_us());
    let term = match held.row.term {
        Some(Term { timer, .. }) if timer.due <= expires_at => Term { expires_at, ttl, timer },
        Some(Term { timer, .. }) => {
            tx.cancel_timer(timer)?;
            begin(tx, lease, ttl)?
        }
        None => begin(tx, lease, ttl)?,
    };
    held.row.term = Some(term);
    tx.put::<Leases>(lease.as_str(), &held.row)
}

/// From now on a grant hangs on this session, which is open.
pub(super) fn hang(tx: &mut Tx<'_>, lease: &Id, held: Held, tie: Tie) -> Result<Held, Abort> {
    let mut row = held.row;
    let tied = Tied::Lease { lease: lease.clone() };
    if let Some(before) = &row.tie {
        ties::remove(tx, before, &tied)?;
    }
    ties::add(tx, &tie, &tied)?;
    row.tie = Some(tie);
    tx.put::<Leases>(lease.as_str(), &row)?;
    let held = Held::of(tx, &mut Known::default(), row)?;
    Ok(held.expect("the session is open"))
}

/// The rows of a lease do not fit together: the state must be rebuilt.
pub(super) fn doubt(lease: &Id, what: &str) -> Abort {
    StoreError::Doubt { what: format!("lease {lease} {what}") }.into()
}
