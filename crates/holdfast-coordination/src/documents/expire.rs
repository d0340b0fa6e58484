//! `documents.expire`: the timer of a document with an end.
//!
//! From its end on nobody sees the document; this takes its row away. Whoever writes or
//! deletes a document cancels its timer; one that fires all the same finds another end,
//! or nothing, and does nothing.

use holdfast_state::{Abort, Id, Read as _, StoreError, Tx, row::Row as _};

use super::{place::Place, row::Documents};

/// The handler's name.
pub const HANDLER: &str = "documents.expire";

/// Removes the document whose collection and id are the payload.
///
/// # Errors
/// [`Abort`]
pub fn expire(tx: &mut Tx<'_>, payload: &[u8]) -> Result<(), Abort> {
    let (collection, id) = <(Id, Id)>::parse(payload).map_err(|_| StoreError::Doubt {
        what: format!("{HANDLER}: a payload is not a collection and an id"),
    })?;
    let row = tx.get::<Documents>((collection.as_str(), id.as_str()))?;
    if row.is_some_and(|row| row.is_expired(tx.now())) {
        Place::look(tx, &collection, &id)?.remove(tx)?;
    }
    Ok(())
}
