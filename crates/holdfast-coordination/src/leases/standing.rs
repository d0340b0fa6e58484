//! A lease as it stands, and the one way to change it.
//!
//! A grant whose time is over counts no more although its timer has yet to fire; what
//! happens to the lease then is decided by looking ([`Standing`]) and done by whoever
//! writes next, as the timer would have. A transaction makes at most one grant of a lease, since its version is the token, and
//! two grants with one token could not be told apart (P24): so a grant does not end in
//! the transaction that made it.

use holdfast_state::{
    Abort, Id, Lifetime, LogTime, Metadata, Read, StoreError, Tx, unknown::Unknown,
};

use super::{
    expire::EXPIRE,
    queue::{ALL, leave, waiters},
    row::{LeaseRow, Leases, WaiterRow},
};

/// The grant of a lease that counts now, if it has one.
pub(super) fn grant_of(state: &impl Read, lease: &Id) -> Result<Option<LeaseRow>, Abort> {
    let row = state.get::<Leases>(lease.as_str())?;
    Ok(row.filter(|row| !row.is_over(state.now())))
}

/// How a lease stands.
#[derive(Debug)]
pub(super) enum Standing {
    /// Nobody holds it or waits; there may be a row of one whose time is over.
    Free(Option<LeaseRow>),
    /// Somebody holds it.
    Granted(LeaseRow),
    /// The time of its grant is over, and this owner is next.
    Passing(LeaseRow, Id),
}

impl Standing {
    pub(super) fn of(state: &impl Read, lease: &Id) -> Result<Self, Abort> {
        let Some(row) = state.get::<Leases>(lease.as_str())? else { return Ok(Self::Free(None)) };
        if !row.is_over(state.now()) {
            return Ok(Self::Granted(row));
        }
        let all = if row.waiting == 0 { Vec::new() } else { waiters(state, lease, ALL)? };
        let heir = all.into_iter().find(|waiter| !waiter.is_over(state.now()));
        Ok(match heir {
            Some(heir) => Self::Passing(row, heir.owner),
            None => Self::Free(Some(row)),
        })
    }
}

/// To whom a lease is granted, and how.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub(super) owner: Id,
    pub(super) ttl: Lifetime,
    pub(super) metadata: Option<Metadata>,
    /// How many wait behind it.
    pub(super) waiting: u32,
}

/// Grants a lease that nobody holds.
pub(super) fn grant(tx: &mut Tx<'_>, lease: &Id, terms: Terms) -> Result<LeaseRow, Abort> {
    let expires_at = tx.now().plus_us(terms.ttl.as_us());
    let row = LeaseRow {
        token: tx.version(),
        owner: terms.owner,
        granted_at: tx.now(),
        expires_at,
        ttl: terms.ttl,
        timer: tx.arm_timer(expires_at, EXPIRE, lease)?,
        waiting: terms.waiting,
        metadata: terms.metadata,
        unknown: Unknown::default(),
    };
    tx.put::<Leases>(lease.as_str(), &row)?;
    Ok(row)
}

/// Ends a grant; the first of those who still wait has the next, which is returned.
pub(super) fn end(tx: &mut Tx<'_>, lease: &Id, row: &LeaseRow) -> Result<Option<LeaseRow>, Abort> {
    assert!(row.token < tx.version(), "a grant does not end in the transaction that made it");
    tx.cancel_timer(row.timer)?;
    let mut waiting = row.waiting;
    while waiting > 0 {
        let first = waiters(tx, lease, 1)?.into_iter().next();
        let first = first.ok_or_else(|| doubt(lease, "counts more than wait for it"))?;
        leave(tx, lease, &first)?;
        waiting -= 1;
        if !first.is_over(tx.now()) {
            let WaiterRow { owner, ttl, metadata, .. } = first;
            let terms = Terms { owner, ttl, metadata, waiting };
            return grant(tx, lease, terms).map(Some);
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

/// Sets a grant's end. Its timer stays where it is unless it would come too late.
pub(super) fn prolong(
    tx: &mut Tx<'_>,
    lease: &Id,
    row: &mut LeaseRow,
    expires_at: LogTime,
) -> Result<(), Abort> {
    if expires_at < row.timer.due {
        tx.cancel_timer(row.timer)?;
        row.timer = tx.arm_timer(expires_at, EXPIRE, lease)?;
    }
    row.expires_at = expires_at;
    tx.put::<Leases>(lease.as_str(), row)
}

/// The rows of a lease do not fit together: the state must be rebuilt.
pub(super) fn doubt(lease: &Id, what: &str) -> Abort {
    StoreError::Doubt { what: format!("lease {lease} {what}") }.into()
}
