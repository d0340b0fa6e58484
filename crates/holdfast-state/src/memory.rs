//! State in memory: for tests, for simulation, and as the model that stores on
//! disk are compared with. Nothing survives the process, so it is always rebuilt
//! from snapshot and log.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use parking_lot::{Mutex, RwLock};

use crate::{
    fact::{Batch, BatchBuilder, Fact},
    key_index::hash_of,
    recent::{Lookup, Pins, Recent, hashed},
    store::{Direction, Mark, Scan, Snapshot, Snapshots, Source, Store, StoreError},
    time::LogTime,
    version::Version,
};

/// A store that is one table of rows.
#[derive(Debug, Default)]
pub struct MemoryStore {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Written by the store's one owner, read by snapshots on any thread.
    state: RwLock<State>,
    /// Versions of live snapshots, with their number. Locked after `state`, never before.
    pinned: Mutex<BTreeMap<Version, usize>>,
    /// Held while a batch is applied, so that no snapshot is taken of a part of
    /// it. Locked before `state`.
    applying: Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    table: Recent,
    mark: Mark,
    /// Rows that were deleted since the table was compacted.
    deleted: usize,
}

/// Deleted ranges that the table may hold, since every lookup walks past them.
const RANGES_MAX: usize = 16;

impl State {
    /// Lets go of what is deleted, when it is enough to be worth a copy of the rest.
    fn compact(&mut self) {
        if self.table.ranges() >= RANGES_MAX || self.deleted > 1000 + self.table.len() / 2 {
            self.table = self.table.compacted();
            self.deleted = 0;
        }
    }
}

impl Shared {
    fn pins(&self) -> Option<Pins> {
        let pinned = self.pinned.lock();
        let (oldest, _) = pinned.first_key_value()?;
        let (newest, _) = pinned.last_key_value()?;
        Some(Pins { oldest: *oldest, newest: *newest })
    }
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A store that holds these pairs, as read from a snapshot.
    #[must_use]
    pub fn from_pairs(pairs: impl IntoIterator<Item = (Bytes, Bytes)>, mark: Mark) -> Self {
        let mut table = Recent::default();
        for (key, value) in pairs {
            let mut row = BatchBuilder::default();
            row.begin(0);
            row.put(&key, &value);
            row.commit();
            let bytes = row.into_bytes().into();
            let row = Batch { first: mark.version, count: 1, time: LogTime::ZERO, bytes };
            for change in row.changes().map_while(Result::ok) {
                let facts = hashed(&change).expect("it was just built");
                table.apply((0, &facts), &change, None);
            }
        }
        let state = State { table, mark, deleted: 0 };
        let shared = Shared { state: RwLock::new(state), ..Shared::default() };
        Self { shared: Arc::new(shared) }
    }
}

fn values(rows: Vec<(Bytes, Lookup)>) -> impl Iterator<Item = (Bytes, Bytes)> {
    rows.into_iter().filter_map(|(key, lookup)| match lookup {
        Lookup::Value(value) => Some((key, value)),
        Lookup::Deleted | Lookup::Unknown => None,
    })
}

/// Scans page by page, since a page may hold deletions that the caller's limit
/// does not count.
fn scan_at(
    shared: &Shared,
    from: &[u8],
    to: &[u8],
    scan: Scan,
    at: Version,
) -> Vec<(Bytes, Bytes)> {
    let mut found = Vec::new();
    let (mut from, mut to) = (Bytes::copy_from_slice(from), Bytes::copy_from_slice(to));
    while found.len() < scan.limit {
        let page = Scan { limit: scan.limit - found.len(), ..scan };
        let rows = shared.state.read().table.scan(&from, &to, page, at);
        let Some(rows) = rows else { continue };
        let Some((last, _)) = rows.last() else { break };
        match scan.direction {
            Direction::Up => from = [last, &[0][..]].concat().into(),
            Direction::Down => to = last.clone(),
        }
        found.extend(values(rows));
    }
    found
}

/// Without a pin only the newest value of a row is sure to be kept.
const NEWEST: Version = Version::new(u64::MAX);

impl Source for Shared {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        match self.state.read().table.get(key, hash_of(key), NEWEST) {
            Lookup::Value(value) => Ok(Some(value)),
            Lookup::Deleted | Lookup::Unknown => Ok(None),
        }
    }

    fn scan(&self, from: &[u8], to: &[u8], scan: Scan) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        Ok(scan_at(self, from, to, scan, NEWEST))
    }
}

impl Source for MemoryStore {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.shared.get(key)
    }

    fn scan(&self, from: &[u8], to: &[u8], scan: Scan) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        self.shared.scan(from, to, scan)
    }
}

impl Store for MemoryStore {
    fn mark(&self) -> Mark {
        self.shared.state.read().mark.clone()
    }

    fn apply(&mut self, batch: &Batch, checkpoint: Bytes) -> Result<(), StoreError> {
        let doubt = |_| StoreError::Doubt { what: "a batch does not decode".to_owned() };
        batch.check().map_err(doubt)?;
        let _applying = self.shared.applying.lock();
        let mark = self.mark();
        assert!(
            batch.count == 0 || batch.first == mark.version.next(),
            "batches are applied in order: {} after {}",
            batch.first,
            mark.version
        );
        let pins = self.shared.pins();
        for change in batch.changes() {
            let change = change.map_err(doubt)?;
            let facts = hashed(&change).map_err(doubt)?;
            let deleted = facts.iter().filter(|fact| matches!(fact.1, Fact::Delete { .. })).count();
            // Released between transactions: the evaluator reads meanwhile.
            let mut state = self.shared.state.write();
            state.deleted += deleted;
            state.table.apply((0, &facts), &change, pins);
        }
        let mut state = self.shared.state.write();
        if pins.is_none() {
            state.compact();
        }
        state.mark = Mark { version: mark.version.plus(u64::from(batch.count)), checkpoint };
        Ok(())
    }

    fn snapshots(&self) -> Arc<dyn Snapshots> {
        Arc::new(Handle(Arc::clone(&self.shared)))
    }
}

#[derive(Debug)]
struct Handle(Arc<Shared>);

impl Source for Handle {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.0.get(key)
    }

    fn scan(&self, from: &[u8], to: &[u8], scan: Scan) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        self.0.scan(from, to, scan)
    }
}

impl Snapshots for Handle {
    fn latest(&self) -> Arc<dyn Snapshot> {
        let _whole = self.0.applying.lock();
        let mark = self.0.state.read().mark.clone();
        *self.0.pinned.lock().entry(mark.version).or_insert(0) += 1;
        Arc::new(MemorySnapshot { shared: Arc::clone(&self.0), mark })
    }
}

#[derive(Debug)]
struct MemorySnapshot {
    shared: Arc<Shared>,
    mark: Mark,
}

impl Drop for MemorySnapshot {
    fn drop(&mut self) {
        let mut pinned = self.shared.pinned.lock();
        if let Some(count) = pinned.get_mut(&self.mark.version) {
            *count -= 1;
            if *count == 0 {
                pinned.remove(&self.mark.version);
            }
        }
    }
}

impl Source for MemorySnapshot {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        match self.shared.state.read().table.get(key, hash_of(key), self.mark.version) {
            Lookup::Value(value) => Ok(Some(value)),
            Lookup::Deleted | Lookup::Unknown => Ok(None),
        }
    }

    fn scan(&self, from: &[u8], to: &[u8], scan: Scan) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        Ok(scan_at(&self.shared, from, to, scan, self.mark.version))
    }
}

impl Snapshot for MemorySnapshot {
    fn mark(&self) -> &Mark {
        &self.mark
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(store: &mut MemoryStore, facts: impl FnOnce(&mut BatchBuilder)) {
        let mut builder = BatchBuilder::default();
        builder.begin(0);
        facts(&mut builder);
        builder.commit();
        let first = store.mark().version.next();
        let bytes = builder.into_bytes().into();
        let batch = Batch { first, count: 1, time: LogTime::ZERO, bytes };
        store.apply(&batch, Bytes::new()).unwrap();
    }

    fn rows(source: &(impl Source + ?Sized)) -> usize {
        source.scan(&[], &[0xFF], Scan::up(usize::MAX)).unwrap().len()
    }

    fn held(store: &MemoryStore) -> (usize, usize) {
        let state = store.shared.state.read();
        (state.table.len(), state.table.ranges())
    }

    #[test]
    fn what_is_deleted_is_let_go_once_nobody_can_see_it() {
        let mut store = MemoryStore::new();
        let keys: Vec<_> = (0..5000_u16).map(u16::to_be_bytes).collect();
        apply(&mut store, |batch| keys.iter().for_each(|key| batch.put(key, b"v")));
        let snapshot = store.snapshots().latest();
        apply(&mut store, |batch| keys[..4900].iter().for_each(|key| batch.delete(key)));
        assert_eq!((rows(&store), rows(&*snapshot), held(&store).0), (100, 5000, 5000));
        drop(snapshot);
        apply(&mut store, |batch| batch.put(&keys[0], b"again"));
        assert_eq!((rows(&store), held(&store).0), (101, 101));

        for range in keys[4900..4916].windows(2) {
            assert!(held(&store).1 < RANGES_MAX);
            apply(&mut store, |batch| batch.delete_range(&range[0], &range[1]));
        }
        apply(&mut store, |batch| batch.delete_range(&keys[0], &keys[1]));
        assert_eq!((rows(&store), held(&store)), (85, (85, 0)));
    }
}
