//! Which state a partition begins with.
//!
//! The log is the truth, state is a cache of it. In this order: the state on
//! disk, if it opens and the log goes on from it; the newest snapshot that reads
//! back whole and from whose position the log goes on; an older one; the empty
//! state, if the log goes back to position 1. What comes after, the engine reads
//! from the log.
//!
//! What was made from the log may not know more than the log does: a snapshot
//! beyond the log's end proves that the log lost its tail, and opening refuses
//! rather than go on without what was acknowledged.

use std::path::{Path, PathBuf};

use holdfast_engine::{
    Leader, Origin, SnapshotKeeper, engine::checkpoint_of, snapshots::KeptSnapshot,
};
use holdfast_log::{Entry, Log, LogError, Position, Read, ReaderState, blocking};
use holdfast_state::{
    Store, StoreError,
    disk::{DiskOptions, DiskStore},
};

use crate::{
    data_dir::DataDir,
    error::{LogPlace, OpenError},
};

/// What a partition begins with.
#[derive(Debug)]
pub struct Recovered {
    /// The state.
    pub store: Box<dyn Store>,
    /// The good snapshots, newest first: from each of them the log can be read on.
    pub kept: Vec<KeptSnapshot>,
    /// The log goes back to position 1.
    pub untrimmed: bool,
    /// Who leads, as far as the log says so below where the state ends.
    pub leader: Option<Leader>,
    /// Where the state came from.
    pub origin: Origin,
    /// The same, for people.
    pub source: String,
}

/// Where things are, for people.
#[derive(Clone, Debug)]
pub struct Places {
    /// The log.
    pub log: LogPlace,
    /// The directory of snapshots.
    pub snapshots: PathBuf,
}

impl Places {
    /// In a data directory that has everything.
    #[must_use]
    pub fn within(dir: &DataDir) -> Self {
        Self { log: LogPlace::Directory(dir.log()), snapshots: dir.snapshots() }
    }
}

/// How often a state is looked for while whoever leads exchanges the snapshots.
const TRIES: usize = 5;

/// Chooses the state to begin with. This is the one place where that is decided.
///
/// Whoever leads a shared log may remove a snapshot that is being restored here, and trim the log that
/// it goes on with; there are newer ones then, and those are tried.
///
/// # Errors
/// [`OpenError::LostTail`], [`OpenError::OtherLog`], [`OpenError::NoState`],
/// [`OpenError::Log`], [`OpenError::Io`]
pub fn recover(
    dir: &DataDir,
    snapshots: &SnapshotKeeper,
    log: &dyn Log,
    places: &Places,
) -> Result<Recovered, OpenError> {
    let list = || snapshots.list().map_err(OpenError::io("listing the snapshots"));
    let mut names = list()?;
    for _ in 1..TRIES {
        let found = recover_from(&names, dir, snapshots, log, places);
        let Err(OpenError::NoState { .. }) = &found else { return found };
        let now = list()?;
        if now == names {
            return found;
        }
        tracing::info!("snapshots were exchanged while one was restored; the newer ones are tried");
        names = now;
    }
    recover_from(&names, dir, snapshots, log, places)
}

fn recover_from(
    names: &[String],
    dir: &DataDir,
    snapshots: &SnapshotKeeper,
    log: &dyn Log,
    places: &Places,
) -> Result<Recovered, OpenError> {
    let history = History::of(log, places)?;
    let kept = on_disk(dir, &history)?;
    let origin = if kept.is_some() { Origin::Kept } else { Origin::Rebuilt };
    let mut found = kept.map(|store| ("the state on disk".to_owned(), store));
    let (mut kept, mut reasons) = (Vec::new(), Vec::new());
    for file in names {
        let loaded = if found.is_none() {
            load(snapshots, file, dir).map(|(snapshot, store)| (snapshot, Some(store)))
        } else {
            let verified = snapshots.verify(file);
            verified.map(|snapshot| (snapshot, None)).map_err(|error| error.to_string())
        };
        match loaded {
            Ok((snapshot, store)) if history.goes_on_from(&snapshot.state, file)? => {
                kept.push(snapshot);
                found = found.or_else(|| store.map(|store| (file.clone(), store)));
            }
            Ok(_) => reasons.push(format!("{file} is older than what is left of the log")),
            Err(error) => reasons.push(error),
        }
    }
    for reason in &reasons {
        tracing::warn!(reason, "a snapshot is not used");
    }
    let (source, store) = match found {
        Some(found) => found,
        None if history.untrimmed => {
            discard_state(&dir.state())?;
            let store = DiskStore::open(&dir.state(), &DiskOptions::default())?;
            ("the beginning of the log".to_owned(), store)
        }
        None => {
            let Places { log, snapshots } = places.clone();
            return Err(OpenError::NoState { log, snapshots, reasons });
        }
    };
    let leader = history.leader(&store)?;
    let untrimmed = history.untrimmed;
    Ok(Recovered { store: Box::new(store), kept, untrimmed, leader, origin, source })
}

/// The state on disk, if it opens, holds anything, and the log goes on from it.
fn on_disk(dir: &DataDir, history: &History<'_>) -> Result<Option<DiskStore>, OpenError> {
    let in_doubt = |what: String| {
        tracing::warn!(what, "the state on disk is not used; it is rebuilt");
        Ok(None)
    };
    let store = match DiskStore::open(&dir.state(), &DiskOptions::default()) {
        Ok(store) => store,
        Err(StoreError::Doubt { what }) => return in_doubt(what),
        Err(error @ StoreError::Io { .. }) => return Err(error.into()),
    };
    match checkpoint_of(&store.mark()) {
        Ok(None) => Ok(None),
        Ok(Some(state)) if history.goes_on_from(&state, "the state on disk")? => Ok(Some(store)),
        Ok(Some(_)) => in_doubt("it is older than what is left of the log".to_owned()),
        Err(error) => in_doubt(error.to_string()),
    }
}

/// A snapshot made the state on disk, if all of it is good.
fn load(
    keeper: &SnapshotKeeper,
    file: &str,
    dir: &DataDir,
) -> Result<(KeptSnapshot, DiskStore), String> {
    let (kept, pairs) = keeper.load(file).map_err(|error| error.to_string())?;
    let rows =
        pairs.map(|pair| pair.map_err(|error| StoreError::Doubt { what: error.to_string() }));
    DiskStore::create_from(&dir.state(), &DiskOptions::default(), rows, &kept.mark)
        .map(|store| (kept, store))
        .map_err(|error| format!("{file}: {error}"))
}

/// What the log still has.
struct History<'a> {
    log: &'a dyn Log,
    places: &'a Places,
    untrimmed: bool,
}

impl<'a> History<'a> {
    fn of(log: &'a dyn Log, places: &'a Places) -> Result<Self, OpenError> {
        let history = Self { log, places, untrimmed: true };
        let first = history.read(Position::first())?;
        Ok(Self { untrimmed: first != Read::Trimmed, ..history })
    }

    /// Can the log be read on from here?
    fn goes_on_from(&self, state: &ReaderState, witness: &str) -> Result<bool, OpenError> {
        self.log.is_where(&state.provenance).map_err(|source| self.refused(source))?;
        let needed = state.next_position;
        // Asked anew each time: others may write, and snapshots be newer than an earlier answer.
        let tail = blocking::tail(self.log).map_err(|source| self.refused(source))?;
        if needed > tail {
            let (log, witness) = (self.places.log.clone(), witness.to_owned());
            return Err(OpenError::LostTail { log, tail, witness, needed });
        }
        if let Some(last) = needed.previous()
            && let Read::Entry(bytes) = self.read(last)?
            && let Ok(entry) = Entry::decode(&bytes)
            && Some(entry.header.log) != state.identity
        {
            let (log, witness) = (self.places.log.clone(), witness.to_owned());
            return Err(OpenError::OtherLog { log, witness });
        }
        Ok(self.read(needed)? != Read::Trimmed)
    }

    /// Who leads, by the last that was said of it before this state was made, if it is still there.
    fn leader(&self, store: &dyn Store) -> Result<Option<Leader>, OpenError> {
        let Some(state) = checkpoint_of(&store.mark())? else { return Ok(None) };
        let Some(said_at) = state.said_at else { return Ok(None) };
        Ok(match self.read(said_at)? {
            Read::Entry(bytes) => Leader::said_in(&bytes, &state),
            Read::Empty | Read::Trimmed => None,
        })
    }

    fn read(&self, position: Position) -> Result<Read, OpenError> {
        let mut found =
            blocking::read(self.log, position, 1).map_err(|source| self.refused(source))?;
        Ok(found.swap_remove(0))
    }

    fn refused(&self, source: LogError) -> OpenError {
        OpenError::Log { log: self.places.log.clone(), source }
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
