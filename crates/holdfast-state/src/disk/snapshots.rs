//! What readers of a disk store hold: the store at one version.
//!
//! The newest ([`Held`]) is the whole stack of tables and tree. While it is held no table of it goes,
//! and the active one keeps what is overwritten. What is written back ([`WrittenBack`]) is the tree
//! alone, at the mark of the last table that went there: an older state, by the tables that wait, and
//! one that takes no memory.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    DiskStore, FROZEN_MAX,
    layers::{Floor, Layers},
    worker::Shared,
};
use crate::store::{AllPairs, Mark, Pressure, Scan, Snapshot, Snapshots, Source, StoreError};

/// What readers ask.
#[derive(Debug)]
pub(super) struct Handle {
    pub(super) shared: Arc<Shared>,
    pub(super) memtable_bytes: usize,
}

impl Source for Handle {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.shared.get(key)
    }

    fn scan(&self, from: &[u8], to: &[u8], scan: Scan) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        self.shared.scan(from, to, scan)
    }
}

impl Snapshots for Handle {
    fn latest(&self) -> Arc<dyn Snapshot> {
        let _whole = self.shared.applying.lock();
        let state = self.shared.state.read();
        let (layers, mark) = (Arc::clone(&state.layers), state.mark.clone());
        *self.shared.pinned.lock().entry(mark.version).or_insert(0) += 1;
        Arc::new(Held { shared: Arc::clone(&self.shared), layers, mark })
    }

    fn written_back(&self) -> Arc<dyn Snapshot> {
        let floor = Arc::clone(&self.shared.state.read().layers.floor);
        Arc::new(WrittenBack(floor))
    }

    fn pressure(&self) -> Pressure {
        let state = self.shared.state.read();
        let waiting = state.frozen.len() >= FROZEN_MAX;
        if waiting && DiskStore::active_fullness(&state) >= self.memtable_bytes {
            Pressure::Full
        } else {
            Pressure::None
        }
    }
}

/// The newest state there was.
#[derive(Debug)]
struct Held {
    shared: Arc<Shared>,
    layers: Arc<Layers>,
    mark: Mark,
}

impl Drop for Held {
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

impl Source for Held {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.layers.get(key, self.mark.version)
    }

    fn scan(&self, from: &[u8], to: &[u8], scan: Scan) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        self.layers.scan(from, to, scan, self.mark.version)
    }
}

impl Snapshot for Held {
    fn mark(&self) -> &Mark {
        &self.mark
    }
}

/// What was written back.
#[derive(Debug)]
struct WrittenBack(Arc<Floor>);

impl Source for WrittenBack {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.0.get(key)
    }

    fn scan(&self, from: &[u8], to: &[u8], scan: Scan) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        self.0.scan(from, to, scan)
    }
}

impl Snapshot for WrittenBack {
    fn mark(&self) -> &Mark {
        &self.0.mark
    }

    fn pairs(&self) -> AllPairs<'_> {
        Box::new(self.0.pairs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        disk::{DiskOptions, Upkeep},
        fact::{Batch, BatchBuilder},
        store::Store,
        time::LogTime,
    };

    /// Puts so many rows of some 100 bytes each.
    fn put(store: &mut DiskStore, rows: u16) {
        let mut builder = BatchBuilder::default();
        builder.begin(0);
        (0..rows).for_each(|key| builder.put(&key.to_be_bytes(), &[7; 100]));
        builder.commit();
        let first = store.mark().version.next();
        let bytes = builder.into_bytes().into();
        store.apply(&Batch { first, count: 1, time: LogTime::ZERO, bytes }, Bytes::new()).unwrap();
    }

    fn open(dir: &tempfile::TempDir) -> DiskStore {
        let options = DiskOptions { upkeep: Upkeep::Inline, ..DiskOptions::default() };
        DiskStore::open(dir.path(), &options).unwrap()
    }

    /// How many of the tables that took these batches are there still, at the end, and how many
    /// versions a table keeps overwritten rows for.
    fn kept_by(take: impl Fn(&dyn Snapshots) -> Arc<dyn Snapshot>) -> (usize, usize) {
        let dir = tempfile::tempdir().unwrap();
        let mut store = open(&dir);
        put(&mut store, 10);
        store.persist().unwrap();
        let (mut held, mut tables) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            put(&mut store, 10);
            let layers = Arc::clone(&store.shared.state.read().layers);
            tables.push(Arc::downgrade(&layers.active.read()));
            drop(layers);
            held.push(take(&*store.snapshots()));
            store.persist().unwrap();
        }
        let there = tables.iter().filter(|table| table.strong_count() > 0).count();
        let pinned = store.shared.pinned.lock().len();
        (there, pinned)
    }

    #[test]
    fn what_is_written_back_is_held_without_a_table_and_without_what_is_overwritten() {
        assert_eq!(kept_by(|store| store.latest()), (3, 3), "the newest state keeps its tables");
        assert_eq!(kept_by(|store| store.written_back()), (0, 0));
    }

    #[test]
    fn reading_all_of_what_is_written_back_leaves_nothing_in_the_cache() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = open(&dir);
        put(&mut store, 5000);
        store.persist().unwrap();
        let before = store.shared.base.cached_bytes();
        let written_back = store.snapshots().written_back();
        assert_eq!(written_back.pairs().map(Result::unwrap).count(), 5000);
        assert_eq!(store.shared.base.cached_bytes(), before);
        assert_eq!(store.snapshots().latest().pairs().map(Result::unwrap).count(), 5000);
        assert!(store.shared.base.cached_bytes() > before + 5000 * 100);
    }
}
