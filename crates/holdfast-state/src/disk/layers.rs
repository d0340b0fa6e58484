//! The state as a stack: recent tables, newest first, over what was written back.
//!
//! A reader takes the stack as it is and a version, and sees through both: of
//! each key the newest write at or before the version counts, and a range that
//! a table deletes hides whatever lies below it.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::RwLock;

use super::base::{BaseRange, Pin, USER, doubt, raw_key};
use crate::{
    key_index::hash_of,
    recent::{Lookup, Recent},
    store::{Direction, Mark, Scan, StoreError},
    version::Version,
};

/// Rows that a scan takes from a recent table at a time, at least and at most.
const PAGE: (usize, usize) = (16, 256);

/// What was written back, with the ranges that were deleted in it but are still there.
#[derive(Debug)]
pub(super) struct Floor {
    pub(super) pin: Pin,
    /// In order, apart from each other.
    pub(super) hidden: Vec<(Bytes, Bytes)>,
    /// The mark that the last table ended at which was written back: this is the state there.
    pub(super) mark: Mark,
}

impl Floor {
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        if self.hides(key) { Ok(None) } else { self.pin.get(key) }
    }

    /// At most `scan.limit` pairs with `from <= key < to`.
    pub(super) fn scan(
        &self,
        from: &[u8],
        to: &[u8],
        scan: Scan,
    ) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        if from >= to {
            return Ok(Vec::new());
        }
        let mut cursor = FloorCursor::new(self, from, to, scan.direction)?;
        let mut found = Vec::new();
        while found.len() < scan.limit
            && let Some((key, _)) = &cursor.head
        {
            let key = key.clone();
            found.extend(cursor.take(&key)?.map(|value| (key, value)));
        }
        Ok(found)
    }

    /// All pairs in order of their keys, read past the cache.
    pub(super) fn pairs(&self) -> impl Iterator<Item = Result<(Bytes, Bytes), StoreError>> {
        let pairs = self.pin.sweep();
        pairs.filter(|pair| !pair.as_ref().is_ok_and(|(key, _)| self.hides(key)))
    }

    fn hides(&self, key: &[u8]) -> bool {
        let after = self.hidden.partition_point(|(from, _)| **from <= *key);
        after.checked_sub(1).is_some_and(|at| *key < *self.hidden[at].1)
    }
}

/// The stack.
#[derive(Debug)]
pub(super) struct Layers {
    /// Takes what is applied, until it is frozen: then the table in here is shared,
    /// and never changes again.
    pub(super) active: Arc<RwLock<Arc<Recent>>>,
    /// Newest first.
    pub(super) frozen: Vec<Arc<Recent>>,
    pub(super) floor: Arc<Floor>,
}

impl Layers {
    /// What the tables in memory know about a key.
    pub(super) fn lookup(&self, key: &[u8], at: Version) -> Lookup {
        let hash = hash_of(key);
        let active = self.active.read().get(key, hash, at);
        if active != Lookup::Unknown {
            return active;
        }
        let mut frozen = self.frozen.iter().map(|table| table.get(key, hash, at));
        frozen.find(|known| *known != Lookup::Unknown).unwrap_or(Lookup::Unknown)
    }

    pub(super) fn get(&self, key: &[u8], at: Version) -> Result<Option<Bytes>, StoreError> {
        match self.lookup(key, at) {
            Lookup::Value(value) => Ok(Some(value)),
            Lookup::Deleted => Ok(None),
            Lookup::Unknown => self.floor.get(key),
        }
    }

    pub(super) fn scan(
        &self,
        from: &[u8],
        to: &[u8],
        scan: Scan,
        at: Version,
    ) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        if from >= to || scan.limit == 0 {
            return Ok(Vec::new());
        }
        let frozen = self.frozen.iter().map(|table| Table::Frozen(table));
        let tables = std::iter::once(Table::Active(&self.active)).chain(frozen);
        let mut tables: Vec<_> =
            tables.map(|table| TableCursor::new(table, from, to, scan, at)).collect();
        let mut floor = FloorCursor::new(&self.floor, from, to, scan.direction)?;
        let mut found = Vec::new();
        while found.len() < scan.limit {
            let mut next = floor.head.as_ref().map(|(key, _)| key.clone());
            for table in &mut tables {
                next = first(scan.direction, next, table.head());
            }
            let Some(key) = next else { break };
            let mut answer = Lookup::Unknown;
            for table in &mut tables {
                let here = table.take(&key);
                if answer == Lookup::Unknown {
                    answer = here;
                }
            }
            let below = floor.take(&key)?;
            match (answer, below) {
                (Lookup::Value(value), _) | (Lookup::Unknown, Some(value)) => {
                    found.push((key, value));
                }
                (Lookup::Deleted, _) | (Lookup::Unknown, None) => {}
            }
        }
        Ok(found)
    }
}

fn first(direction: Direction, a: Option<Bytes>, b: Option<&Bytes>) -> Option<Bytes> {
    match (a, b) {
        (Some(a), Some(b)) => {
            let b_first = match direction {
                Direction::Up => *b < a,
                Direction::Down => *b > a,
            };
            Some(if b_first { b.clone() } else { a })
        }
        (a, b) => a.or_else(|| b.cloned()),
    }
}

#[derive(Clone, Copy)]
enum Table<'a> {
    Active(&'a RwLock<Arc<Recent>>),
    Frozen(&'a Recent),
}

impl Table<'_> {
    fn look<T>(self, look: impl FnOnce(&Recent) -> T) -> T {
        match self {
            Self::Active(table) => look(&table.read()),
            Self::Frozen(table) => look(table),
        }
    }
}

/// A scan through one recent table, page by page: its lock is not held between pages.
struct TableCursor<'a> {
    table: Table<'a>,
    at: Version,
    page: Scan,
    from: Bytes,
    to: Bytes,
    rows: std::vec::IntoIter<(Bytes, Lookup)>,
    exhausted: bool,
    hides: bool,
}

impl<'a> TableCursor<'a> {
    fn new(table: Table<'a>, from: &[u8], to: &[u8], scan: Scan, at: Version) -> Self {
        Self {
            table,
            at,
            page: Scan { limit: scan.limit.clamp(PAGE.0, PAGE.1), ..scan },
            from: Bytes::copy_from_slice(from),
            to: Bytes::copy_from_slice(to),
            rows: Vec::new().into_iter(),
            exhausted: false,
            hides: table.look(Recent::ranges) > 0,
        }
    }

    fn head(&mut self) -> Option<&Bytes> {
        if self.rows.as_slice().is_empty() && !self.exhausted {
            self.refill();
        }
        self.rows.as_slice().first().map(|(key, _)| key)
    }

    fn refill(&mut self) {
        let rows = loop {
            let look = |table: &Recent| table.scan(&self.from, &self.to, self.page, self.at);
            if let Some(rows) = self.table.look(look) {
                break rows;
            }
        };
        self.exhausted = rows.len() < self.page.limit;
        if let Some((last, _)) = rows.last() {
            match self.page.direction {
                Direction::Up => self.from = [last, &[0][..]].concat().into(),
                Direction::Down => self.to = last.clone(),
            }
        }
        self.rows = rows.into_iter();
    }

    /// What the table says about `key`, and on to the next.
    fn take(&mut self, key: &Bytes) -> Lookup {
        if self.head() == Some(key) {
            return self.rows.next().map_or(Lookup::Unknown, |(_, lookup)| lookup);
        }
        if self.hides && self.table.look(|table| table.hides(key, self.at)) {
            return Lookup::Deleted;
        }
        Lookup::Unknown
    }
}

/// A scan through what was written back.
struct FloorCursor<'a> {
    floor: &'a Floor,
    rows: BaseRange,
    direction: Direction,
    head: Option<(Bytes, Bytes)>,
}

impl<'a> FloorCursor<'a> {
    fn new(
        floor: &'a Floor,
        from: &[u8],
        to: &[u8],
        direction: Direction,
    ) -> Result<Self, StoreError> {
        let rows = floor.pin.range(&raw_key(from), &raw_key(to))?;
        let mut cursor = Self { floor, rows, direction, head: None };
        cursor.advance()?;
        Ok(cursor)
    }

    fn advance(&mut self) -> Result<(), StoreError> {
        let next = match self.direction {
            Direction::Up => self.rows.next(),
            Direction::Down => self.rows.next_back(),
        };
        self.head = next.transpose()?;
        if let Some((key, _)) = &mut self.head {
            if key.first() != Some(&USER) {
                return Err(doubt("a scan left the range it was given"));
            }
            *key = key.slice(1..);
        }
        Ok(())
    }

    /// The value of `key`, if it is the next and not hidden, and on to the next.
    fn take(&mut self, key: &Bytes) -> Result<Option<Bytes>, StoreError> {
        let Some((_, value)) = self.head.take_if(|(head, _)| head == key) else { return Ok(None) };
        self.advance()?;
        Ok((!self.floor.hides(key)).then_some(value))
    }
}
