//! State on disk: recent writes in memory, the rest in an lsm-tree.
//!
//! ```text
//! apply ─▶ active table ─▶ frozen tables ─▶ tree: new run ─▶ merged into levels
//!          (memory)        (memory, ≤ 2)    (write-back      (merge thread)
//!                                            thread)
//! ```
//!
//! A batch goes into the active table and is done; nothing is written to disk
//! on the way, because the log has it already. A full table is frozen and
//! written back whole, with the mark at which it ends, in one step that a crash
//! leaves done or not done. So what [`open`](DiskStore::open) finds after a
//! crash is the state at some earlier version, exactly, and the log from there
//! on brings back the rest. [`persist`](DiskStore::persist) shortens that before
//! an orderly stop.
//!
//! *Readers* hold a [`Snapshot`](crate::Snapshot): a version, the tables and the tree as they
//! were. It costs the writer nothing; while it is held, it keeps the tables that
//! were in memory when it was taken, and the files of the tree that have been merged
//! since. An export, which takes long, holds what is written back
//! ([`written_back`](Snapshots::written_back)): files alone.
//!
//! *Doubt.* Blocks are checked by the library at every read from disk; what it
//! does not check, `manifest` does at open; panics of the library do not pass
//! `base`. Whatever is wrong surfaces as [`StoreError::Doubt`] from `open`,
//! from a read or from the next `apply`; the remedy is
//! [`create_from`](DiskStore::create_from) with the rows of a snapshot.
//!
//! *Memory* is at most `memtable_bytes` for each of four tables (one active that
//! may grow to twice its size while two wait), `block_cache_bytes`, `filter_bytes`,
//! the library's filters and indexes of the two upper levels (about 2 bytes per
//! row there), and what snapshots hold.

mod base;
mod layers;
mod manifest;
mod pending;
mod presence;
mod seal;
mod snapshots;
mod worker;

use std::{collections::VecDeque, path::Path, sync::Arc};

use bytes::Bytes;
use parking_lot::{Condvar, Mutex, RwLock};

use self::{
    base::{Base, doubt, raw_key},
    layers::{Floor, Layers},
    pending::Pending,
    presence::Presence,
    seal::Lock,
    snapshots::Handle,
    worker::{Shared, State, Workers},
};
use crate::{
    fact::{Batch, Fact},
    key_index::wide_hash_of,
    recent::{Lookup, hashed},
    store::{Mark, Scan, Snapshots, Source, Store, StoreError},
    version::Version,
};

/// Frozen tables that may wait to be written back.
const FROZEN_MAX: usize = 2;
/// Facts of a transaction for which the table is locked at a time.
const FACTS_AT_ONCE: usize = 32;
/// Deleted ranges that a table may hold, since every lookup walks past them.
const RANGES_MAX: usize = 64;
/// Whatever was applied last. Readers that pin no version must read at this one:
/// what a batch overwrites while they look is not kept for them.
const NEWEST: Version = Version::new(u64::MAX);
/// The longest key, in bytes.
pub const KEY_BYTES_MAX: usize = 65_000;

/// Who writes frozen tables back, and merges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upkeep {
    /// Two threads of the store.
    Threads,
    /// Whoever opens, applies or persists, before that returns: where nothing may depend on
    /// threads, as in a simulation.
    Inline,
}

/// How much memory and disk a store takes.
#[derive(Clone, Debug)]
pub struct DiskOptions {
    /// Size in bytes, rows and indexes together, at which the table that takes
    /// writes is frozen and written back; a quarter of it, of rows of 4 KiB and more.
    pub memtable_bytes: usize,
    /// Memory in bytes for blocks read from disk.
    pub block_cache_bytes: u64,
    /// Memory in bytes, taken as it is needed, for what tells that a key is absent
    /// without a look at the files: 12 bits for each key.
    pub filter_bytes: usize,
    /// Files of at most 64 MiB that are written back before they are merged into
    /// the levels below: more make writing cheaper, since a merge rewrites all of
    /// the first level, and lookups of absent keys dearer.
    pub files_before_merge: u8,
    /// Size in bytes of the files that merging makes. The first level holds
    /// `files_before_merge` of them before it spills into the second.
    pub table_bytes: u64,
    /// Who does what is to be done beside.
    pub upkeep: Upkeep,
}

impl Default for DiskOptions {
    fn default() -> Self {
        Self {
            memtable_bytes: 64 << 20,
            block_cache_bytes: 64 << 20,
            filter_bytes: 192 << 20,
            files_before_merge: 24,
            table_bytes: 128 << 20,
            upkeep: Upkeep::Threads,
        }
    }
}

/// A store on disk. Dropping it waits for the write or merge in hand, and loses
/// what has not been written back; that is in the log.
#[derive(Debug)]
pub struct DiskStore {
    /// Ended before anything else goes; none with [`Upkeep::Inline`].
    workers: Option<Workers>,
    shared: Arc<Shared>,
    memtable_bytes: usize,
    /// The directory is this store's for as long.
    _lock: Lock,
}

impl DiskStore {
    /// Opens the store in `dir`; where there is none, or one whose making was
    /// cut short, an empty one at version 0. [`Store::mark`] tells how far the
    /// state found had come.
    ///
    /// # Errors
    /// [`StoreError::Doubt`] when what is there is not what was written;
    /// [`StoreError::Io`], also when the directory is in use.
    pub fn open(dir: &Path, options: &DiskOptions) -> Result<Self, StoreError> {
        let lock = seal::lock(dir)?;
        match seal::whole(dir)? {
            Some(tree) => Self::over(Base::open(&tree, options)?, options, lock),
            None => Self::build(dir, options, lock, std::iter::empty(), &Mark::default()),
        }
    }

    /// Replaces whatever is in `dir` by a store of these rows, which come in
    /// ascending order of their keys, at `mark`.
    ///
    /// # Errors
    /// That of the first row that is one; [`StoreError::Doubt`] when keys do not
    /// ascend; [`StoreError::Io`], also when the directory is in use. What was
    /// in the directory is gone in any case but the last.
    pub fn create_from(
        dir: &Path,
        options: &DiskOptions,
        rows: impl IntoIterator<Item = Result<(Bytes, Bytes), StoreError>>,
        mark: &Mark,
    ) -> Result<Self, StoreError> {
        let lock = seal::lock(dir)?;
        Self::build(dir, options, lock, rows, mark)
    }

    fn build(
        dir: &Path,
        options: &DiskOptions,
        lock: Lock,
        rows: impl IntoIterator<Item = Result<(Bytes, Bytes), StoreError>>,
        mark: &Mark,
    ) -> Result<Self, StoreError> {
        seal::wipe(dir)?;
        let tree = seal::new_tree(dir);
        let base = Base::create(&tree, options)?;
        let mut last: Option<Bytes> = None;
        let rows = rows.into_iter().map(|row| {
            let (key, value) = row?;
            if last.as_ref().is_some_and(|last| *last >= key) {
                return Err(doubt("the rows to build from are not in order"));
            }
            check_key(&key)?;
            last = Some(key.clone());
            Ok((raw_key(&key), Some(value)))
        });
        let own = Ok((seal::mark_key(), Some(seal::encode_mark(mark))));
        base.ingest(std::iter::once(own).chain(rows))?;
        seal::finish(dir, &tree)?;
        Self::over(base, options, lock)
    }

    fn over(base: Base, options: &DiskOptions, lock: Lock) -> Result<Self, StoreError> {
        let base = Arc::new(base);
        let pin = base.pin()?;
        let mark = pin.get_own(seal::mark_name())?.ok_or_else(|| doubt("the mark is gone"))?;
        let mark = seal::decode_mark(&mark)?;
        let pending = Pending::read(&pin)?;
        let floor = Arc::new(Floor { pin, hidden: pending.joined(), mark: mark.clone() });
        let layers = Arc::new(Layers { active: Arc::default(), frozen: Vec::new(), floor });
        let state = State { mark, layers, frozen: VecDeque::new() };
        let shared = Arc::new(Shared {
            state: RwLock::new(state),
            pinned: Mutex::default(),
            applying: Mutex::default(),
            base,
            pending: Mutex::new(pending),
            presence: Presence::new(options.filter_bytes),
            failed: std::sync::OnceLock::new(),
            signal: Mutex::default(),
            changed: Condvar::new(),
        });
        let workers = match options.upkeep {
            Upkeep::Threads => Some(Workers::start(&shared)?),
            Upkeep::Inline => None,
        };
        let memtable_bytes = options.memtable_bytes;
        let store = Self { workers, shared, memtable_bytes, _lock: lock };
        store.keep_up()?;
        Ok(store)
    }

    /// Writes everything applied so far back and waits until it is durable.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn persist(&mut self) -> Result<(), StoreError> {
        self.wait_for_frozen(FROZEN_MAX)?;
        self.shared.state.write().freeze();
        self.keep_up()?;
        self.wait_for_frozen(1)
    }

    /// There is something to write back or to merge.
    fn keep_up(&self) -> Result<(), StoreError> {
        if self.workers.is_some() {
            self.shared.wake();
            return Ok(());
        }
        self.shared.keep_up().inspect_err(|error| self.shared.fail(error.clone()))
    }

    /// Waits until fewer than this many tables wait to be written back.
    fn wait_for_frozen(&self, fewer_than: usize) -> Result<(), StoreError> {
        self.shared.wait(|_| self.shared.state.read().frozen.len() < fewer_than);
        self.shared.check()
    }

    /// How full the active table is, by what a table may take.
    fn active_fullness(state: &State) -> usize {
        state.layers.active.read().fullness()
    }
}

fn check_key(key: &[u8]) -> Result<(), StoreError> {
    if key.len() <= KEY_BYTES_MAX {
        return Ok(());
    }
    let what = format!("a key has {} bytes, the store takes {KEY_BYTES_MAX}", key.len());
    Err(StoreError::Io { what })
}

impl Shared {
    /// Applies a batch; true when that froze a table.
    fn apply(
        &self,
        batch: &Batch,
        checkpoint: Bytes,
        memtable_bytes: usize,
    ) -> Result<bool, StoreError> {
        let undecodable = |_| doubt("a batch does not decode");
        let _applying = self.applying.lock();
        let (mark, layers) = {
            let state = self.state.read();
            (state.mark.clone(), Arc::clone(&state.layers))
        };
        assert!(
            batch.count == 0 || batch.first == mark.version.next(),
            "batches are applied in order: {} after {}",
            batch.first,
            mark.version
        );
        // No snapshot can be taken before `applying` is released, so none can miss a pin.
        let pins = self.pins();
        let mut full = false;
        for change in batch.changes() {
            let change = change.map_err(undecodable)?;
            let facts = hashed(&change).map_err(undecodable)?;
            for (_, fact) in &facts {
                match fact {
                    Fact::Put { key, .. } | Fact::Delete { key } => check_key(key)?,
                    Fact::DeleteRange { .. } => {}
                }
            }
            // Released now and then: the evaluator reads meanwhile, and sees what is applied
            // by halves through the overlay.
            for (first, facts) in (0..).step_by(FACTS_AT_ONCE).zip(facts.chunks(FACTS_AT_ONCE)) {
                let mut table = layers.active.write();
                let table = Arc::get_mut(&mut table).expect("only frozen tables are shared");
                table.apply((first, facts), &change, pins);
                full = table.fullness() >= memtable_bytes || table.ranges() >= RANGES_MAX;
            }
        }
        let mut state = self.state.write();
        state.mark = Mark { version: mark.version.plus(u64::from(batch.count)), checkpoint };
        let freeze = full && state.frozen.len() < FROZEN_MAX;
        if freeze {
            state.freeze();
        }
        Ok(freeze)
    }
}

impl Source for Shared {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        let floor = {
            let state = self.state.read();
            match state.layers.lookup(key, NEWEST) {
                Lookup::Value(value) => return Ok(Some(value)),
                Lookup::Deleted => return Ok(None),
                Lookup::Unknown => Arc::clone(&state.layers.floor),
            }
        };
        // Asked after the tables: what has left them since is in the filter.
        if self.presence.may_have(wide_hash_of(key)) { floor.get(key) } else { Ok(None) }
    }

    fn scan(&self, from: &[u8], to: &[u8], scan: Scan) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        let layers = Arc::clone(&self.state.read().layers);
        layers.scan(from, to, scan, NEWEST)
    }
}

impl Source for DiskStore {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.shared.get(key)
    }

    fn scan(&self, from: &[u8], to: &[u8], scan: Scan) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        self.shared.scan(from, to, scan)
    }
}

impl Store for DiskStore {
    fn mark(&self) -> Mark {
        self.shared.state.read().mark.clone()
    }

    /// Waits, for as long as writing one table back takes, when tables wait and
    /// the active one has grown to twice its size: [`pressure`](Snapshots::pressure)
    /// says so long before.
    fn apply(&mut self, batch: &Batch, checkpoint: Bytes) -> Result<(), StoreError> {
        self.shared.check()?;
        let overfull = Self::active_fullness(&self.shared.state.read()) >= 2 * self.memtable_bytes;
        if overfull {
            self.wait_for_frozen(FROZEN_MAX)?;
        }
        match self.shared.apply(batch, checkpoint, self.memtable_bytes) {
            Ok(true) => self.keep_up(),
            Ok(false) => Ok(()),
            Err(error) => {
                self.shared.fail(error.clone());
                Err(error)
            }
        }
    }

    fn persist(&mut self) -> Result<(), StoreError> {
        Self::persist(self)
    }

    fn snapshots(&self) -> Arc<dyn Snapshots> {
        let memtable_bytes = self.memtable_bytes;
        Arc::new(Handle { shared: Arc::clone(&self.shared), memtable_bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fact::BatchBuilder, store::Pressure, time::LogTime};

    fn put(store: &mut DiskStore, keys: std::ops::Range<u32>) {
        let mut builder = BatchBuilder::default();
        builder.begin(0);
        keys.for_each(|key| builder.put(&key.to_be_bytes(), b"v"));
        builder.commit();
        let first = store.mark().version.next();
        let bytes = builder.into_bytes().into();
        let batch = Batch { first, count: 1, time: LogTime::ZERO, bytes };
        store.apply(&batch, Bytes::new()).unwrap();
    }

    /// Waits until absent keys are known to be absent.
    fn filled(store: &DiskStore) {
        let absent = |key: u32| !store.shared.presence.may_have(wide_hash_of(&key.to_be_bytes()));
        assert!(store.shared.wait(|_| (1000..1100).any(absent)));
    }

    fn has(store: &DiskStore, keys: std::ops::Range<u32>) -> usize {
        keys.filter(|key| store.get(&key.to_be_bytes()).unwrap().is_some()).count()
    }

    #[test]
    fn long_rows_are_written_back_before_a_table_is_full_of_them() {
        let options = DiskOptions {
            memtable_bytes: 1 << 20,
            upkeep: Upkeep::Inline,
            ..DiskOptions::default()
        };
        let left_in_memory = |length: usize| {
            let dir = tempfile::tempdir().unwrap();
            let mut store = DiskStore::open(dir.path(), &options).unwrap();
            let mut builder = BatchBuilder::default();
            builder.begin(0);
            for key in 0..(300 << 10) / length {
                builder.put(&key.to_be_bytes(), &vec![7; length]);
            }
            builder.commit();
            let bytes = builder.into_bytes().into();
            let batch = Batch { first: Version::new(1), count: 1, time: LogTime::ZERO, bytes };
            store.apply(&batch, Bytes::new()).unwrap();
            DiskStore::active_fullness(&store.shared.state.read())
        };
        assert_eq!(left_in_memory(4 << 10), 0);
        assert!(left_in_memory(3 << 10) > 300 << 10, "short ones wait for more");
    }

    #[test]
    fn while_tables_wait_long_rows_fill_no_more_than_another_one() {
        let dir = tempfile::tempdir().unwrap();
        let options = DiskOptions { memtable_bytes: 1 << 20, ..DiskOptions::default() };
        let mut store = DiskStore::open(dir.path(), &options).unwrap();
        filled(&store);
        let shared = Arc::clone(&store.shared);
        let nothing_is_written_back = shared.pending.lock();
        let (snapshots, mut batches) = (store.snapshots(), 0);
        while snapshots.pressure() == Pressure::None {
            let mut builder = BatchBuilder::default();
            builder.begin(0);
            (0..8_u8).for_each(|row| builder.put(&[row, batches], &[7; 4 << 10]));
            builder.commit();
            let first = store.mark().version.next();
            let bytes = builder.into_bytes().into();
            let batch = Batch { first, count: 1, time: LogTime::ZERO, bytes };
            store.apply(&batch, Bytes::new()).unwrap();
            batches += 1;
        }
        // Two that wait and one that takes writes, each with a quarter of a megabyte of long rows.
        assert!((20..=24).contains(&batches), "{batches} batches of 32 KiB");
        drop(nothing_is_written_back);
    }

    #[test]
    fn the_filter_knows_what_was_written_back_in_this_life_and_before() {
        let dir = tempfile::tempdir().unwrap();
        // Room for 682 keys.
        let options = DiskOptions { filter_bytes: 1024, ..DiskOptions::default() };
        let mut store = DiskStore::open(dir.path(), &options).unwrap();
        filled(&store);
        put(&mut store, 0..200);
        store.persist().unwrap();
        filled(&store);
        assert_eq!((has(&store, 0..200), has(&store, 200..400)), (200, 0));
        drop(store);

        let mut store = DiskStore::open(dir.path(), &options).unwrap();
        filled(&store);
        put(&mut store, 200..300);
        store.persist().unwrap();
        filled(&store);
        assert_eq!((has(&store, 0..300), has(&store, 300..500)), (300, 0));

        put(&mut store, 300..999);
        store.persist().unwrap();
        assert!(
            (0..2000_u32).all(|key| store.shared.presence.may_have(u64::from(key))),
            "it is full"
        );
        assert_eq!((has(&store, 0..999), has(&store, 999..1200)), (999, 0));
    }
}
