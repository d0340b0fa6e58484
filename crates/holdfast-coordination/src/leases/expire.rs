//! The timers of leases: a grant ends, and somebody gives up waiting.
//!
//! A renewal leaves a grant's timer where it is, so the timer may find that the grant
//! still counts; then it is set again for the end there is now. What is released, passed
//! on or withdrawn cancels its timer.

use holdfast_state::{Abort, Id, Read as _, StoreError, Tx, row::Row as _};

use super::{
    queue::{leave, place_of},
    row::{Leases, Term},
    standing::{count, doubt, end},
};

/// The name of the handler that ends a grant.
pub const EXPIRE: &str = "leases.expire";

/// The name of the handler that ends a wait.
pub const GIVE_UP: &str = "leases.give_up";

/// Ends the grant of the lease whose id is the payload, if its time is over.
///
/// # Errors
/// [`Abort`]
pub fn expire(tx: &mut Tx<'_>, payload: &[u8]) -> Result<(), Abort> {
    let lease = Id::parse(payload).map_err(|_| unknown(EXPIRE))?;
    let Some(mut row) = tx.get::<Leases>(lease.as_str())? else { return Ok(()) };
    let Some(term) = row.term else { return Ok(()) };
    if term.is_over(tx.now()) {
        end(tx, &lease, &row)?;
        return Ok(());
    }
    let timer = tx.arm_timer(term.expires_at, EXPIRE, &lease)?;
    row.term = Some(Term { timer, ..term });
    tx.put::<Leases>(lease.as_str(), &row)
}

/// Ends the wait of the lease and owner that are the payload.
///
/// # Errors
/// [`Abort`]
pub fn give_up(tx: &mut Tx<'_>, payload: &[u8]) -> Result<(), Abort> {
    let (lease, owner) = <(Id, Id)>::parse(payload).map_err(|_| unknown(GIVE_UP))?;
    let place = place_of(tx, &lease, &owner)?;
    let Some(place) = place.filter(|place| place.gave_up(tx.now())) else { return Ok(()) };
    let row = tx.get::<Leases>(lease.as_str())?;
    let mut row = row.ok_or_else(|| doubt(&lease, "is waited for without a grant"))?;
    leave(tx, &lease, &place)?;
    let waiting = row.waiting - 1;
    count(tx, &lease, &mut row, waiting)
}

fn unknown(handler: &str) -> StoreError {
    StoreError::Doubt { what: format!("{handler}: a payload does not decode") }
}
