//! Which state a partition begins with.
//!
//! The log is the truth, state is a cache of it. In this order: the newest
//! snapshot that reads back whole and from whose position the log goes on; an
//! older one; the empty state, if the log goes back to position 1. What comes
//! after, the engine reads from the log.
//!
//! What was made from the log may not know more than the log does: a snapshot
//! beyond the log's end proves that the log lost its tail, and opening refuses
//! rather than go on without what was acknowledged.

use std::path::Path;

use holdfast_engine::{SnapshotKeeper, snapshots::KeptSnapshot};
use holdfast_log::{Entry, Log, Position, Read, ReaderState, blocking};
use holdfast_state::{MemoryStore, Store};

use crate::{data_dir::DataDir, error::OpenError};

/// What a partition begins with.
#[derive(Debug)]
pub struct Recovered {
    /// The state.
    pub store: Box<dyn Store>,
    /// From where the log can be read: the states of the good snapshots, newest first.
    pub kept: Vec<ReaderState>,
    /// The log goes back to position 1.
    pub untrimmed: bool,
    /// Where the state came from, for people.
    pub origin: String,
}

/// Chooses the state to begin with. This is the one place where that is decided.
///
/// # Errors
/// [`OpenError::LostTail`], [`OpenError::OtherLog`], [`OpenError::NoState`],
/// [`OpenError::Log`], [`OpenError::Io`]
pub fn recover(
    dir: &DataDir,
    snapshots: &SnapshotKeeper,
    log: &dyn Log,
) -> Result<Recovered, OpenError> {
    let history = History::of(log, dir)?;
    let names = snapshots.list().map_err(OpenError::io("listing the snapshots"))?;
    let (mut store, mut kept, mut reasons) = (None, Vec::new(), Vec::new());
    for file in names {
        let loaded = if store.is_none() {
            load(snapshots, &file).map(|(found, loaded)| (found, Some(loaded)))
        } else {
            snapshots.verify(&file).map(|found| (found, None)).map_err(|error| error.to_string())
        };
        match loaded {
            Ok((found, loaded)) if history.goes_on_from(&found.state, &file)? => {
                kept.push(found.state);
                store = store.or_else(|| loaded.map(|loaded| (file, loaded)));
            }
            Ok(_) => reasons.push(format!("{file} is older than what is left of the log")),
            Err(error) => reasons.push(error),
        }
    }
    for reason in &reasons {
        tracing::warn!(reason, "a snapshot is not used");
    }
    let (origin, store) = match store {
        Some((file, store)) => (file, store),
        None if history.untrimmed => ("the beginning of the log".to_owned(), MemoryStore::new()),
        None => {
            return Err(OpenError::NoState { log: dir.log(), snapshots: dir.snapshots(), reasons });
        }
    };
    Ok(Recovered { store: Box::new(store), kept, untrimmed: history.untrimmed, origin })
}

/// A snapshot in memory, if all of it is good.
fn load(keeper: &SnapshotKeeper, file: &str) -> Result<(KeptSnapshot, MemoryStore), String> {
    let (kept, pairs) = keeper.load(file).map_err(|error| error.to_string())?;
    let mut failed = None;
    let good = pairs.map_while(|pair| pair.map_err(|error| failed = Some(error)).ok());
    let store = MemoryStore::from_pairs(good, kept.mark.clone());
    match failed {
        None => Ok((kept, store)),
        Some(error) => Err(format!("{file}: {error}")),
    }
}

/// What the log still has.
struct History<'a> {
    log: &'a dyn Log,
    dir: &'a DataDir,
    tail: Position,
    untrimmed: bool,
}

impl<'a> History<'a> {
    fn of(log: &'a dyn Log, dir: &'a DataDir) -> Result<Self, OpenError> {
        let at = |source| OpenError::Log { dir: dir.log(), source };
        let tail = blocking::tail(log).map_err(at)?;
        let first = blocking::read(log, Position::first(), 1).map_err(at)?;
        Ok(Self { log, dir, tail, untrimmed: first.first() != Some(&Read::Trimmed) })
    }

    /// Can the log be read on from here?
    fn goes_on_from(&self, state: &ReaderState, witness: &str) -> Result<bool, OpenError> {
        let needed = state.next_position;
        if needed > self.tail {
            return Err(OpenError::LostTail {
                dir: self.dir.log(),
                tail: self.tail,
                witness: witness.to_owned(),
                needed,
            });
        }
        if let Some(last) = needed.previous()
            && let Read::Entry(bytes) = self.read(last)?
            && let Ok(entry) = Entry::decode(&bytes)
            && Some(entry.header.log) != state.identity
        {
            let witness = witness.to_owned();
            return Err(OpenError::OtherLog { dir: self.dir.log(), witness });
        }
        Ok(self.read(needed)? != Read::Trimmed)
    }

    fn read(&self, position: Position) -> Result<Read, OpenError> {
        let at = |source| OpenError::Log { dir: self.dir.log(), source };
        let mut found = blocking::read(self.log, position, 1).map_err(at)?;
        Ok(found.swap_remove(0))
    }
}

/// Throws away what is only a cache, because it is in doubt.
///
/// # Errors
/// [`OpenError::Io`]
pub fn discard_state(state: &Path) -> Result<(), OpenError> {
    match std::fs::remove_dir_all(state) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(OpenError::io(format!("removing {}", state.display()))(error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
