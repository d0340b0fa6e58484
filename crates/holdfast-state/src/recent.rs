//! Rows in memory that remember, for readers who hold on to a version, what has
//! been overwritten since: all of a memory store, the newest part of a disk store.
//!
//! One writer, under the lock of whoever owns the table. Each key has its newest
//! value in place; older values are kept only while a pinned version can see
//! them, so an account that is written a hundred thousand times a second takes
//! the room of one row. Deletions are kept because something may lie below, and
//! every write bears a [`Stamp`], so that a range deleted in a transaction takes
//! what that transaction put there before and leaves what it puts there after.
//!
//! Rows lie in the order they came, sixty-four bytes each; keys and values remain
//! in the batch that brought them. A hash index finds them (`KeyIndex`). Their order
//! is made by and for those who ask for it (`order`), table by table of the
//! keyspace: most of what a ledger writes is never scanned while it is here.

mod order;

use std::{collections::BTreeMap, num::NonZeroU32, ops::ControlFlow};

use bytes::Bytes;
use parking_lot::Mutex;

use self::order::Order;
use crate::{
    fact::{BadBatch, Change, Fact},
    key_index::{KeyHash, KeyIndex, hash_of},
    store::{Direction, Scan},
    table::PREFIX_LENGTH,
    version::Version,
};

/// When a write happened: the version, and which of its facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stamp {
    pub(crate) version: Version,
    pub(crate) fact: u32,
}

/// What a table knows about a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lookup {
    /// It has this value.
    Value(Bytes),
    /// It has none, whatever lies below this table.
    Deleted,
    /// Ask below.
    Unknown,
}

/// Versions that somebody holds on to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pins {
    pub(crate) oldest: Version,
    pub(crate) newest: Version,
}

/// The table.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    /// Numbered as they came.
    rows: Vec<Row>,
    index: KeyIndex,
    kinds: BTreeMap<Kind, OfKind>,
    ranges: Vec<RangeDelete>,
    bytes: usize,
    long_bytes: usize,
}

/// The first bytes of a key, as a number: the namespace and table that it belongs
/// to. Keys of different kinds sort as their kinds do.
pub(crate) type Kind = u64;

pub(crate) fn kind_of(key: &[u8]) -> Kind {
    let mut kind = [0; 8];
    let known = key.len().min(PREFIX_LENGTH);
    kind[..known].copy_from_slice(&key[..known]);
    Kind::from_be_bytes(kind)
}

#[derive(Debug, Default)]
struct OfKind {
    /// As they came.
    numbers: Vec<u32>,
    /// Locked after the table.
    order: Mutex<Order>,
}

#[derive(Debug)]
struct Row {
    written: Written,
    /// Overwritten values that a pin may still see, newest first.
    #[expect(clippy::box_collection, reason = "nearly always absent, and then one word")]
    older: Option<Box<Vec<Written>>>,
}

#[derive(Clone, Debug)]
struct Written {
    stamp: Stamp,
    /// The key, and behind it the value if it has one, with its length between.
    bytes: Bytes,
    key_length: u32,
    /// Where the value begins; none is a deletion.
    value_at: Option<NonZeroU32>,
}

#[derive(Debug)]
struct RangeDelete {
    from: Bytes,
    to: Bytes,
    stamp: Stamp,
}

/// Memory of a row beside its bytes: itself, its slots in the index, its number.
const ROW_OVERHEAD: usize = size_of::<Row>() + 24 + 8;

/// A row of so many bytes fills a block on disk by itself: written in small tables or in large
/// ones, it costs the same.
const LONG_ROW_BYTES: usize = 4096;

/// How often a byte of a long row counts. What a large table saves is merging row by row, and a
/// megabyte of them is few rows.
const LONG_ROW_WEIGHT: usize = 4;

/// Rows that one look at a table puts in order at most, so that its lock is not
/// held for long.
const ORDERED_AT_ONCE: usize = 1024;

/// Rows that lie scattered and are asked for together, before any is waited for.
const TOUCHED_AT_ONCE: usize = 32;

/// A fact with the hash of its key; that of a range is not looked at.
pub(crate) type HashedFact<'a> = (KeyHash, Fact<'a>);

/// The facts of a transaction, checked and hashed.
///
/// # Errors
/// [`BadBatch`]
pub(crate) fn hashed(change: &Change) -> Result<Vec<HashedFact<'_>>, BadBatch> {
    let hashed = |fact| match fact {
        Fact::Put { key, .. } | Fact::Delete { key } => (hash_of(key), fact),
        Fact::DeleteRange { .. } => (0, fact),
    };
    change.facts().map(|fact| fact.map(hashed)).collect()
}

impl Recent {
    /// An empty table with room for as many rows as this one has.
    pub(crate) fn successor(&self) -> Self {
        let rows = self.rows.len();
        let index = KeyIndex::with_room_for(rows);
        Self { rows: Vec::with_capacity(rows), index, ..Self::default() }
    }

    /// Applies facts of a transaction, of which `first` is the number of the first.
    /// Keys and values remain slices of the batch they came in, so overwritten bytes
    /// are counted too: the batch is held as a whole.
    pub(crate) fn apply(
        &mut self,
        (first, facts): (u32, &[HashedFact<'_>]),
        change: &Change,
        pins: Option<Pins>,
    ) {
        // The memory of all places is asked for before any is waited for.
        facts.iter().for_each(|(hash, _)| self.index.touch(*hash));
        for (number, (hash, fact)) in (first..).zip(facts) {
            let stamp = Stamp { version: change.version, fact: number };
            match *fact {
                Fact::Put { key, value } => {
                    let bytes = change.shared_between(key, value);
                    let value_at = bytes.len() - value.len();
                    self.set(*hash, Written::new(stamp, bytes, key.len(), value_at), pins);
                }
                Fact::Delete { key } => {
                    self.set(*hash, Written::new(stamp, change.shared(key), key.len(), 0), pins);
                }
                Fact::DeleteRange { from, to } if from < to => {
                    self.bytes += from.len() + to.len() + ROW_OVERHEAD;
                    let (from, to) = (change.shared(from), change.shared(to));
                    self.ranges.push(RangeDelete { from, to, stamp });
                }
                Fact::DeleteRange { .. } => {}
            }
        }
    }

    fn set(&mut self, hash: KeyHash, written: Written, pins: Option<Pins>) {
        let length = written.bytes.len();
        self.bytes += length;
        self.long_bytes += if length < LONG_ROW_BYTES { 0 } else { length };
        let (key, rows) = (written.key(), &mut self.rows);
        if let Some(number) = self.index.find(hash, |number| rows[number as usize].key() == key) {
            rows[number as usize].overwrite(written, pins);
            return;
        }
        self.bytes += ROW_OVERHEAD;
        let number = u32::try_from(rows.len()).expect("memory ends before numbers do");
        self.index.insert(hash, number);
        self.kinds.entry(kind_of(key)).or_default().numbers.push(number);
        rows.push(Row { written, older: None });
    }

    /// What the table knows about `key`, which has this hash, at a version.
    pub(crate) fn get(&self, key: &[u8], hash: KeyHash, at: Version) -> Lookup {
        let is = |number| self.rows[number as usize].key() == key;
        let row = self.index.find(hash, is).map(|number| &self.rows[number as usize]);
        self.resolve(key, row.and_then(|row| row.at(at)), at)
    }

    fn resolve(&self, key: &[u8], found: Option<&Written>, at: Version) -> Lookup {
        let newer = |range: &RangeDelete| {
            range.stamp.version <= at
                && found.is_none_or(|written| range.stamp > written.stamp)
                && range.contains(key)
        };
        match found {
            _ if self.ranges.iter().any(newer) => Lookup::Deleted,
            Some(written) => written.value().map_or(Lookup::Deleted, Lookup::Value),
            None => Lookup::Unknown,
        }
    }

    /// Is whatever lies below this table under `key` deleted by one of its ranges?
    pub(crate) fn hides(&self, key: &[u8], at: Version) -> bool {
        self.ranges.iter().any(|range| range.stamp.version <= at && range.contains(key))
    }

    /// At most `scan.limit` keys with `from <= key < to` that the table knows
    /// something about at a version, deletions included. `None` when so many rows
    /// had to be put in order that others should have the table first: ask again.
    pub(crate) fn scan(
        &self,
        from: &[u8],
        to: &[u8],
        scan: Scan,
        at: Version,
    ) -> Option<Vec<(Bytes, Lookup)>> {
        let mut found = Vec::new();
        let collect = |row: &Row| {
            if found.len() >= scan.limit {
                return ControlFlow::Break(());
            }
            if let Some(written) = row.at(at) {
                let key = written.bytes.slice(..row.key().len());
                let lookup = self.resolve(&key, Some(written), at);
                found.push((key, lookup));
            }
            ControlFlow::Continue(())
        };
        let done = self.visit((from, to), scan.direction, ORDERED_AT_ONCE, collect);
        done.then_some(found)
    }

    /// Shows the rows with `from <= key < to`, until told to stop. False when more
    /// than `ordered_max` rows would have had to be put in order before.
    fn visit(
        &self,
        (from, to): (&[u8], &[u8]),
        direction: Direction,
        mut ordered_max: usize,
        mut show: impl FnMut(&Row) -> ControlFlow<()>,
    ) -> bool {
        if from >= to {
            return true;
        }
        let mut visit = |of_kind: &OfKind| {
            let mut order = of_kind.order.lock();
            if !order.bring_forward(&self.rows, &of_kind.numbers, &mut ordered_max) {
                return ControlFlow::Break(false);
            }
            let shown = order.visit(&self.rows, (from, to), direction, &mut show);
            shown.map_break(|()| true)
        };
        let mut kinds = self.kinds.range(kind_of(from)..=kind_of(to)).map(|(_, of_kind)| of_kind);
        let ended = match direction {
            Direction::Up => kinds.try_for_each(&mut visit),
            Direction::Down => kinds.rev().try_for_each(&mut visit),
        };
        ended.break_value().unwrap_or(true)
    }

    /// Keys whose last write is no deletion, as they came.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &[u8]> {
        self.rows.iter().filter(|row| row.written.value_at.is_some()).map(Row::key)
    }

    /// Every key with its last value, in order; `None` is a deletion.
    pub(crate) fn last_values(&self) -> impl Iterator<Item = (&[u8], Option<Bytes>)> {
        let ordered = move |of_kind: &OfKind| {
            let numbers = of_kind.order.lock().all(&self.rows, &of_kind.numbers);
            (0..numbers.len()).map(move |place| {
                if place % TOUCHED_AT_ONCE == 0 {
                    let ahead = numbers[place..].iter().take(TOUCHED_AT_ONCE);
                    ahead.for_each(|number| self.rows[*number as usize].touch());
                }
                &self.rows[numbers[place] as usize]
            })
        };
        self.kinds.values().flat_map(ordered).map(|row| (row.key(), self.last_value(row)))
    }

    fn last_value(&self, row: &Row) -> Option<Bytes> {
        let newer =
            |range: &RangeDelete| range.stamp > row.written.stamp && range.contains(row.key());
        if self.ranges.iter().any(newer) { None } else { row.written.value() }
    }

    /// Does any key in `from..to` have a last value?
    pub(crate) fn has_values_in(&self, from: &[u8], to: &[u8]) -> bool {
        self.any_in(from, to, |row| self.last_value(row).is_some())
    }

    /// Does it know of any key in `from..to`?
    pub(crate) fn has_rows_in(&self, from: &[u8], to: &[u8]) -> bool {
        self.any_in(from, to, |_| true)
    }

    fn any_in(&self, from: &[u8], to: &[u8], wanted: impl Fn(&Row) -> bool) -> bool {
        let mut any = false;
        self.visit((from, to), Direction::Up, usize::MAX, |row| {
            any = wanted(row);
            if any { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        any
    }

    /// The same rows without what is deleted or overwritten: for a table that has
    /// nothing below it, when no version is pinned.
    pub(crate) fn compacted(&self) -> Self {
        let mut compacted = Self::default();
        for row in &self.rows {
            if self.last_value(row).is_some() {
                compacted.set(hash_of(row.key()), row.written.clone(), None);
            }
        }
        compacted
    }

    /// Deleted ranges, in the order they were deleted.
    pub(crate) fn deleted_ranges(&self) -> Vec<(Bytes, Bytes)> {
        self.ranges.iter().map(|range| (range.from.clone(), range.to.clone())).collect()
    }

    /// Number of deleted ranges, each of which every lookup walks past.
    pub(crate) const fn ranges(&self) -> usize {
        self.ranges.len()
    }

    /// Number of keys it knows something about.
    pub(crate) const fn len(&self) -> usize {
        self.rows.len()
    }

    /// How full it is, in bytes, of which those of long rows count several times.
    pub(crate) const fn fullness(&self) -> usize {
        let long = self.long_bytes * LONG_ROW_WEIGHT;
        if long > self.bytes { long } else { self.bytes }
    }
}

impl RangeDelete {
    fn contains(&self, key: &[u8]) -> bool {
        *self.from <= *key && *key < *self.to
    }
}

impl Written {
    /// `value_at` is 0 for a deletion.
    fn new(stamp: Stamp, bytes: Bytes, key_length: usize, value_at: usize) -> Self {
        let place = |at| u32::try_from(at).expect("an entry of the log has less than 4 GiB");
        let (key_length, value_at) = (place(key_length), NonZeroU32::new(place(value_at)));
        Self { stamp, bytes, key_length, value_at }
    }

    fn key(&self) -> &[u8] {
        &self.bytes[..self.key_length as usize]
    }

    fn value(&self) -> Option<Bytes> {
        self.value_at.map(|at| self.bytes.slice(at.get() as usize..))
    }
}

impl Row {
    fn touch(&self) {
        std::hint::black_box((self.written.bytes.first(), self.written.bytes.last()));
    }

    fn key(&self) -> &[u8] {
        self.written.key()
    }

    /// What was written last at or before `at`.
    fn at(&self, at: Version) -> Option<&Written> {
        if self.written.stamp.version <= at {
            return Some(&self.written);
        }
        self.older.as_ref()?.iter().find(|written| written.stamp.version <= at)
    }

    fn overwrite(&mut self, written: Written, pins: Option<Pins>) {
        let now = written.stamp.version;
        let previous = std::mem::replace(&mut self.written, written);
        let Some(pins) = pins else {
            self.older = None;
            return;
        };
        let before = previous.stamp.version;
        let seen = before <= pins.newest && before < now;
        if !seen && self.older.is_none() {
            return;
        }
        let older = self.older.get_or_insert_default();
        if seen {
            older.insert(0, previous);
        }
        // Everything behind the first value that the oldest pin sees is out of sight.
        let sees = |written: &Written| written.stamp.version <= pins.oldest;
        if let Some(last) = older.iter().position(sees) {
            older.truncate(last + 1);
        }
    }
}
