//! Where counters are, and how they are forgotten: shelves.
//!
//! A counter that nothing is charged to becomes as good as a fresh one, and there may be
//! millions. So counters lie on *shelves*: the log time at which a counter was written last
//! says which, and a shelf is as wide as counters of its rule remember, so a counter that
//! means anything is on the shelf of now or on the one before. A shelf before those is
//! cleared away with one fact for each table (P20), by a timer of the rule.
//!
//! A counter on the shelf before is read there and written here; what it was stays behind
//! until its shelf goes.

use holdfast_state::{
    Abort, Id, LogTime, Read, Table, Tx, Version, key::after_prefix, table::stored_key,
    unknown::Unknown,
};

use super::{
    forget::HANDLER,
    row::{CounterKey, RuleRow, Shelves, ShelvesRow},
};

/// The narrowest shelf: a timer each minute for a rule in use is little.
const WIDTH_US_MIN: u64 = 60_000_000;

/// A rule's counters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counters<'a> {
    pub(super) limit: &'a Id,
    pub(super) rule: &'a RuleRow,
}

/// One of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) counters: Counters<'a>,
    /// The values by which the rule counts.
    pub(super) key: &'a str,
}

impl<'a> Counters<'a> {
    fn width_us(self) -> u64 {
        self.rule.rule.quota.memory_us().max(WIDTH_US_MIN)
    }

    fn shelves(self) -> (&'a str, Version, u16) {
        (self.limit.as_str(), self.rule.since, self.rule.number)
    }

    /// Notes that something is written to this shelf.
    fn open(self, tx: &mut Tx<'_>, shelf: u64) -> Result<(), Abort> {
        let row = match tx.get::<Shelves>(self.shelves())? {
            Some(row) if row.newest == shelf => return Ok(()),
            Some(row) => ShelvesRow { newest: shelf, ..row },
            None => {
                let width_us = self.width_us();
                let payload = (self.limit.clone(), self.rule.since, self.rule.number);
                ShelvesRow {
                    algorithm: self.rule.rule.quota.algorithm(),
                    width_us,
                    oldest: shelf,
                    newest: shelf,
                    timer: tx.arm_timer(end_of(shelf, width_us), HANDLER, &payload)?,
                    unknown: Unknown::default(),
                }
            }
        };
        tx.put::<Shelves>(self.shelves(), &row)
    }

    /// Takes all of them away, for the rule is no more what it was.
    pub(super) fn remove(self, tx: &mut Tx<'_>) -> Result<(), Abort> {
        let Some(row) = tx.get::<Shelves>(self.shelves())? else { return Ok(()) };
        for table in row.algorithm.tables() {
            let from = stored_key(tx.namespace(), *table, &self.shelves());
            let to = after_prefix(&from).expect("a stored key begins with a table number");
            tx.delete_range_stored(&from, &to)?;
        }
        tx.cancel_timer(row.timer)?;
        tx.delete::<Shelves>(self.shelves())
    }
}

/// When nothing on a shelf means anything any more.
pub(super) fn end_of(shelf: u64, width_us: u64) -> LogTime {
    LogTime::from_us(shelf.saturating_add(2).saturating_mul(width_us))
}

/// The first shelf that may still mean something.
pub(super) fn first_kept(now: LogTime, width_us: u64) -> u64 {
    (now.as_us() / width_us).saturating_sub(1)
}

impl<'a> Place<'a> {
    /// The shelves on which it may be: that of now, and the one before.
    pub(super) fn shelves_of(self, now: LogTime) -> [u64; 2] {
        let shelf = now.as_us() / self.counters.width_us();
        [shelf, shelf.saturating_sub(1)]
    }

    pub(super) fn key_on(self, shelf: u64) -> CounterKey<'a> {
        let (limit, since, number) = self.counters.shelves();
        (limit, since, (number, shelf), self.key)
    }

    /// The counter and the shelf it is on, if it means anything.
    pub(super) fn find<T>(self, state: &impl Read) -> Result<Option<(u64, T::Row)>, Abort>
    where
        T: for<'k> Table<Key<'k> = CounterKey<'k>>,
    {
        for shelf in self.shelves_of(state.now()) {
            if let Some(row) = state.get::<T>(self.key_on(shelf))? {
                return Ok(Some((shelf, row)));
            }
        }
        Ok(None)
    }

    /// Writes the counter, which was found on `found`, to the shelf of now.
    pub(super) fn keep<T>(
        self,
        tx: &mut Tx<'_>,
        found: Option<u64>,
        row: &T::Row,
    ) -> Result<(), Abort>
    where
        T: for<'k> Table<Key<'k> = CounterKey<'k>>,
    {
        let [shelf, _] = self.shelves_of(tx.now());
        if found != Some(shelf) {
            self.counters.open(tx, shelf)?;
        }
        tx.put::<T>(self.key_on(shelf), row)
    }

    /// Takes it away, on whichever shelf it is.
    pub(super) fn discard<T>(self, tx: &mut Tx<'_>) -> Result<(), Abort>
    where
        T: for<'k> Table<Key<'k> = CounterKey<'k>>,
    {
        let shelves = self.shelves_of(tx.now());
        shelves.into_iter().try_for_each(|shelf| tx.delete::<T>(self.key_on(shelf)))
    }
}
