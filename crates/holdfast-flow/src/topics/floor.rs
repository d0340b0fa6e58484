//! Numbers that are not given twice, though what counted them was deleted.
//!
//! A receipt names a delivery and a commit a generation, by number. A queue or group that is
//! created under the name of one that was deleted goes on above its numbers, so that who
//! still holds one of them is refused. One number for all does: the *floor*, which rises
//! with each deletion and below which nothing new begins.

use holdfast_planted::planted;
use holdfast_state::{Abort, Read, Tx, Version};

use super::row::{FloorRow, Floors};

/// More than the numbers that a transaction can give out.
const PER_VERSION: u64 = 1 << 17;

/// What is new counts from there on.
pub(super) fn floor(state: &impl Read) -> Result<u64, Abort> {
    Ok(state.get::<Floors>(())?.map_or(0, |row| row.above))
}

/// Something is deleted that has counted so far.
pub(super) fn raise(tx: &mut Tx<'_>, counted: u64) -> Result<(), Abort> {
    let above = floor(tx)?;
    if counted <= above || planted!(NumbersComeAgain) {
        return Ok(());
    }
    tx.put::<Floors>((), &FloorRow { above: counted })
}

/// More than anything has counted that there is.
pub(super) fn above_all(version: Version) -> u64 {
    version.get().saturating_mul(PER_VERSION)
}
