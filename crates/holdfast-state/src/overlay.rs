//! What has been evaluated but is not applied yet.
//!
//! Later transactions must see it, no answer may rest on it before it is
//! durable, and nobody but the evaluator ever reads it. A transaction writes
//! straight into it and is taken back out again when it is refused.
//!
//! Writes leave in the order in which they came, so they stand in a queue: what a
//! transaction wrote is at its end until it commits, what is applied next at its
//! front. An index finds the last write of a key; an order of them is kept only
//! for the tables that have been scanned (`Ordered`).

use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    ops::Bound,
    sync::Arc,
};

use bytes::Bytes;

use crate::{
    inline_key::InlineKey,
    key_index::{KeyHash, KeyIndex, hash_of},
    recent::{Kind, Lookup, kind_of},
    store::{Direction, Scan, Source, StoreError},
    version::Version,
};

#[derive(Debug)]
struct Pending {
    version: Version,
    /// The key, and behind it the value.
    bytes: Box<[u8]>,
    hash: KeyHash,
    key_length: u32,
    deleted: bool,
    /// The write of the same key that this one hides.
    hidden: Option<u32>,
}

impl Pending {
    fn key(&self) -> &[u8] {
        &self.bytes[..self.key_length as usize]
    }

    fn value(&self) -> Option<Bytes> {
        let value = &self.bytes[self.key_length as usize..];
        (!self.deleted).then(|| Bytes::copy_from_slice(value))
    }
}

#[derive(Debug)]
struct PendingRange {
    from: Arc<[u8]>,
    to: Arc<[u8]>,
    version: Version,
}

/// Evaluated writes above the applied state.
#[derive(Debug, Default)]
pub struct Overlay {
    writes: Writes,
    /// The last write of each key.
    index: KeyIndex,
    order: RefCell<Ordered>,
    ranges: Vec<PendingRange>,
    /// Where the open transaction began.
    begun: OverlayMark,
}

/// A place within the open transaction: how many writes and ranges there were.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OverlayMark {
    writes: usize,
    ranges: usize,
}

/// Writes in the order in which they came, each with a number that it keeps.
#[derive(Debug, Default)]
struct Writes {
    queue: VecDeque<Pending>,
    /// The number of the one in front.
    first: u32,
}

impl Writes {
    fn get(&self, number: u32) -> &Pending {
        &self.queue[number.wrapping_sub(self.first) as usize]
    }

    fn push(&mut self, write: Pending) {
        self.queue.push_back(write);
    }

    /// The number of the next one that comes.
    fn next(&self) -> u32 {
        let waiting = u32::try_from(self.queue.len()).expect("bounded by what is in flight");
        self.first.wrapping_add(waiting)
    }
}

/// The last writes of scanned kinds in the order of their keys.
#[derive(Debug, Default)]
struct Ordered {
    rows: BTreeMap<InlineKey, u32>,
    /// First and last of the kinds that are in `rows`.
    kinds: Vec<(Kind, Kind)>,
}

/// With more scanned kinds than this, all are kept in order.
const KINDS_MAX: usize = 16;

impl Ordered {
    fn has(&self, kind: Kind) -> bool {
        self.kinds.iter().any(|(first, last)| (first..=last).contains(&&kind))
    }

    fn set(&mut self, key: &[u8], number: u32) {
        if !self.kinds.is_empty() && self.has(kind_of(key)) {
            self.rows.insert(InlineKey::new(key), number);
        }
    }

    fn remove(&mut self, key: &[u8]) {
        if !self.kinds.is_empty() {
            self.rows.remove(&InlineKey::new(key));
        }
    }

    /// Has the last writes of these kinds in order from now on.
    fn include(&mut self, first: Kind, last: Kind, writes: &Writes) {
        if self.kinds.iter().any(|(from, to)| *from <= first && last <= *to) {
            return;
        }
        if self.kinds.len() < KINDS_MAX {
            self.kinds.push((first, last));
        } else {
            self.kinds = vec![(Kind::MIN, Kind::MAX)];
        }
        for (place, write) in (0..).zip(&writes.queue) {
            self.set(write.key(), writes.first.wrapping_add(place));
        }
    }
}

impl Overlay {
    /// Nothing pending?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.writes.queue.is_empty() && self.ranges.is_empty()
    }

    /// Throws everything away: its writer leads no more.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn begin(&mut self) {
        self.begun = self.mark();
    }

    pub(crate) fn rollback(&mut self) {
        self.rollback_to(self.begun);
    }

    /// Where the open transaction stands.
    pub(crate) fn mark(&self) -> OverlayMark {
        OverlayMark { writes: self.writes.queue.len(), ranges: self.ranges.len() }
    }

    /// Takes back what the open transaction did since it stood there.
    pub(crate) fn rollback_to(&mut self, mark: OverlayMark) {
        while self.writes.queue.len() > mark.writes {
            let write = self.writes.queue.pop_back().expect("there are more than before");
            let number = self.writes.next();
            let order = self.order.get_mut();
            if let Some(hidden) = write.hidden {
                self.index.renumber(write.hash, number, hidden);
                order.set(write.key(), hidden);
            } else {
                self.index.remove(write.hash, number);
                order.remove(write.key());
            }
        }
        self.ranges.truncate(mark.ranges);
    }

    pub(crate) fn set(&mut self, key: &[u8], value: Option<&[u8]>, version: Version) {
        let (hash, number) = (hash_of(key), self.writes.next());
        let hidden = self.find(key, hash);
        match hidden {
            Some(hidden) => self.index.renumber(hash, hidden, number),
            None => self.index.insert(hash, number),
        }
        self.order.get_mut().set(key, number);
        let bytes = [key, value.unwrap_or_default()].concat().into();
        let key_length = u32::try_from(key.len()).expect("a key is part of an entry");
        let deleted = value.is_none();
        self.writes.push(Pending { version, bytes, hash, key_length, deleted, hidden });
    }

    pub(crate) fn delete_range(&mut self, from: &[u8], to: &[u8], version: Version) {
        if from >= to {
            return;
        }
        let order = self.order.get_mut();
        order.include(kind_of(from), kind_of(to), &self.writes);
        let keys: Vec<_> = order.rows.range(bounds(from, to)).map(|(key, _)| key.clone()).collect();
        for key in keys {
            self.set(&key.to_bytes(&[]), None, version);
        }
        self.ranges.push(PendingRange { from: from.into(), to: to.into(), version });
    }

    /// Forgets what the store now holds: all writes up to `version`.
    pub fn applied(&mut self, version: Version) {
        while let Some(write) = self.writes.queue.pop_front_if(|write| write.version <= version) {
            let number = self.writes.first;
            self.writes.first = number.wrapping_add(1);
            if self.index.find(write.hash, |last| last == number).is_some() {
                self.index.remove(write.hash, number);
                self.order.get_mut().remove(write.key());
            }
        }
        self.ranges.retain(|range| range.version > version);
        if self.is_empty() {
            self.order = RefCell::default();
        }
    }

    fn find(&self, key: &[u8], hash: KeyHash) -> Option<u32> {
        self.index.find(hash, |number| self.writes.get(number).key() == key)
    }

    fn lookup(&self, key: &[u8]) -> Lookup {
        match self.find(key, hash_of(key)) {
            Some(number) => self.writes.get(number).value().map_or(Lookup::Deleted, Lookup::Value),
            None if self.covered(key) => Lookup::Deleted,
            None => Lookup::Unknown,
        }
    }

    fn covered(&self, key: &[u8]) -> bool {
        self.ranges.iter().any(|range| *range.from <= *key && *key < *range.to)
    }

    /// The value of `key`: pending, or else what `base` has.
    ///
    /// # Errors
    /// Those of `base`.
    pub fn get(&self, base: &dyn Source, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        match self.lookup(key) {
            Lookup::Value(value) => Ok(Some(value)),
            Lookup::Deleted => Ok(None),
            Lookup::Unknown => base.get(key),
        }
    }

    /// A scan of `base` with what is pending laid over it.
    ///
    /// # Errors
    /// Those of `base`.
    pub fn scan(
        &self,
        base: &dyn Source,
        from: &[u8],
        to: &[u8],
        scan: Scan,
    ) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        if from >= to {
            return Ok(Vec::new());
        }
        self.order.borrow_mut().include(kind_of(from), kind_of(to), &self.writes);
        let order = self.order.borrow();
        let mut pending = order.rows.range(bounds(from, to)).map(|(_, number)| *number);
        let next = move || match scan.direction {
            Direction::Up => pending.next(),
            Direction::Down => pending.next_back(),
        };
        let mut merge =
            Merge { overlay: self, base, scan, ahead: None, next, page: Page::new(from, to) };
        let mut found = Vec::new();
        while found.len() < scan.limit {
            let Some(pair) = merge.step()? else { break };
            found.extend(pair);
        }
        Ok(found)
    }
}

/// A window of the base, fetched in pieces.
struct Page {
    from: Vec<u8>,
    to: Vec<u8>,
    rows: std::vec::IntoIter<(Bytes, Bytes)>,
    exhausted: bool,
}

impl Page {
    fn new(from: &[u8], to: &[u8]) -> Self {
        Self {
            from: from.to_vec(),
            to: to.to_vec(),
            rows: Vec::new().into_iter(),
            exhausted: false,
        }
    }

    fn peek(
        &mut self,
        base: &dyn Source,
        scan: Scan,
    ) -> Result<Option<&(Bytes, Bytes)>, StoreError> {
        if self.rows.as_slice().is_empty() && !self.exhausted {
            let rows = base.scan(&self.from, &self.to, scan)?;
            self.exhausted = rows.len() < scan.limit;
            if let Some((last, _)) = rows.last() {
                match scan.direction {
                    Direction::Up => self.from = [last, &[0][..]].concat(),
                    Direction::Down => self.to = last.to_vec(),
                }
            }
            self.rows = rows.into_iter();
        }
        Ok(self.rows.as_slice().first())
    }
}

/// Two ordered streams, the overlay's rows winning where both have a key.
struct Merge<'a, F> {
    overlay: &'a Overlay,
    base: &'a dyn Source,
    scan: Scan,
    ahead: Option<&'a Pending>,
    next: F,
    page: Page,
}

impl<F: FnMut() -> Option<u32>> Merge<'_, F> {
    /// The next pair; the inner `None` is a key that turned out deleted.
    fn step(&mut self) -> Result<Option<Option<(Bytes, Bytes)>>, StoreError> {
        if self.ahead.is_none() {
            self.ahead = (self.next)().map(|number| self.overlay.writes.get(number));
        }
        let below = self.page.peek(self.base, self.scan)?;
        let order = match (&self.ahead, below) {
            (None, None) => return Ok(None),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(write), Some((below, _))) => match self.scan.direction {
                Direction::Up => write.key().cmp(below),
                Direction::Down => below[..].cmp(write.key()),
            },
        };
        if order.is_gt() {
            let (key, value) = self.page.rows.next().expect("it was peeked at");
            return Ok(Some((!self.overlay.covered(&key)).then_some((key, value))));
        }
        if order.is_eq() {
            self.page.rows.next();
        }
        let write = self.ahead.take().expect("it is not behind an empty stream");
        let value = write.value();
        Ok(Some(value.map(|value| (Bytes::copy_from_slice(write.key()), value))))
    }
}

/// The keys with `from <= key < to`.
fn bounds(from: &[u8], to: &[u8]) -> (Bound<InlineKey>, Bound<InlineKey>) {
    (Bound::Included(InlineKey::new(from)), Bound::Excluded(InlineKey::new(to)))
}
