//! What is taken of a slot as the audit counts it: its own arithmetic, so that a
//! mistake in that of the commands cannot hide itself.

use std::{collections::BTreeMap, fmt};

use holdfast_state::Id;

use crate::row::{HoldRow, LevelRow, Status};

/// Held and sold. They are summed wide and signed: rows that are wrong must become a
/// difference, not a panic.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Taken {
    /// How many are held.
    pub held: i128,
    /// How many are sold.
    pub sold: i128,
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} held and {} sold", self.held, self.sold)
    }
}

impl fmt::Debug for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Taken {
    /// What a level's row says.
    pub(super) fn of(row: &LevelRow) -> Self {
        Self { held: row.held.into(), sold: row.sold.into() }
    }

    pub(super) const fn total(self) -> i128 {
        self.held + self.sold
    }
}

/// What holds take, by resource and slot. A slot of which nothing is taken is not here.
#[derive(Clone, Debug, Default)]
pub(super) struct Takings(BTreeMap<(Id, u32), Taken>);

impl Takings {
    pub(super) fn at(&self, resource: &Id, slot: u32) -> Taken {
        self.0.get(&(resource.clone(), slot)).copied().unwrap_or_default()
    }

    pub(super) fn slots(&self) -> impl Iterator<Item = &(Id, u32)> {
        self.0.keys()
    }

    /// Counts a hold, or, with a `times` of -1, counts it no more.
    pub(super) fn count(&mut self, row: &HoldRow, times: i128) {
        let each = times * i128::from(row.quantity.get());
        let (held, sold) = match row.status {
            Status::Held => (each, 0),
            Status::Confirmed => (0, each),
            Status::Released | Status::Cancelled | Status::Expired => return,
        };
        for slot in slots_of(row) {
            let key = (row.resource.clone(), slot);
            let taken = self.0.entry(key.clone()).or_default();
            taken.held += held;
            taken.sold += sold;
            if *taken == Taken::default() {
                self.0.remove(&key);
            }
        }
    }
}

/// The slots that a hold is about.
pub(super) fn slots_of(row: &HoldRow) -> std::ops::Range<u32> {
    row.nights.map_or(0..1, |nights| nights.from().day()..nights.to().day())
}
