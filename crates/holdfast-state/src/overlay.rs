//! What has been evaluated but is not applied yet.
//!
//! Later transactions must see it, no answer may rest on it before it is
//! durable, and nobody but the evaluator ever reads it. A transaction writes
//! straight into it and is taken back out again when it is refused.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    ops::Bound,
    sync::Arc,
};

use bytes::Bytes;

use crate::{
    fact::Fact,
    inline_key::InlineKey,
    memtable::Lookup,
    store::{Direction, Scan, Source, StoreError},
    version::Version,
};

#[derive(Clone, Debug)]
struct Pending {
    version: Version,
    value: Option<Arc<[u8]>>,
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
    rows: BTreeMap<InlineKey, Pending>,
    ranges: Vec<PendingRange>,
    /// What the open transaction displaced, oldest first.
    undo: Vec<(InlineKey, Option<Pending>)>,
    /// How many ranges there were when the open transaction began.
    ranges_before: usize,
}

/// A place within the open transaction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OverlayMark {
    undo: usize,
    ranges: usize,
}

impl Overlay {
    /// Nothing pending?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.ranges.is_empty()
    }

    /// Throws everything away: its writer leads no more.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn begin(&mut self) {
        debug_assert!(self.undo.is_empty(), "one transaction at a time");
        self.ranges_before = self.ranges.len();
    }

    pub(crate) fn commit(&mut self) {
        self.undo.clear();
    }

    pub(crate) fn rollback(&mut self) {
        self.rollback_to(OverlayMark { undo: 0, ranges: self.ranges_before });
    }

    /// Where the open transaction stands.
    pub(crate) const fn mark(&self) -> OverlayMark {
        OverlayMark { undo: self.undo.len(), ranges: self.ranges.len() }
    }

    /// Takes back what the open transaction did since it stood there.
    pub(crate) fn rollback_to(&mut self, mark: OverlayMark) {
        for (key, displaced) in self.undo.drain(mark.undo..).rev() {
            match displaced {
                Some(pending) => self.rows.insert(key, pending),
                None => self.rows.remove(&key),
            };
        }
        self.ranges.truncate(mark.ranges);
    }

    pub(crate) fn set(&mut self, key: &[u8], value: Option<&[u8]>, version: Version) {
        let key = InlineKey::new(key);
        let pending = Pending { version, value: value.map(Arc::from) };
        let displaced = self.rows.insert(key.clone(), pending);
        self.undo.push((key, displaced));
    }

    pub(crate) fn delete_range(&mut self, from: &[u8], to: &[u8], version: Version) {
        if from >= to {
            return;
        }
        for (key, pending) in self.rows.range_mut(bounds(from, to)) {
            let displaced = std::mem::replace(pending, Pending { version, value: None });
            self.undo.push((key.clone(), Some(displaced)));
        }
        self.ranges.push(PendingRange { from: from.into(), to: to.into(), version });
    }

    /// Forgets what the store now holds: a fact of the applied transaction `version`.
    pub fn applied(&mut self, fact: Fact<'_>, version: Version) {
        match fact {
            Fact::Put { key, .. } | Fact::Delete { key } => self.forget(key, version),
            Fact::DeleteRange { from, to } if from < to => {
                let gone = self.rows.range(bounds(from, to));
                let gone: Vec<_> = gone
                    .filter(|(_, pending)| pending.version <= version)
                    .map(|(key, _)| key.clone())
                    .collect();
                gone.iter().for_each(|key| drop(self.rows.remove(key)));
                self.ranges.retain(|range| range.version > version);
            }
            Fact::DeleteRange { .. } => {}
        }
    }

    fn forget(&mut self, key: &[u8], version: Version) {
        if let Entry::Occupied(row) = self.rows.entry(InlineKey::new(key))
            && row.get().version <= version
        {
            row.remove();
        }
    }

    fn lookup(&self, key: &[u8]) -> Lookup {
        match self.rows.get(&InlineKey::new(key)) {
            Some(Pending { value: Some(value), .. }) => {
                Lookup::Value(Bytes::copy_from_slice(value))
            }
            Some(Pending { value: None, .. }) => Lookup::Deleted,
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
        let mut pending = self.rows.range(bounds(from, to));
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
    ahead: Option<(Bytes, &'a Pending)>,
    next: F,
    page: Page,
}

impl<'a, F: FnMut() -> Option<(&'a InlineKey, &'a Pending)>> Merge<'a, F> {
    /// The next pair; the inner `None` is a key that turned out deleted.
    fn step(&mut self) -> Result<Option<Option<(Bytes, Bytes)>>, StoreError> {
        if self.ahead.is_none() {
            self.ahead = (self.next)().map(|(key, pending)| (key.to_bytes(&[]), pending));
        }
        let below = self.page.peek(self.base, self.scan)?;
        let order = match (&self.ahead, below) {
            (None, None) => return Ok(None),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some((key, _)), Some((below, _))) => match self.scan.direction {
                Direction::Up => key[..].cmp(below),
                Direction::Down => below[..].cmp(key),
            },
        };
        if order.is_gt() {
            let (key, value) = self.page.rows.next().expect("it was peeked at");
            return Ok(Some((!self.overlay.covered(&key)).then_some((key, value))));
        }
        if order.is_eq() {
            self.page.rows.next();
        }
        let (key, pending) = self.ahead.take().expect("it is not behind an empty stream");
        let value = pending.value.as_ref().map(|value| Bytes::copy_from_slice(value));
        Ok(Some(value.map(|value| (key, value))))
    }
}

/// The keys with `from <= key < to`.
fn bounds(from: &[u8], to: &[u8]) -> (Bound<InlineKey>, Bound<InlineKey>) {
    (Bound::Included(InlineKey::new(from)), Bound::Excluded(InlineKey::new(to)))
}
