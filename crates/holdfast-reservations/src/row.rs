//! What is stored: tables, and rows as short CBOR arrays.
//!
//! A *slot* is where a resource has stock: each of its nights, or the one slot
//! (number 0) of a resource that only has units. A slot has a row while something
//! of it is held or sold, or its stock is its own; so a calendar costs what is taken
//! of it. Rows that are rewritten keep the fields of later releases. Metadata of a
//! resource lies in a table of its own, because every hold reads the resource's row.
//! `tests/fixtures` holds rows of every released format.

mod entry;
mod hold;
mod level;
mod resource;

use holdfast_state::{Date, Id, LogTime, Metadata, Read as _, Table, TableId, Tx, Version};

pub use entry::{EntryRow, EntryStatus};
pub use hold::{Asked, HoldRow, Status};
pub use level::LevelRow;
pub use resource::{Kind, ResourceRow, Sweep};

use crate::{Nights, Quantity};

/// Resources by id.
#[derive(Debug)]
pub struct Resources;

impl Table for Resources {
    const ID: TableId = TableId(0x0200);
    const NAME: &'static str = "reservations.resources";
    type Key<'k> = &'k str;
    type Row = ResourceRow;
}

/// Metadata of the resources that have any, by the resource's id.
#[derive(Debug)]
pub struct ResourceMetadata;

impl Table for ResourceMetadata {
    const ID: TableId = TableId(0x0201);
    const NAME: &'static str = "reservations.resource_metadata";
    type Key<'k> = &'k str;
    type Row = Metadata;
}

/// What is taken of a slot: by the resource's id, and the slot.
#[derive(Debug)]
pub struct Levels;

impl Table for Levels {
    const ID: TableId = TableId(0x0202);
    const NAME: &'static str = "reservations.levels";
    type Key<'k> = (&'k str, u32);
    type Row = LevelRow;
}

/// Holds by id.
#[derive(Debug)]
pub struct Holds;

impl Table for Holds {
    const ID: TableId = TableId(0x0203);
    const NAME: &'static str = "reservations.holds";
    type Key<'k> = &'k str;
    type Row = HoldRow;
}

/// Everybody who joined a waitlist, by the entry's id.
#[derive(Debug)]
pub struct Entries;

impl Table for Entries {
    const ID: TableId = TableId(0x0204);
    const NAME: &'static str = "reservations.waitlist_entries";
    type Key<'k> = &'k str;
    type Row = EntryRow;
}

/// Those who wait, by the resource's id and the entry's ticket: in order.
#[derive(Debug)]
pub struct Queue;

impl Table for Queue {
    const ID: TableId = TableId(0x0205);
    const NAME: &'static str = "reservations.waitlist";
    type Key<'k> = (&'k str, u64);
    type Row = QueueRow;
}

/// A place in a waitlist: what must be known to pass over it. Written once.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct QueueRow {
    /// The entry's id.
    #[n(0)]
    pub entry: Id,
    /// Which nights it waits for.
    #[n(1)]
    pub nights: Option<Nights>,
    /// How many of each.
    #[n(2)]
    pub quantity: Quantity,
}

/// When something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct Stamp {
    /// The transaction.
    #[n(0)]
    pub version: Version,
    /// Its log time.
    #[n(1)]
    pub time: LogTime,
}

impl Stamp {
    /// Now, in this transaction.
    pub(crate) fn of(tx: &Tx<'_>) -> Self {
        Self { version: tx.version(), time: tx.now() }
    }
}

/// The night that a slot of a resource of this kind is.
#[must_use]
pub fn night_of(kind: Kind, slot: u32) -> Option<Date> {
    match kind {
        Kind::Units => None,
        Kind::Nights => Some(Date::from_day(slot).expect("slots of nights are days")),
    }
}
