//! Batches, the naive model that says what they add up to, and a place for stores.

use std::collections::BTreeMap;

use bytes::Bytes;
use holdfast_state::{
    Batch, BatchBuilder, DiskOptions, LogTime, Mark, Scan, Source, Store, Version,
};
use tempfile::TempDir;

pub(crate) type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// One change, as a test writes it.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Put(Vec<u8>, Vec<u8>),
    Delete(Vec<u8>),
    DeleteRange(Vec<u8>, Vec<u8>),
}

/// Changes of one transaction.
pub(crate) type Transaction = Vec<Change>;

/// A directory in memory where there is one: these tests are not about fsync's speed.
pub(crate) fn place() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// Everything so small that a few batches pass through all of it.
pub(crate) fn tiny() -> DiskOptions {
    DiskOptions {
        memtable_bytes: 4 << 10,
        block_cache_bytes: 64 << 10,
        // Full after some 170 keys, so that it is filled anew now and then.
        filter_bytes: 256,
        files_before_merge: 2,
        table_bytes: 4 << 10,
        ..DiskOptions::default()
    }
}

pub(crate) fn batch(first: Version, transactions: &[Transaction]) -> Batch {
    let mut builder = BatchBuilder::default();
    for transaction in transactions {
        builder.begin(0);
        for change in transaction {
            match change {
                Change::Put(key, value) => builder.put(key, value),
                Change::Delete(key) => builder.delete(key),
                Change::DeleteRange(from, to) => builder.delete_range(from, to),
            }
        }
        builder.commit();
    }
    let count = builder.count();
    Batch { first, count, time: LogTime::default(), bytes: builder.into_bytes().into() }
}

pub(crate) fn replay(rows: &mut Rows, transactions: &[Transaction]) {
    for change in transactions.iter().flatten() {
        match change {
            Change::Put(key, value) => {
                rows.insert(key.clone(), value.clone());
            }
            Change::Delete(key) => {
                rows.remove(key);
            }
            Change::DeleteRange(from, to) => rows.retain(|key, _| !(from <= key && key < to)),
        }
    }
}

pub(crate) fn apply(store: &mut impl Store, transactions: &[Transaction]) {
    let batch = batch(store.mark().version.next(), transactions);
    let last = batch.first.get() + u64::from(batch.count) - 1;
    store.apply(&batch, checkpoint(last)).unwrap();
}

/// The checkpoint that [`apply`] stores with a version.
pub(crate) fn checkpoint(version: u64) -> Bytes {
    format!("at {version}").into()
}

/// Does the mark's checkpoint belong to its version?
pub(crate) fn mark_fits(mark: &Mark) -> bool {
    match mark.version.get() {
        0 => mark.checkpoint.is_empty(),
        version => mark.checkpoint == checkpoint(version),
    }
}

/// All rows of a source, read upwards.
pub(crate) fn all(source: &(impl Source + ?Sized)) -> Result<Rows, holdfast_state::StoreError> {
    let rows = source.scan(&[], &[0xFF; 80], Scan::up(usize::MAX))?;
    Ok(rows.into_iter().map(|(key, value)| (key.to_vec(), value.to_vec())).collect())
}
