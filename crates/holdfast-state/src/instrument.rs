//! What a primitive shows to whoever watches over it: numbers read from a view, or counted by
//! the transactions themselves.
//!
//! An [`Instrument`] has readings, each of one thing with a name (a queue, say) or of all
//! there is, and a [`Family`] for each number of a reading. Where they are from is its
//! [`Source`]: a function of a view, or the [`tally`](crate::tally). A primitive lists its
//! instruments beside its commands; how many names are shown, and in what form, is up to the
//! edge that shows them.
//!
//! Reading costs nobody's turn, but it costs: a [`BoundedView`] is a view of which only
//! so much is read. An instrument that comes to its end says so ([`BoundedView::was_cut`]); what it has read
//! by then, the first in the order of their keys, is what is shown.
//!
//! Numbers that only rise are counted in rows that are there for other reasons, or else in the
//! process; nothing is written for an instrument.

use std::cell::Cell;

use bytes::Bytes;

use crate::{
    page,
    store::Scan,
    table::{Found, Namespace, Read, Table},
    time::LogTime,
    tx::Abort,
    view::View,
};

/// What one number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// It only rises while what it is of exists. Others are added up.
    Counter,
    /// It rises and falls. Others are added up.
    Level,
    /// A time in microseconds, 0 where there is none. Of others, the longest.
    Age,
}

/// What the numbers at one place of all readings are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Family {
    /// Its name: `queue_ready`. Never another's.
    pub name: &'static str,
    /// What it is.
    pub shown: Shown,
    /// One sentence for people.
    pub about: &'static str,
}

/// What can be read of a state.
#[derive(Clone, Copy, Debug)]
pub struct Instrument {
    /// What the names of a reading are names of: `topic`, `queue`.
    pub labels: &'static [&'static str],
    /// What its values are. Where not all names are shown, those are that have the most of
    /// the first.
    pub families: &'static [Family],
    /// Where its readings are from.
    pub source: Source,
}

/// Where readings are from.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// The state: the same on every node that has come as far.
    State(ReadState),
    /// What the transactions of this process [counted](crate::Tx::count).
    Counted,
}

/// Reads a state. An abort says that it is in doubt.
pub type ReadState = fn(&BoundedView<'_>) -> Result<Vec<Reading>, Abort>;

/// What an instrument says of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// As many as the instrument has labels.
    pub names: Vec<String>,
    /// As many as the instrument has families.
    pub values: Vec<u64>,
}

/// A view of which only so much is read.
#[derive(Debug)]
pub struct BoundedView<'v> {
    view: &'v View,
    left: Cell<usize>,
    cut: Cell<bool>,
}

impl<'v> BoundedView<'v> {
    /// So many rows are read, where each KiB counts as one more.
    #[must_use]
    pub const fn new(view: &'v View, rows: usize) -> Self {
        Self { view, left: Cell::new(rows), cut: Cell::new(false) }
    }

    /// How many more rows may be read.
    #[must_use]
    pub const fn left(&self) -> usize {
        self.left.get()
    }

    /// Was there more than could be read?
    #[must_use]
    pub const fn was_cut(&self) -> bool {
        self.cut.get()
    }

    /// Shows the rows of a table in the order of their keys, until enough was read.
    ///
    /// # Errors
    /// [`Abort`]
    pub fn each<T: Table>(
        &self,
        mut visit: impl FnMut(Found<T::Row>) -> Result<(), Abort>,
    ) -> Result<(), Abort> {
        page::each_while::<T>(self, |found| {
            if self.left.get() == 0 {
                self.cut.set(true);
                return Ok(false);
            }
            visit(found)?;
            Ok(true)
        })
    }

    fn spend(&self, bytes: usize) {
        let cost = 1 + bytes / 1024;
        self.left.set(self.left.get().saturating_sub(cost));
    }
}

impl Read for BoundedView<'_> {
    fn namespace(&self) -> Namespace {
        self.view.namespace()
    }

    fn now(&self) -> LogTime {
        self.view.now()
    }

    fn get_stored(&self, key: &[u8]) -> Result<Option<Bytes>, Abort> {
        let found = self.view.get_stored(key)?;
        self.spend(found.as_ref().map_or(0, Bytes::len));
        Ok(found)
    }

    fn scan_stored(
        &self,
        from: &[u8],
        to: &[u8],
        scan: Scan,
    ) -> Result<Vec<(Bytes, Bytes)>, Abort> {
        let found = self.view.scan_stored(from, to, scan)?;
        self.spend(0);
        found.iter().for_each(|(_, value)| self.spend(value.len()));
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{command::Never, scenario::World, table::TableId, tx::Stop};

    struct Notes;

    impl Table for Notes {
        const ID: TableId = TableId(0x7f00);
        const NAME: &'static str = "test.notes";
        type Key<'k> = u64;
        type Row = String;
    }

    fn seen(view: &BoundedView<'_>) -> usize {
        let mut seen = 0;
        let visit = |_: Found<String>| {
            view.get::<Notes>(0)?;
            seen += 1;
            Ok(())
        };
        view.each::<Notes>(visit).unwrap();
        seen
    }

    #[test]
    fn everything_within_the_bound_is_seen_and_what_is_beyond_is_known_to_be() {
        let mut world = World::default();
        let mut write = |number: u64, text: &str| {
            let written = world.transact(|tx| -> Result<_, Stop<Never>> {
                Ok(tx.put::<Notes>(number, &text.to_owned())?)
            });
            written.unwrap();
            world.view()
        };
        (0..9).for_each(|number| drop(write(number, "x")));
        let view = write(9, "x");
        let whole = BoundedView::new(&view, 1_000);
        assert_eq!((seen(&whole), whole.was_cut()), (10, false));
        assert_eq!(whole.left(), 1_000 - 10 - 10 - 1, "rows, looks beside them, and the scan");
        let part = BoundedView::new(&view, 15);
        assert_eq!((seen(&part), part.was_cut(), part.left()), (4, true, 0));
        let view = write(0, &"x".repeat(3 << 10));
        let part = BoundedView::new(&view, 100);
        part.get::<Notes>(0).unwrap();
        assert_eq!(part.left(), 100 - 1 - 3);
    }
}
