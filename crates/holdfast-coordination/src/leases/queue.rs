//! Those who wait for a lease, in order.

use holdfast_state::{Abort, Id, Lifetime, Metadata, Read, Scan, Tx};

use super::{
    expire::GIVE_UP,
    row::{WaitRow, WaiterRow, Waiters, Waits},
    standing::doubt,
};
use crate::ties::{self, Known, Tie, Tied};

/// The most that may wait for one lease.
pub(super) const WAITERS_MAX: u32 = 1_000;

/// As many as there can be.
pub(super) const ALL: usize = WAITERS_MAX as usize;

/// What somebody wants who has to wait.
#[derive(Clone, Debug)]
pub(super) struct Wish<'s> {
    pub(super) owner: &'s Id,
    pub(super) ttl: Option<Lifetime>,
    pub(super) wait_for: Lifetime,
    pub(super) metadata: Option<&'s Metadata>,
    /// The session that the place hangs on, which is open.
    pub(super) tie: Option<&'s Tie>,
}

/// Those who wait, first come first; at most `limit`, also those whose patience or session
/// is over.
pub(super) fn waiters(
    state: &impl Read,
    lease: &Id,
    limit: usize,
) -> Result<Vec<WaiterRow>, Abort> {
    let found = state.scan::<Waiters>(&(lease.as_str(),), Scan::up(limit))?;
    Ok(found.into_iter().map(|found| found.row).collect())
}

/// Those of them who still wait.
pub(super) fn waiting(
    state: &impl Read,
    known: &mut Known,
    waiters: Vec<WaiterRow>,
) -> Result<Vec<WaiterRow>, Abort> {
    let mut still = Vec::with_capacity(waiters.len());
    for waiter in waiters {
        if !waiter.gave_up(state.now()) && !known.is_over(state, waiter.tie.as_ref())? {
            still.push(waiter);
        }
    }
    Ok(still)
}

/// The owner's place in the queue, if it still waits.
pub(super) fn standing_place(
    state: &impl Read,
    lease: &Id,
    owner: &Id,
) -> Result<Option<WaiterRow>, Abort> {
    let place = place_of(state, lease, owner)?.into_iter().collect();
    Ok(waiting(state, &mut Known::default(), place)?.pop())
}

/// The owner's place in the queue, if it has one, also when its patience or session is over.
pub(super) fn place_of(
    state: &impl Read,
    lease: &Id,
    owner: &Id,
) -> Result<Option<WaiterRow>, Abort> {
    let Some(wait) = state.get::<Waits>((owner.as_str(), lease.as_str()))? else {
        return Ok(None);
    };
    let row = state.get::<Waiters>((lease.as_str(), wait.since, wait.number))?;
    Ok(Some(row.ok_or_else(|| doubt(lease, "is waited for by one without a place"))?))
}

/// Puts somebody at the end. The caller counts.
pub(super) fn join(tx: &mut Tx<'_>, lease: &Id, wish: &Wish<'_>) -> Result<WaiterRow, Abort> {
    let until = tx.now().plus_us(wish.wait_for.as_us());
    let owner = wish.owner.clone();
    let timer = tx.arm_timer(until, GIVE_UP, &(lease.clone(), owner.clone()))?;
    let (metadata, tie) = (wish.metadata.cloned(), wish.tie.cloned());
    let row = WaiterRow { owner, ttl: wish.ttl, timer, metadata, tie };
    tie_place(tx, lease, &row)?;
    tx.put::<Waiters>((lease.as_str(), timer.version, timer.number), &row)?;
    let wait = WaitRow { since: timer.version, number: timer.number };
    tx.put::<Waits>((row.owner.as_str(), lease.as_str()), &wait)?;
    Ok(row)
}

/// Takes somebody out. The caller counts.
pub(super) fn leave(tx: &mut Tx<'_>, lease: &Id, waiter: &WaiterRow) -> Result<(), Abort> {
    tx.cancel_timer(waiter.timer)?;
    if let Some(tie) = &waiter.tie {
        ties::remove(tx, tie, &tied(lease, &waiter.owner))?;
    }
    tx.delete::<Waiters>((lease.as_str(), waiter.timer.version, waiter.timer.number))?;
    tx.delete::<Waits>((waiter.owner.as_str(), lease.as_str()))
}

/// From now on a place hangs on this session, which is open.
pub(super) fn hang(
    tx: &mut Tx<'_>,
    lease: &Id,
    waiter: &WaiterRow,
    tie: Tie,
) -> Result<WaiterRow, Abort> {
    if let Some(before) = &waiter.tie {
        ties::remove(tx, before, &tied(lease, &waiter.owner))?;
    }
    let row = WaiterRow { tie: Some(tie), ..waiter.clone() };
    tie_place(tx, lease, &row)?;
    tx.put::<Waiters>((lease.as_str(), row.timer.version, row.timer.number), &row)?;
    Ok(row)
}

fn tie_place(tx: &mut Tx<'_>, lease: &Id, row: &WaiterRow) -> Result<(), Abort> {
    match &row.tie {
        Some(tie) => ties::add(tx, tie, &tied(lease, &row.owner)),
        None => Ok(()),
    }
}

fn tied(lease: &Id, owner: &Id) -> Tied {
    Tied::Place { lease: lease.clone(), owner: owner.clone() }
}
