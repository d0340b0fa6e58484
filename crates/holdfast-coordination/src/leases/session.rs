//! What the end of a session means for leases: the grants and places that hung on it go.

use holdfast_state::{Abort, Id, Read as _, Tx};

use super::{
    queue::{leave, place_of},
    row::Leases,
    standing::{count, doubt, end},
};
use crate::ties::{self, Tie, Tied};

/// Ends the grant of a lease that hangs on a session which is over; the next has the lease.
/// `false` if this very transaction made the grant (P24): then it is for a later one.
pub(crate) fn let_go(tx: &mut Tx<'_>, tie: &Tie, lease: &Id) -> Result<bool, Abort> {
    let row = tx.get::<Leases>(lease.as_str())?.filter(|row| row.tie.as_ref() == Some(tie));
    let tied = || Tied::Lease { lease: lease.clone() };
    let row = row.ok_or_else(|| ties::doubt(tie, &tied()))?;
    if row.token == tx.version() {
        return Ok(false);
    }
    end(tx, lease, &row)?;
    Ok(true)
}

/// Takes an owner whose place hangs on a session which is over out of the queue.
pub(crate) fn leave_with(tx: &mut Tx<'_>, tie: &Tie, lease: &Id, owner: &Id) -> Result<(), Abort> {
    let place = place_of(tx, lease, owner)?.filter(|place| place.tie.as_ref() == Some(tie));
    let tied = || Tied::Place { lease: lease.clone(), owner: owner.clone() };
    let place = place.ok_or_else(|| ties::doubt(tie, &tied()))?;
    let row = tx.get::<Leases>(lease.as_str())?;
    let mut row = row.ok_or_else(|| doubt(lease, "is waited for without a grant"))?;
    leave(tx, lease, &place)?;
    let waiting = row.waiting - 1;
    count(tx, lease, &mut row, waiting)
}
