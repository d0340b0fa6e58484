//! `limits.forget`: the timer of a rule whose counters lie on shelves.
//!
//! It clears away what means nothing any more, and is set again for the oldest shelf that
//! is left. While nobody asks under a rule, it has no timer.

use holdfast_state::{
    Abort, Id, Read as _, StoreError, Tx, Version, row::Row as _, table::stored_key,
};

use super::{
    row::Shelves,
    shelf::{end_of, first_kept},
};

/// The handler's name.
pub const HANDLER: &str = "limits.forget";

/// Clears away the shelves of the limit and rule that are the payload.
///
/// # Errors
/// [`Abort`]
pub fn forget(tx: &mut Tx<'_>, payload: &[u8]) -> Result<(), Abort> {
    let rule = <(Id, Version, u16)>::parse(payload).map_err(|_| StoreError::Doubt {
        what: format!("{HANDLER}: a payload is not a limit and a rule"),
    })?;
    let (limit, since, number) = (rule.0.as_str(), rule.1, rule.2);
    let Some(mut row) = tx.get::<Shelves>((limit, since, number))? else { return Ok(()) };
    let first_kept = first_kept(tx.now(), row.width_us);
    let over = first_kept.min(row.newest.saturating_add(1));
    if row.oldest < over {
        for table in row.algorithm.tables() {
            let [from, to] = [row.oldest, over]
                .map(|shelf| stored_key(tx.namespace(), *table, &(limit, since, (number, shelf))));
            tx.delete_range_stored(&from, &to)?;
        }
    }
    if row.newest < first_kept {
        return tx.delete::<Shelves>((limit, since, number));
    }
    row.oldest = row.oldest.max(first_kept);
    row.timer = tx.arm_timer(end_of(row.oldest, row.width_us), HANDLER, &rule)?;
    tx.put::<Shelves>((limit, since, number), &row)
}
