//! The newest rows of a disk store: what has been applied but not yet written
//! back.
//!
//! One writer fills it; when it is full it is frozen and never changes again.
//! As in [`memtable`](crate::memtable), each key has its newest value in place
//! and older ones only while a pinned version can see them. It differs where
//! the disk does: keys lie inside the nodes ([`InlineKey`]), deletions are kept
//! because something may lie below, and every write bears a [`Stamp`], so that
//! a range deleted in a transaction takes what that transaction put there
//! before and leaves what it puts there after.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    ops::Bound,
};

use bytes::Bytes;

use crate::{
    fact::{Change, Fact},
    inline_key::InlineKey,
    memtable::{Lookup, Pins},
    store::{Direction, Scan},
    version::Version,
};

/// When a write happened: the version, and which of its facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stamp {
    pub(super) version: Version,
    pub(super) fact: u32,
}

type Old = (Stamp, Option<Bytes>);

#[derive(Debug)]
struct Slot {
    stamp: Stamp,
    /// `None` is a deletion.
    value: Option<Bytes>,
    /// Overwritten values that a pin may still see, newest first.
    #[expect(clippy::box_collection, reason = "nearly always absent, and then one word")]
    older: Option<Box<Vec<Old>>>,
}

#[derive(Debug)]
struct RangeDelete {
    from: Bytes,
    to: Bytes,
    stamp: Stamp,
}

/// The table.
#[derive(Debug, Default)]
pub(super) struct Recent {
    rows: BTreeMap<InlineKey, Slot>,
    ranges: Vec<RangeDelete>,
    bytes: usize,
}

/// Memory of a row beside its bytes: 128 in a node that is about three quarters full.
const ROW_OVERHEAD: usize = 170;

impl Recent {
    /// Applies one fact. Keys and values remain slices of the batch they came
    /// in, so overwritten bytes are counted too: the batch is held as a whole.
    pub(super) fn apply(
        &mut self,
        fact: Fact<'_>,
        change: &Change,
        number: u32,
        pins: Option<Pins>,
    ) {
        let stamp = Stamp { version: change.version, fact: number };
        match fact {
            Fact::Put { key, value } => self.set(key, Some(change.shared(value)), stamp, pins),
            Fact::Delete { key } => self.set(key, None, stamp, pins),
            Fact::DeleteRange { from, to } if from < to => {
                self.bytes += from.len() + to.len() + ROW_OVERHEAD;
                let (from, to) = (change.shared(from), change.shared(to));
                self.ranges.push(RangeDelete { from, to, stamp });
            }
            Fact::DeleteRange { .. } => {}
        }
    }

    fn set(&mut self, key: &[u8], value: Option<Bytes>, stamp: Stamp, pins: Option<Pins>) {
        self.bytes += key.len() + value.as_ref().map_or(0, Bytes::len);
        match self.rows.entry(InlineKey::new(key)) {
            Entry::Vacant(vacant) => {
                self.bytes += ROW_OVERHEAD;
                vacant.insert(Slot { stamp, value, older: None });
            }
            Entry::Occupied(mut occupied) => occupied.get_mut().overwrite(value, stamp, pins),
        }
    }

    /// What the table knows about `key` at a version.
    pub(super) fn get(&self, key: &[u8], at: Version) -> Lookup {
        if self.rows.is_empty() && self.ranges.is_empty() {
            return Lookup::Unknown;
        }
        let found = self.rows.get(&InlineKey::new(key)).and_then(|slot| slot.at(at));
        self.resolve(key, found, at)
    }

    fn resolve(&self, key: &[u8], found: Option<(Stamp, Option<&Bytes>)>, at: Version) -> Lookup {
        let newer = |range: &RangeDelete| {
            range.stamp.version <= at
                && found.is_none_or(|(stamp, _)| range.stamp > stamp)
                && range.contains(key)
        };
        match found {
            _ if self.ranges.iter().any(newer) => Lookup::Deleted,
            Some((_, Some(value))) => Lookup::Value(value.clone()),
            Some((_, None)) => Lookup::Deleted,
            None => Lookup::Unknown,
        }
    }

    /// Is whatever lies below this table under `key` deleted by one of its ranges?
    pub(super) fn hides(&self, key: &[u8], at: Version) -> bool {
        self.ranges.iter().any(|range| range.stamp.version <= at && range.contains(key))
    }

    /// At most `scan.limit` keys with `from <= key < to` that the table knows
    /// something about at a version, deletions included.
    pub(super) fn scan(
        &self,
        from: &[u8],
        to: &[u8],
        scan: Scan,
        at: Version,
    ) -> Vec<(Bytes, Lookup)> {
        let known = |(key, slot): (&InlineKey, &Slot)| {
            let found = slot.at(at)?;
            let key = key.to_bytes(&[]);
            let lookup = self.resolve(&key, Some(found), at);
            Some((key, lookup))
        };
        let rows = self.rows_in(from, to);
        match scan.direction {
            Direction::Up => rows.filter_map(known).take(scan.limit).collect(),
            Direction::Down => rows.rev().filter_map(known).take(scan.limit).collect(),
        }
    }

    fn rows_in(
        &self,
        from: &[u8],
        to: &[u8],
    ) -> impl DoubleEndedIterator<Item = (&InlineKey, &Slot)> {
        let empty = from >= to;
        let end = if empty { from } else { to };
        self.rows
            .range((Bound::Included(InlineKey::new(from)), Bound::Excluded(InlineKey::new(end))))
    }

    /// Every key with its last value, in order; `None` is a deletion.
    pub(super) fn last_values(&self) -> impl Iterator<Item = (&InlineKey, Option<Bytes>)> {
        self.rows.iter().map(|(key, slot)| (key, self.last_value(key, slot)))
    }

    fn last_value(&self, key: &InlineKey, slot: &Slot) -> Option<Bytes> {
        if !self.ranges.is_empty() {
            let key = key.to_bytes(&[]);
            if self.ranges.iter().any(|range| range.stamp > slot.stamp && range.contains(&key)) {
                return None;
            }
        }
        slot.value.clone()
    }

    /// Does any key in `from..to` have a last value?
    pub(super) fn has_values_in(&self, from: &[u8], to: &[u8]) -> bool {
        self.rows_in(from, to).any(|(key, slot)| self.last_value(key, slot).is_some())
    }

    /// Does it know of any key in `from..to`?
    pub(super) fn has_rows_in(&self, from: &[u8], to: &[u8]) -> bool {
        self.rows_in(from, to).next().is_some()
    }

    /// Deleted ranges, in the order they were deleted.
    pub(super) fn deleted_ranges(&self) -> Vec<(Bytes, Bytes)> {
        self.ranges.iter().map(|range| (range.from.clone(), range.to.clone())).collect()
    }

    /// Number of deleted ranges, each of which every lookup walks past.
    pub(super) const fn ranges(&self) -> usize {
        self.ranges.len()
    }

    /// Estimated memory in bytes.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }
}

impl RangeDelete {
    fn contains(&self, key: &[u8]) -> bool {
        *self.from <= *key && *key < *self.to
    }
}

impl Slot {
    /// The newest value at or before `at`.
    fn at(&self, at: Version) -> Option<(Stamp, Option<&Bytes>)> {
        if self.stamp.version <= at {
            return Some((self.stamp, self.value.as_ref()));
        }
        let older = self.older.as_ref()?.iter().find(|(stamp, _)| stamp.version <= at)?;
        Some((older.0, older.1.as_ref()))
    }

    fn overwrite(&mut self, value: Option<Bytes>, stamp: Stamp, pins: Option<Pins>) {
        let previous = (self.stamp, std::mem::replace(&mut self.value, value));
        self.stamp = stamp;
        let Some(pins) = pins else {
            self.older = None;
            return;
        };
        let seen = previous.0.version <= pins.newest && previous.0.version < stamp.version;
        if !seen && self.older.is_none() {
            return;
        }
        let older = self.older.get_or_insert_default();
        if seen {
            older.insert(0, previous);
        }
        // Everything behind the first value that the oldest pin sees is out of sight.
        if let Some(last) = older.iter().position(|(stamp, _)| stamp.version <= pins.oldest) {
            older.truncate(last + 1);
        }
    }
}
