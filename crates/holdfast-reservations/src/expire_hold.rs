//! `reservations.expire_hold`: the timer of a hold with an end.
//!
//! It gives back what the hold has, as a release would. A hold that was confirmed or
//! released first has cancelled its timer; should the timer fire all the same, it
//! finds that nothing is held and does nothing.

use holdfast_state::{Abort, Id, Read as _, StoreError, Tx, row::Row as _};

use crate::{
    ending::end,
    row::{Holds, Status},
};

/// The handler's name.
pub const HANDLER: &str = "reservations.expire_hold";

/// Expires the hold whose id is the payload.
///
/// # Errors
/// [`Abort`]
///
/// # Panics
/// When it runs before the hold's end: timers do not fire early.
pub fn expire_hold(tx: &mut Tx<'_>, payload: &[u8]) -> Result<(), Abort> {
    let id = Id::parse(payload).map_err(|_| doubt("a payload is not an id"))?;
    let row = tx.get::<Holds>(id.as_str())?;
    let mut row = row.ok_or_else(|| doubt("a timer outlived its hold"))?;
    if row.status != Status::Held {
        return Ok(());
    }
    assert!(row.expires_at.is_some_and(|at| at <= tx.now()), "timers do not fire early");
    end(tx, &id, &mut row, Status::Expired)
}

fn doubt(what: &str) -> Abort {
    StoreError::Doubt { what: format!("{HANDLER}: {what}") }.into()
}
