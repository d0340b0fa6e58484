//! All rows of the tree, read once, past the cache.
//!
//! A lookup or a scan leaves the blocks that it read in the cache, for the next one. Who
//! reads everything, once, would fill the cache with what nobody asks for, for good. So this
//! goes through the files as the library's merges do: by `Table::scan`, hidden in its
//! documentation like what merges the runs, with a buffer of its own for each run of
//! tables and no block kept. It checks each block as every other way does.

use bytes::Bytes;
use lsm_tree::{InternalValue, Slice, Table, merge::Merger, table::Scanner};

use super::{USER, guarded};
use crate::store::StoreError;

/// Rows as a run has them.
type Rows = Box<dyn Iterator<Item = lsm_tree::Result<InternalValue>> + Send>;

/// The newest row of each key of the partition that was written before a number, in the order of
/// their keys, without those that are deleted; none after an error.
pub(in crate::disk) struct Sweep {
    merged: Option<Merger<Rows>>,
    /// Whatever else comes under this key is older.
    key: Option<Slice>,
}

impl Sweep {
    /// Reads these runs, tables in the order of their keys, up to the number `before`.
    pub(super) fn new(runs: &[Vec<Table>], before: u64) -> Self {
        let seen = move |row: &lsm_tree::Result<InternalValue>| {
            row.as_ref().map_or(true, |row| row.key.seqno < before)
        };
        let rows = |run: &Vec<Table>| Box::new(Run::new(run.clone()).filter(seen)) as Rows;
        Self { merged: Some(Merger::new(runs.iter().map(rows).collect())), key: None }
    }

    fn next_row(&mut self) -> Result<Option<InternalValue>, StoreError> {
        let Some(merged) = &mut self.merged else { return Ok(None) };
        loop {
            let Some(row) = guarded("reading rows", || merged.next().transpose())? else {
                return Ok(None);
            };
            if self.key.as_ref() == Some(&row.key.user_key) {
                continue;
            }
            self.key = Some(row.key.user_key.clone());
            if !row.is_tombstone() && row.key.user_key.first() == Some(&USER) {
                return Ok(Some(row));
            }
        }
    }
}

impl Iterator for Sweep {
    type Item = Result<(Bytes, Bytes), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.next_row();
        if !matches!(row, Ok(Some(_))) {
            self.merged = None;
        }
        let pair =
            |row: InternalValue| (Bytes::from(row.key.user_key).slice(1..), row.value.into());
        row.transpose().map(|row| row.map(pair))
    }
}

/// The rows of one run: one table after the other, each opened when its turn comes. A table that
/// is held has its file, even after a merge.
struct Run {
    left: std::vec::IntoIter<Table>,
    open: Option<Scanner>,
}

impl Run {
    fn new(tables: Vec<Table>) -> Self {
        Self { left: tables.into_iter(), open: None }
    }
}

impl Iterator for Run {
    type Item = lsm_tree::Result<InternalValue>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(row) = self.open.as_mut().and_then(Iterator::next) {
                return Some(row);
            }
            match self.left.next()?.scan() {
                Ok(scanner) => self.open = Some(scanner),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
