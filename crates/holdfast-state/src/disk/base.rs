//! What has been written back: one lsm-tree, behind a wall.
//!
//! Nothing of the library passes this module. Its panics become
//! [`StoreError::Doubt`], as do checksums that do not fit and files that end too
//! early; only an operating system that refuses to read or write is
//! [`StoreError::Io`].
//!
//! Rows enter as sorted runs alone: a run becomes new, fsynced tables, which one
//! fsynced manifest then makes visible all at once, so that a crash leaves the
//! tree before the run or after it. The library's own memtable stays empty, and
//! all rows of a run bear one sequence number. A [`Pin`] holds on to the tree as
//! it was at such a number, tables that have been merged away since included.
//!
//! `flush_to_tables` and `register_tables` are what the library's own flush
//! does, and hidden in its documentation; its public bulk ingestion would do the
//! same at a tenth more cost per row and leave the filters of new runs unpinned.
//! Hidden is as well how all rows are read past the cache ([`Sweep`]). The
//! dependency is pinned to one release for their sake.
//!
//! Rows of the store itself lie under the first byte `00`, the partition's under
//! `01`; so any key will do, the empty one too.

mod sweep;

use std::{
    collections::BTreeMap,
    fmt, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Arc,
};

use bytes::Bytes;
use lsm_tree::{
    AbstractTree, AnyTree, Cache, CompressionType, Config, DescriptorTable, Guard, InternalValue,
    SequenceNumberCounter, Table, ValueType,
    compaction::Leveled,
    config::{
        BlockSizePolicy, BloomConstructionPolicy, CompressionPolicy, FilterPolicy,
        FilterPolicyEntry, PinningPolicy,
    },
};
use parking_lot::Mutex;

pub(super) use self::sweep::Sweep;
use super::{
    DiskOptions, manifest,
    seal::{self, Lock},
};
use crate::store::StoreError;

/// First byte of the store's own rows.
pub(super) const OWN: u8 = 0;
/// First byte of the partition's rows.
pub(super) const USER: u8 = 1;

/// Keys that lookups copy without an allocation.
const SHORT_KEY: usize = 96;
/// Tables whose files are kept open.
const OPEN_FILES: usize = 512;

pub(super) fn doubt(what: impl Into<String>) -> StoreError {
    StoreError::Doubt { what: what.into() }
}

/// What an error of the operating system says about the state: bytes that are
/// missing were written once.
pub(super) fn io_error(doing: &str, error: &io::Error) -> StoreError {
    let what = format!("{doing}: {error}");
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => {
            StoreError::Doubt { what }
        }
        _ => StoreError::Io { what },
    }
}

/// Runs a call of the library.
fn guarded<T>(
    doing: &'static str,
    call: impl FnOnce() -> lsm_tree::Result<T>,
) -> Result<T, StoreError> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(lsm_tree::Error::Io(error))) => Err(io_error(doing, &error)),
        Ok(Err(error)) => Err(doubt(format!("{doing}: {error}"))),
        Err(_) => Err(doubt(format!("{doing}: the library panicked"))),
    }
}

/// The tree.
pub(super) struct Base {
    tree: AnyTree,
    /// The library numbers its manifests with it; a pin is such a number.
    seqnos: SequenceNumberCounter,
    /// Numbers that pins hold, with how many do.
    pinned: Mutex<BTreeMap<u64, usize>>,
    strategy: Arc<Leveled>,
    /// Held for as long as anything may still read or remove files here.
    _lock: Lock,
}

impl fmt::Debug for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Base").field("pinned", &self.pinned).finish_non_exhaustive()
    }
}

/// The shape of the tree, to see whether a compaction did anything.
type Shape = (u64, [usize; 7]);

impl Base {
    /// Opens the tree in `dir`.
    pub(super) fn open(dir: &Path, options: &DiskOptions) -> Result<Self, StoreError> {
        if !dir.is_dir() {
            return Err(doubt(format!("the tree {} is gone", dir.display())));
        }
        let lock = seal::lock(dir)?;
        manifest::verify(dir)?;
        Self::load(dir, options, lock)
    }

    /// Makes an empty tree in `dir`, which does not exist yet.
    pub(super) fn create(dir: &Path, options: &DiskOptions) -> Result<Self, StoreError> {
        let lock = seal::lock(dir)?;
        Self::load(dir, options, lock)
    }

    fn load(dir: &Path, options: &DiskOptions, lock: Lock) -> Result<Self, StoreError> {
        let seqnos = SequenceNumberCounter::new(1);
        let visible = SequenceNumberCounter::new(1);
        let config = config(dir, options, &seqnos, &visible);
        let tree = guarded("opening the tree", || config.open())?;
        let highest = guarded("opening the tree", || Ok(tree.get_highest_persisted_seqno()))?;
        seqnos.set(highest.unwrap_or_default() + 1);
        let strategy = Leveled::default()
            .with_l0_threshold(options.files_before_merge)
            .with_table_target_size(options.table_bytes);
        let pinned = Mutex::new(BTreeMap::new());
        Ok(Self { tree, seqnos, pinned, strategy: Arc::new(strategy), _lock: lock })
    }

    /// Holds on to the tree as it is now. Nothing is written back or dropped meanwhile; tables may
    /// be merged.
    pub(super) fn pin(self: &Arc<Self>) -> Result<Pin, StoreError> {
        let mut pinned = self.pinned.lock();
        let seqno = self.seqnos.get();
        *pinned.entry(seqno).or_insert(0) += 1;
        drop(pinned);
        // From here on merges keep what is to be seen at that number.
        let mut pin = Pin { base: Arc::clone(self), seqno, runs: Vec::new() };
        pin.runs = guarded("looking at the levels", || {
            let tree = self.tree.current_version();
            let runs = tree.iter_levels().flat_map(|level| level.iter());
            Ok(runs.map(|run| run.to_vec()).collect())
        })?;
        Ok(pin)
    }

    /// Makes rows, in ascending order of their keys, visible in one step;
    /// a row without a value deletes. Durable when it returns.
    pub(super) fn ingest(
        &self,
        rows: impl Iterator<Item = Result<(Bytes, Option<Bytes>), StoreError>>,
    ) -> Result<(), StoreError> {
        let mut failed = None;
        let seqno = self.seqnos.next();
        let entries = rows.map(|row| match row {
            Ok((key, Some(value))) => {
                Ok(InternalValue::from_components(key, value, seqno, ValueType::Value))
            }
            Ok((key, None)) => Ok(InternalValue::new_tombstone(key, seqno)),
            Err(error) => {
                failed = Some(error);
                Err(lsm_tree::Error::Unrecoverable)
            }
        });
        let done = guarded("writing back", || {
            let Some((tables, _)) = self.tree.flush_to_tables(entries)? else { return Ok(()) };
            self.tree.register_tables(&tables, None, None, &[], self.watermark())
        });
        failed.map_or(done, Err)
    }

    /// Removes tables that lie wholly in `from..to`, without looking into them.
    pub(super) fn drop_tables_in(&self, from: &Bytes, to: &Bytes) -> Result<(), StoreError> {
        guarded("dropping tables", || self.tree.drop_range::<&[u8], _>(&from[..]..&to[..]))
    }

    /// Does one piece of merging, if there is any to do, and tells whether there was.
    pub(super) fn compact_once(&self) -> Result<bool, StoreError> {
        let before = self.shape()?;
        guarded("merging tables", || {
            self.tree.compact(Arc::clone(&self.strategy) as Arc<_>, self.watermark())
        })?;
        Ok(before != self.shape()?)
    }

    /// The oldest number that a pin holds.
    fn watermark(&self) -> u64 {
        let pinned = self.pinned.lock();
        pinned.first_key_value().map_or_else(|| self.seqnos.get(), |(seqno, _)| *seqno)
    }

    fn shape(&self) -> Result<Shape, StoreError> {
        guarded("looking at the levels", || {
            let tables =
                std::array::from_fn(|level| self.tree.level_table_count(level).unwrap_or_default());
            Ok((self.tree.next_table_id(), tables))
        })
    }

    /// Rows in its files, overwritten ones and deletions included.
    pub(super) fn rows(&self) -> Result<usize, StoreError> {
        guarded("looking at the levels", || Ok(self.tree.approximate_len()))
    }

    /// Bytes of blocks in the cache.
    #[cfg(test)]
    pub(super) fn cached_bytes(&self) -> u64 {
        self.tree.tree_config().cache.size()
    }

    /// Sorted runs that no merge has taken up yet; every lookup asks each of them.
    pub(super) fn unmerged_runs(&self) -> Result<usize, StoreError> {
        guarded("looking at the levels", || Ok(self.tree.l0_run_count()))
    }
}

fn config(
    dir: &Path,
    options: &DiskOptions,
    seqnos: &SequenceNumberCounter,
    visible: &SequenceNumberCounter,
) -> Config {
    let bloom = FilterPolicyEntry::Bloom(BloomConstructionPolicy::BitsPerKey(10.0));
    // Filters and indexes of the lower levels are read in pieces through the
    // cache, so that memory does not grow with the state.
    let filters = PinningPolicy::new([false, false, true]);
    // An index that is written whole keeps a key of each block until its table is finished, and
    // with the key, which a merge has not copied, the block: in a merge, all of the table.
    let indexes = PinningPolicy::new([false, true]);
    Config::new(dir, seqnos.clone(), visible.clone())
        .use_cache(Arc::new(Cache::with_capacity_bytes(options.block_cache_bytes)))
        .use_descriptor_table(Some(Arc::new(DescriptorTable::new(OPEN_FILES))))
        .data_block_compression_policy(CompressionPolicy::all(CompressionType::None))
        .index_block_compression_policy(CompressionPolicy::all(CompressionType::None))
        .data_block_size_policy(BlockSizePolicy::new([4 * 1024, 4 * 1024, 8 * 1024]))
        .filter_policy(FilterPolicy::all(bloom))
        .filter_block_pinning_policy(PinningPolicy::new([true, true, false]))
        .index_block_pinning_policy(PinningPolicy::new([true, true, false]))
        .filter_block_partitioning_policy(filters)
        .index_block_partitioning_policy(indexes)
}

/// The tree as it was at one moment.
#[derive(Debug)]
pub(super) struct Pin {
    base: Arc<Base>,
    seqno: u64,
    /// Its tables, run by run.
    runs: Vec<Vec<Table>>,
}

impl Pin {
    /// The value under a key that begins with [`OWN`] or [`USER`].
    fn get_raw(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        let found = guarded("reading a row", || self.base.tree.get(key, self.seqno))?;
        Ok(found.map(Bytes::from))
    }

    /// The value of a row of the store's own.
    pub(super) fn get_own(&self, name: u8) -> Result<Option<Bytes>, StoreError> {
        self.get_raw(&[OWN, name])
    }

    /// The value of a row of the partition.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        let mut short = [0; SHORT_KEY];
        if key.len() < SHORT_KEY {
            short[0] = USER;
            short[1..=key.len()].copy_from_slice(key);
            self.get_raw(&short[..=key.len()])
        } else {
            self.get_raw(&raw_key(key))
        }
    }

    /// Rows with `from <= key < to`, under keys as they are stored.
    pub(super) fn range(&self, from: &[u8], to: &[u8]) -> Result<BaseRange, StoreError> {
        let rows = guarded("reading rows", || {
            Ok(self.base.tree.range::<&[u8], _>(from..to, self.seqno, None))
        })?;
        Ok(BaseRange(rows))
    }

    /// All rows of the partition, under its own keys, read past the cache.
    pub(super) fn sweep(&self) -> Sweep {
        Sweep::new(&self.runs, self.seqno)
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut pinned = self.base.pinned.lock();
        if let Some(count) = pinned.get_mut(&self.seqno) {
            *count -= 1;
            if *count == 0 {
                pinned.remove(&self.seqno);
            }
        }
    }
}

/// The key under which a row of the partition is stored.
pub(super) fn raw_key(key: &[u8]) -> Bytes {
    let mut raw = Vec::with_capacity(1 + key.len());
    raw.push(USER);
    raw.extend_from_slice(key);
    raw.into()
}

/// Rows of the tree, from either end.
pub(super) struct BaseRange(
    Box<dyn DoubleEndedIterator<Item = lsm_tree::IterGuardImpl> + Send + 'static>,
);

impl BaseRange {
    fn guard(
        found: impl FnOnce() -> Option<lsm_tree::IterGuardImpl>,
    ) -> Option<Result<(Bytes, Bytes), StoreError>> {
        let pair = guarded("reading rows", || found().map(Guard::into_inner).transpose());
        let pair = pair.transpose()?;
        Some(pair.map(|(key, value)| (key.into(), value.into())))
    }
}

impl Iterator for BaseRange {
    type Item = Result<(Bytes, Bytes), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        Self::guard(|| self.0.next())
    }
}

impl DoubleEndedIterator for BaseRange {
    fn next_back(&mut self) -> Option<Self::Item> {
        Self::guard(|| self.0.next_back())
    }
}
