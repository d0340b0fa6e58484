//! The timer of groups: a member's time is over.
//!
//! Joining again leaves a member's timer where it is, so the timer may find that the
//! member still is one; then it is set again for the end there is now.

use holdfast_state::{Abort, Id, Read as _, StoreError, Tx, row::Row as _};

use super::standing::Name;
use crate::topics::sequence::doubt;

/// The name of the handler that ends a membership.
pub const EXPIRE: &str = "groups.expire";

/// Ends the membership whose topic, group and member are the payload, if its time is
/// over.
///
/// # Errors
/// [`Abort`]
pub fn expire(tx: &mut Tx<'_>, payload: &[u8]) -> Result<(), Abort> {
    let unknown = |_| StoreError::Doubt { what: format!("{EXPIRE}: a payload does not decode") };
    let (topic, group, member) = <(Id, Id, Id)>::parse(payload).map_err(unknown)?;
    let name = Name { topic: &topic, group: &group };
    let Some(mut row) = name.member_row(tx, &member)? else { return Ok(()) };
    if row.timer.due > tx.now() {
        // It was set for a member of that name in a topic that was deleted since.
        return Ok(());
    }
    if row.is_over(tx.now()) {
        let group = name.group(tx)?;
        let mut group = group.ok_or_else(|| doubt(format!("{name:?} has a member and no row")))?;
        return name.drop(tx, &mut group, &member, &row);
    }
    row.timer = name.arm(tx, &member, row.expires_at)?;
    name.put_member(tx, &member, &row)
}
