//! The seam between a partition and whatever keeps its state.
//!
//! A store is an ordered map of bytes that one writer moves forward, batch by
//! batch, and that many readers look at through [`Snapshot`]s. It is a
//! *rebuildable cache* of the log: it never syncs per batch, it remembers in the
//! same step which version it reflects, and when anything about it looks wrong
//! it says [`StoreError::Doubt`], whereupon the partition steps down, throws it
//! away and rebuilds from snapshot and log.

use std::{fmt, sync::Arc};

use bytes::Bytes;

use crate::{fact::Batch, version::Version};

/// Which way a scan goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the lowest key.
    Up,
    /// From the highest key.
    Down,
}

/// How a scan goes, and how far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scan {
    /// Upwards or downwards.
    pub direction: Direction,
    /// At most this many rows.
    pub limit: usize,
}

impl Scan {
    /// The first `limit` rows, lowest key first.
    #[must_use]
    pub const fn up(limit: usize) -> Self {
        Self { direction: Direction::Up, limit }
    }

    /// The last `limit` rows, highest key first.
    #[must_use]
    pub const fn down(limit: usize) -> Self {
        Self { direction: Direction::Down, limit }
    }
}

/// How far a store has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// The last transaction applied.
    pub version: Version,
    /// Where in the log that was, in the engine's own words; the store keeps
    /// these bytes with the state and does not look into them.
    pub checkpoint: Bytes,
}

/// Why a store cannot answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// What was read cannot be what was written. The state must be rebuilt.
    #[error("the state is in doubt and must be rebuilt from snapshot and log: {what}")]
    Doubt {
        /// What did not fit, and where.
        what: String,
    },
    /// The operating system refused a read or a write.
    #[error("the state store failed: {what}")]
    Io {
        /// The operation and the system's words.
        what: String,
    },
}

/// How much the store wants its writer to slow down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pressure {
    /// Go on.
    None,
    /// Writing back has fallen behind: admit nothing new until it has caught up.
    Full,
}

/// Something keys can be looked up in.
pub trait Source: fmt::Debug {
    /// The value of `key`.
    ///
    /// # Errors
    /// [`StoreError`]
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError>;

    /// At most `scan.limit` pairs with `from <= key < to`, in the scan's order.
    ///
    /// # Errors
    /// [`StoreError`]
    fn scan(&self, from: &[u8], to: &[u8], scan: Scan) -> Result<Vec<(Bytes, Bytes)>, StoreError>;
}

/// Pairs in order of their keys, as they are read; nothing comes after an error.
pub type AllPairs<'a> = Box<dyn Iterator<Item = Result<(Bytes, Bytes), StoreError>> + 'a>;

/// The state at one version, for as long as it is held. Cheap to take; holding
/// one for long makes the store keep what has been overwritten since.
pub trait Snapshot: Source + Send + Sync {
    /// What this snapshot reflects.
    fn mark(&self) -> &Mark;

    /// All of it, for who reads it once from one end to the other.
    fn pairs(&self) -> AllPairs<'_> {
        Box::new(Pages {
            source: self,
            from: Vec::new(),
            page: Vec::new().into_iter(),
            ended: false,
        })
    }
}

/// The newest applied state, for any thread. As a [`Source`] it may show a part
/// of a batch that is being applied; a snapshot never does.
pub trait Snapshots: Source + Send + Sync {
    /// The newest applied state, held.
    fn latest(&self) -> Arc<dyn Snapshot>;

    /// The newest state that takes no memory to be held: of a store on disk, what is written back,
    /// which is some tables older than the latest. For an export, which takes long.
    fn written_back(&self) -> Arc<dyn Snapshot> {
        self.latest()
    }

    /// Whether the writer should slow down.
    fn pressure(&self) -> Pressure {
        Pressure::None
    }
}

/// Where a partition's state lives. As a [`Source`] it answers from the newest
/// applied state.
pub trait Store: Source + Send {
    /// What the state reflects.
    fn mark(&self) -> Mark;

    /// Applies a batch and, in the same step, the mark's new checkpoint. Readers
    /// see all of it or nothing. The batch follows the mark: its first version is
    /// the next.
    ///
    /// # Errors
    /// [`StoreError`]; the state is then in doubt, whatever was applied.
    ///
    /// # Panics
    /// When the batch does not follow the mark: that is a bug of ours.
    fn apply(&mut self, batch: &Batch, checkpoint: Bytes) -> Result<(), StoreError>;

    /// Writes back what was applied, before an orderly stop, so that the next start
    /// need not read it from the log. A store that keeps nothing has nothing to do.
    ///
    /// # Errors
    /// [`StoreError`]
    fn persist(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    /// A handle for everyone who reads while the writer goes on.
    fn snapshots(&self) -> Arc<dyn Snapshots>;
}

/// Pairs that a page is asked for.
const PAGE: usize = 1024;

/// All pairs of a source, page by page.
struct Pages<'a, S: ?Sized> {
    source: &'a S,
    from: Vec<u8>,
    page: std::vec::IntoIter<(Bytes, Bytes)>,
    /// The page is the last.
    ended: bool,
}

impl<S: Source + ?Sized> Pages<'_, S> {
    fn turn(&mut self) -> Result<(), StoreError> {
        // Keys begin with a namespace: 32 bytes of FF are above every key.
        let page = self.source.scan(&self.from, &[0xFF; 32], Scan::up(PAGE));
        self.ended = !page.as_ref().is_ok_and(|page| page.len() == PAGE);
        let page = page?;
        if let Some((last, _)) = page.last() {
            self.from = [last, &[0][..]].concat();
        }
        self.page = page.into_iter();
        Ok(())
    }
}

impl<S: Source + ?Sized> Iterator for Pages<'_, S> {
    type Item = Result<(Bytes, Bytes), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.page.as_slice().is_empty()
            && !self.ended
            && let Err(error) = self.turn()
        {
            return Some(Err(error));
        }
        self.page.next().map(Ok)
    }
}
