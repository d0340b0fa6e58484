//! An ordered map that remembers, for readers who hold on to a version, what
//! has been overwritten since.
//!
//! One writer, under the lock of whoever owns the table. Each key has its newest
//! value in place; older values are kept only while a pinned version can see
//! them, so an account that is written a hundred thousand times a second takes
//! the room of one row.

use std::{collections::BTreeMap, ops::Bound};

use bytes::Bytes;

use crate::{
    fact::{Change, Fact},
    store::{Direction, Scan},
    version::Version,
};

/// A value of a key from a version on; `None` is a deletion.
#[derive(Clone, Debug)]
struct Slot {
    version: Version,
    value: Option<Bytes>,
    /// Overwritten values that a pin may still see, newest first.
    older: Vec<(Version, Option<Bytes>)>,
}

/// A deletion of every key in `from..to` that was written before `version`.
#[derive(Clone, Debug)]
pub struct RangeDelete {
    /// First key deleted.
    pub from: Bytes,
    /// First key that stays.
    pub to: Bytes,
    /// When.
    pub version: Version,
}

/// What a table knows about a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// It has this value.
    Value(Bytes),
    /// It has none, whatever lies below this table.
    Deleted,
    /// Ask below.
    Unknown,
}

/// Versions that somebody holds on to.
#[derive(Clone, Copy, Debug)]
pub struct Pins {
    /// The oldest.
    pub oldest: Version,
    /// The newest.
    pub newest: Version,
}

/// The map.
#[derive(Clone, Debug, Default)]
pub struct Memtable {
    rows: BTreeMap<Bytes, Slot>,
    ranges: Vec<RangeDelete>,
    bytes: usize,
}

/// Rough cost of a row beside its bytes: two handles, the slot, a share of a node.
const ROW_OVERHEAD: usize = 128;

impl Memtable {
    /// Applies a fact of a transaction, keeping what `pins` may see.
    pub fn apply(&mut self, fact: Fact<'_>, change: &Change, pins: Option<Pins>) {
        let version = change.version;
        match fact {
            Fact::Put { key, value } => {
                self.set(change.shared(key), Some(change.shared(value)), version, pins);
            }
            Fact::Delete { key } => self.set(change.shared(key), None, version, pins),
            Fact::DeleteRange { from, to } => {
                if from < to {
                    self.bytes += from.len() + to.len() + ROW_OVERHEAD;
                    // What the same transaction put there before is not older than the
                    // range by its version, so it is deleted here.
                    let bounds = (Bound::Included(from), Bound::Excluded(to));
                    for (_, slot) in self.rows.range_mut::<[u8], _>(bounds) {
                        if slot.version == version {
                            slot.value = None;
                        }
                    }
                    let (from, to) = (change.shared(from), change.shared(to));
                    self.ranges.push(RangeDelete { from, to, version });
                }
            }
        }
    }

    /// Sets a value, as read from a snapshot at this version.
    pub fn load(&mut self, key: Bytes, value: Bytes, version: Version) {
        self.set(key, Some(value), version, None);
    }

    fn set(&mut self, key: Bytes, value: Option<Bytes>, version: Version, pins: Option<Pins>) {
        let size = key.len() + value.as_ref().map_or(0, Bytes::len);
        match self.rows.entry(key) {
            std::collections::btree_map::Entry::Vacant(vacant) => {
                self.bytes += size + ROW_OVERHEAD;
                vacant.insert(Slot { version, value, older: Vec::new() });
            }
            std::collections::btree_map::Entry::Occupied(mut occupied) => {
                occupied.get_mut().overwrite(value, version, pins);
            }
        }
    }

    /// Forgets `key` altogether: for a table that has nothing below it, when
    /// no version is pinned.
    pub fn remove(&mut self, key: &[u8]) {
        if let Some(slot) = self.rows.remove(key) {
            self.bytes = self.bytes.saturating_sub(slot.cost(key));
        }
    }

    /// What the table knows about `key` at a version.
    #[must_use]
    pub fn get(&self, key: &[u8], at: Version) -> Lookup {
        let found = self.rows.get(key).and_then(|slot| slot.at(at));
        self.resolve(key, found, at)
    }

    fn resolve(&self, key: &[u8], found: Option<(Version, Option<&Bytes>)>, at: Version) -> Lookup {
        let written = found.map_or(Version::ZERO, |(version, _)| version);
        let covered = |range: &RangeDelete| {
            range.version <= at
                && range.version > written
                && range.from.as_ref() <= key
                && key < range.to.as_ref()
        };
        if !self.ranges.is_empty() && self.ranges.iter().any(covered) {
            return Lookup::Deleted;
        }
        match found {
            Some((_, Some(value))) => Lookup::Value(value.clone()),
            Some((_, None)) => Lookup::Deleted,
            None => Lookup::Unknown,
        }
    }

    /// At most `scan.limit` keys with `from <= key < to` that the table knows
    /// something about at a version, deletions included.
    #[must_use]
    pub fn scan(&self, from: &[u8], to: &[u8], scan: Scan, at: Version) -> Vec<(Bytes, Lookup)> {
        if from >= to {
            return Vec::new();
        }
        let known = |(key, slot): (&Bytes, &Slot)| {
            let lookup = self.resolve(key, slot.at(at), at);
            (lookup != Lookup::Unknown).then(|| (key.clone(), lookup))
        };
        let bounds = (Bound::Included(from), Bound::Excluded(to));
        let rows = self.rows.range::<[u8], _>(bounds);
        match scan.direction {
            Direction::Up => rows.filter_map(known).take(scan.limit).collect(),
            Direction::Down => rows.rev().filter_map(known).take(scan.limit).collect(),
        }
    }

    /// Deleted ranges in the order they were deleted.
    #[must_use]
    pub fn ranges(&self) -> &[RangeDelete] {
        &self.ranges
    }

    /// Estimated memory in bytes.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Number of keys it knows something about.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Knows nothing?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.ranges.is_empty()
    }

    /// Forgets deletions that nothing below needs and no pin sees: for a table
    /// that has nothing below it.
    pub fn forget_deleted(&mut self, pins: Option<Pins>) {
        let ranges = std::mem::take(&mut self.ranges);
        let bytes = &mut self.bytes;
        let gone = |key: &Bytes, slot: &Slot| {
            let newest = ranges
                .iter()
                .filter(|range| range.from <= *key && *key < range.to)
                .map(|range| range.version)
                .max();
            slot.value.is_none() || newest.is_some_and(|version| version > slot.version)
        };
        if pins.is_none() {
            self.rows.retain(|key, slot| {
                let keep = !gone(key, slot);
                if !keep {
                    *bytes = bytes.saturating_sub(slot.cost(key));
                }
                keep
            });
        } else {
            self.ranges = ranges;
        }
    }
}

impl Slot {
    fn cost(&self, key: &[u8]) -> usize {
        key.len() + self.value.as_ref().map_or(0, Bytes::len) + ROW_OVERHEAD
    }

    /// The newest value at or before `at`.
    fn at(&self, at: Version) -> Option<(Version, Option<&Bytes>)> {
        if self.version <= at {
            return Some((self.version, self.value.as_ref()));
        }
        let older = self.older.iter().find(|(version, _)| *version <= at)?;
        Some((older.0, older.1.as_ref()))
    }

    fn overwrite(&mut self, value: Option<Bytes>, version: Version, pins: Option<Pins>) {
        let previous = (self.version, std::mem::replace(&mut self.value, value));
        self.version = version;
        let Some(pins) = pins else {
            self.older = Vec::new();
            return;
        };
        if pins.newest >= previous.0 && previous.0 < version {
            self.older.insert(0, previous);
        }
        // Everything behind the first value that the oldest pin sees is out of sight.
        if let Some(seen) = self.older.iter().position(|(version, _)| *version <= pins.oldest) {
            self.older.truncate(seen + 1);
        }
    }
}
