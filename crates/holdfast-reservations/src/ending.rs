//! How a hold ends: what it had goes back, and is offered to those who wait for it in
//! the same step.

use holdfast_state::{Abort, Id, Tx};

use crate::{
    levels::{OpenLevels, Part},
    nights::slots,
    offers,
    row::{HoldRow, Holds, Stamp, Status},
};

/// Which part of its slots a hold that stands is in.
pub(crate) const fn part_of(row: &HoldRow) -> Part {
    if row.confirmed.is_some() { Part::Sold } else { Part::Held }
}

/// Ends a hold that stands.
pub(crate) fn end(
    tx: &mut Tx<'_>,
    id: &Id,
    row: &mut HoldRow,
    status: Status,
) -> Result<(), Abort> {
    let slots = slots(row.nights);
    let mut levels = OpenLevels::of(&row.resource);
    levels.read(tx, slots.clone())?;
    levels.give(&slots, part_of(row), row.quantity)?;
    levels.write(tx)?;
    row.status = status;
    row.ended = Some(Stamp::of(tx));
    tx.put::<Holds>(id.as_str(), row)?;
    offers::freed(tx, &row.resource, slots)
}
