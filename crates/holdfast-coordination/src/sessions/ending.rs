//! How a session ends: its row goes, and what hung on it is taken away.
//!
//! From the moment its row is gone nothing that hangs on it counts, so taking that away
//! needs no one transaction: a piece of bounded size is done at once, and a timer that is
//! due at once goes on. Nobody is passed over by that: who asks for a lease of a session
//! that is over passes it on as the timer would have.

use holdfast_planted::planted;
use holdfast_state::{Abort, Id, Read as _, StoreError, Tx, row::Row as _};

use crate::{
    documents, leases,
    ties::{
        self, Tie, Tied,
        row::{SessionRow, Sessions},
    },
};

/// The name of the handler that ends a session whose time is over.
pub const EXPIRE: &str = "sessions.expire";

/// The name of the handler that goes on with what hung on a session.
pub const SWEEP: &str = "sessions.sweep";

/// So much of what hangs on a session is taken away in one transaction at most.
pub const TIED_AT_ONCE: usize = 256;

/// What a transaction may spend on it, as [`Tx::cost`] counts, before it leaves the rest to
/// the next: long queues of those who gave up, and large documents, make a piece smaller.
const COST_AT_ONCE: u32 = 20_000;

/// Ends a session. Says whether something is left for the next transaction.
pub(super) fn end(tx: &mut Tx<'_>, id: &Id, row: &SessionRow) -> Result<bool, Abort> {
    tx.cancel_timer(row.timer)?;
    tx.delete::<Sessions>(id.as_str())?;
    take_away(tx, &Tie::of(id, row))
}

/// Takes away a piece of what hung on a session that is over, and sets the timer for the
/// rest. Says whether there is any.
fn take_away(tx: &mut Tx<'_>, tie: &Tie) -> Result<bool, Abort> {
    let began = tx.cost();
    let mut tied = ties::tied(tx, tie, TIED_AT_ONCE + 1)?;
    let mut left = tied.len() > TIED_AT_ONCE;
    tied.truncate(TIED_AT_ONCE);
    for tied in tied {
        if tx.cost() - began >= COST_AT_ONCE {
            left = true;
            break;
        }
        left |= !let_go(tx, tie, &tied)?;
    }
    if left {
        tx.arm_timer(tx.now(), SWEEP, tie)?;
    }
    Ok(left)
}

/// Takes one thing away. `false` if only a later transaction can.
fn let_go(tx: &mut Tx<'_>, tie: &Tie, tied: &Tied) -> Result<bool, Abort> {
    match tied {
        Tied::Place { lease, owner } => leases::leave_with(tx, tie, lease, owner).map(|()| true),
        Tied::Lease { .. } if planted!(SessionLeavesItsLeases) => Ok(true),
        Tied::Lease { lease } => leases::let_go(tx, tie, lease),
        Tied::Document { collection, id } => {
            documents::let_go(tx, tie, collection, id).map(|()| true)
        }
    }
}

/// Ends the session whose id is the payload, if its time is over.
///
/// # Errors
/// [`Abort`]
pub(super) fn expire(tx: &mut Tx<'_>, payload: &[u8]) -> Result<(), Abort> {
    let id = Id::parse(payload).map_err(|_| unknown(EXPIRE))?;
    let Some(mut row) = tx.get::<Sessions>(id.as_str())? else { return Ok(()) };
    if row.is_over(tx.now()) {
        return end(tx, &id, &row).map(drop);
    }
    row.timer = tx.arm_timer(row.expires_at, EXPIRE, &id)?;
    tx.put::<Sessions>(id.as_str(), &row)
}

/// Goes on with what hung on the session that is the payload.
///
/// # Errors
/// [`Abort`]
pub(super) fn sweep(tx: &mut Tx<'_>, payload: &[u8]) -> Result<(), Abort> {
    let tie = Tie::parse(payload).map_err(|_| unknown(SWEEP))?;
    take_away(tx, &tie).map(drop)
}

fn unknown(handler: &str) -> StoreError {
    StoreError::Doubt { what: format!("{handler}: a payload does not decode") }
}
