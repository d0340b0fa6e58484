//! The levels of one resource while a transaction changes them: read first, changed
//! in memory, and written when all is decided, so that a refusal has written nothing.
//!
//! This is the only place that counts. After whatever was taken, `held + sold <=
//! stock` is asserted of every slot.

use std::ops::Range;

use holdfast_state::{Abort, Id, Read, StoreError, Tx};

use crate::{
    Quantity, Stock,
    row::{LevelRow, Levels},
};

/// Which part of a slot something is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Held,
    Sold,
}

/// The first slot that has not as many left as were wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shortage {
    pub(crate) slot: u32,
    pub(crate) available: u64,
}

/// Levels of a resource, in the order of their slots.
#[derive(Debug)]
pub(crate) struct OpenLevels<'a> {
    resource: &'a Id,
    levels: Vec<Level>,
}

#[derive(Debug)]
struct Level {
    slot: u32,
    row: LevelRow,
    stored: bool,
    changed: bool,
}

impl<'a> OpenLevels<'a> {
    /// None of them, to begin with.
    pub(crate) const fn of(resource: &'a Id) -> Self {
        Self { resource, levels: Vec::new() }
    }

    /// Reads those of `slots` that were not read before.
    pub(crate) fn read(&mut self, state: &impl Read, slots: Range<u32>) -> Result<(), Abort> {
        self.levels.reserve(slots.len());
        for slot in slots {
            if let Err(place) = self.levels.binary_search_by_key(&slot, |level| level.slot) {
                let row = state.get::<Levels>((self.resource.as_str(), slot))?;
                let stored = row.is_some();
                let row = row.unwrap_or_default();
                self.levels.insert(place, Level { slot, row, stored, changed: false });
            }
        }
        Ok(())
    }

    /// Of `slots`, which were read, the first that has fewer than `wanted` left.
    pub(crate) fn shortage(
        &self,
        slots: &Range<u32>,
        wanted: Quantity,
        default: Stock,
    ) -> Option<Shortage> {
        self.within(slots).find_map(|level| {
            let available = level.row.available(default);
            (available < wanted.get()).then_some(Shortage { slot: level.slot, available })
        })
    }

    /// Takes of each of `slots`, which were read and have enough.
    ///
    /// # Panics
    /// When more would be taken than there is.
    pub(crate) fn take(
        &mut self,
        slots: &Range<u32>,
        part: Part,
        wanted: Quantity,
        default: Stock,
    ) {
        for row in self.changing(slots) {
            let count = row.part(part);
            *count = count.checked_add(wanted.get()).expect("both are at most 53 bits");
            assert!(row.taken() <= row.stock(default), "held and sold are at most the stock");
        }
    }

    /// Gives back to each of `slots`, which were read.
    pub(crate) fn give(
        &mut self,
        slots: &Range<u32>,
        part: Part,
        given: Quantity,
    ) -> Result<(), Abort> {
        let resource = self.resource;
        for row in self.changing(slots) {
            let count = row.part(part);
            *count = count.checked_sub(given.get()).ok_or_else(|| doubt(resource))?;
        }
        Ok(())
    }

    /// What is held of each of `slots`, which were read, is sold.
    pub(crate) fn sell(&mut self, slots: &Range<u32>, sold: Quantity) -> Result<(), Abort> {
        self.give(slots, Part::Held, sold)?;
        for row in self.changing(slots) {
            row.sold = row.sold.checked_add(sold.get()).expect("no more than was held, of 53 bits");
        }
        Ok(())
    }

    /// Gives `slots`, which were read, a stock of their own, or none.
    pub(crate) fn set_stock(&mut self, slots: &Range<u32>, stock: Option<Stock>) {
        self.changing(slots).for_each(|row| row.stock = stock);
    }

    /// The levels of `slots`, which were read.
    pub(crate) fn rows(&self, slots: &Range<u32>) -> impl Iterator<Item = (u32, &LevelRow)> {
        self.within(slots).map(|level| (level.slot, &level.row))
    }

    /// Writes what was changed. A level that says nothing has no row.
    pub(crate) fn write(&self, tx: &mut Tx<'_>) -> Result<(), Abort> {
        for level in self.levels.iter().filter(|level| level.changed) {
            let key = (self.resource.as_str(), level.slot);
            match (level.row.is_nothing(), level.stored) {
                (false, _) => tx.put::<Levels>(key, &level.row)?,
                (true, true) => tx.delete::<Levels>(key)?,
                (true, false) => {}
            }
        }
        Ok(())
    }

    fn within(&self, slots: &Range<u32>) -> impl Iterator<Item = &Level> {
        let bounds = self.bounds(slots);
        self.levels[bounds].iter()
    }

    fn changing(&mut self, slots: &Range<u32>) -> impl Iterator<Item = &mut LevelRow> {
        let bounds = self.bounds(slots);
        self.levels[bounds].iter_mut().map(|level| {
            level.changed = true;
            &mut level.row
        })
    }

    fn bounds(&self, slots: &Range<u32>) -> Range<usize> {
        let place = |slot: u32| self.levels.partition_point(|level| level.slot < slot);
        let bounds = place(slots.start)..place(slots.end);
        assert_eq!(bounds.len(), slots.len(), "slots are read before they are used");
        bounds
    }
}

impl LevelRow {
    const fn part(&mut self, part: Part) -> &mut u64 {
        match part {
            Part::Held => &mut self.held,
            Part::Sold => &mut self.sold,
        }
    }
}

/// The rows do not fit together: the state must be rebuilt.
fn doubt(resource: &Id) -> Abort {
    let what = format!("less is taken of {resource} than a hold of it takes");
    StoreError::Doubt { what }.into()
}
