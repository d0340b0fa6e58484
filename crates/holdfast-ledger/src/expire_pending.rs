//! `ledger.expire_pending`: the timer of a pending transfer with an end.
//!
//! It takes the transfer back as a void would. A transfer that was posted or
//! voided first has cancelled its timer; should the timer fire all the same, it
//! finds the transfer resolved and does nothing.

use holdfast_state::{Abort, Amount, Id, Read as _, StoreError, Tx, row::Row as _};

use crate::{
    balances::Event,
    movement::resolve,
    row::{Status, Transfers},
};

/// The handler's name.
pub const HANDLER: &str = "ledger.expire_pending";

/// Expires the transfer whose id is the payload.
///
/// # Errors
/// [`Abort`]
///
/// # Panics
/// When it runs before the transfer's end: timers do not fire early.
pub fn expire_pending(tx: &mut Tx<'_>, payload: &[u8]) -> Result<(), Abort> {
    let id = Id::parse(payload).map_err(|_| doubt("a payload is not an id"))?;
    let row = tx.get::<Transfers>(id.as_str())?;
    let mut row = row.ok_or_else(|| doubt("a timer outlived its transfer"))?;
    if row.status != Status::Pending {
        return Ok(());
    }
    assert!(row.expires_at.is_some_and(|at| at <= tx.now()), "timers do not fire early");
    resolve(tx, &id, &mut row, Event::Expired, Amount::ZERO)
}

fn doubt(what: &str) -> Abort {
    StoreError::Doubt { what: format!("{HANDLER}: {what}") }.into()
}
