//! Snapshots on disk: what the log may be trimmed below, and what a lost or
//! doubtful state is rebuilt from (P16).
//!
//! A snapshot is written under a temporary name, synced, renamed, and read back
//! whole before it counts. The newest two good ones are kept, and the log from the
//! older of them on: if the newest turns out bad, nothing is lost.
//!
//! Nodes that share a log share the directory (a file system that all of them
//! mount): whoever of them leads next, or joins, must find what the log was trimmed
//! for. Only who leads writes there; one that led before and is not done yet does
//! no harm, since each has a temporary name of its own and a file's name says what
//! it holds.

use std::{collections::BTreeMap, io, sync::Arc};

use holdfast_log::{
    Position, ReaderState,
    disk::{Disk, DiskFile},
};
use holdfast_planted::planted;
use holdfast_state::{
    Mark, Snapshot, Version,
    snapshot::{self, SnapshotError, SnapshotHeader},
};
use parking_lot::Mutex;
use xxhash_rust::xxh3::xxh3_64;

use crate::{
    aside::{Abandon, Aside},
    cursor::{BUFFER_BYTES, Cursor},
    event::Event,
};

const PREFIX: &str = "snapshot-";
const SUFFIX: &str = ".hfs";
const TEMPORARY: &str = "snapshot.tmp";

/// The temporary name of a node that shares the directory; one that begins again
/// under its name writes over what it left.
fn temporary(node: &str) -> String {
    format!("snapshot.{:016x}.tmp", xxh3_64(node.as_bytes()))
}

/// How many are kept.
const KEPT: usize = 2;

/// Why a snapshot could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The system refused.
    #[error("{file}: {source}")]
    Io {
        /// The file.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// The bytes are not those that were written.
    #[error("{file}: {source}")]
    Bad {
        /// The file.
        file: String,
        /// What is wrong with them.
        source: SnapshotError,
    },
    /// The snapshot holds no reader's state.
    #[error("{file}: {what}")]
    NoCheckpoint {
        /// The file.
        file: String,
        /// What is wrong.
        what: String,
    },
}

/// A directory of snapshots.
#[derive(Clone, Debug)]
pub struct SnapshotKeeper {
    disk: Arc<dyn Disk>,
    /// What a snapshot is called while it is written.
    temporary: Arc<str>,
    /// Files that were read back whole in this life, and where the log goes on after each.
    good: Arc<Mutex<BTreeMap<String, Position>>>,
    abandon: Abandon,
}

/// A snapshot that was read back whole: its pairs can be loaded.
#[derive(Clone, Debug)]
pub struct KeptSnapshot {
    /// Its file.
    pub file: String,
    /// What it reflects.
    pub mark: Mark,
    /// Where the log goes on after it.
    pub state: ReaderState,
}

impl SnapshotKeeper {
    /// The snapshots in this directory.
    #[must_use]
    pub fn new(disk: Arc<dyn Disk>) -> Self {
        let temporary = TEMPORARY.into();
        Self { disk, temporary, good: Arc::default(), abandon: Abandon::default() }
    }

    /// The snapshots in a directory that several nodes write to, of which this is the
    /// one of that name.
    #[must_use]
    pub fn shared(disk: Arc<dyn Disk>, node: &str) -> Self {
        Self { temporary: temporary(node).into(), ..Self::new(disk) }
    }

    /// Writes a snapshot beside the calling thread; `done` gets the event that says
    /// how it went.
    pub(crate) fn keep(
        &self,
        snapshot: Arc<dyn Snapshot>,
        done: impl FnOnce(Event) + Send + 'static,
    ) -> Aside {
        let keeper = self.clone();
        Aside::start("snapshot", move |abandon| {
            let keeper = Self { abandon: abandon.clone(), ..keeper };
            done(match keeper.write(snapshot.as_ref()) {
                Ok(kept) => Event::SnapshotKept(kept.state),
                Err(KeepError::Bad { source: SnapshotError::Store(doubt), .. }) => {
                    Event::Doubt(doubt)
                }
                Err(error) => Event::SnapshotFailed(error.to_string()),
            });
        })
    }

    /// Writes a snapshot and reads it back.
    ///
    /// # Errors
    /// [`KeepError`]; whatever was kept before still is.
    pub fn write(&self, snapshot: &dyn Snapshot) -> Result<KeptSnapshot, KeepError> {
        let mark = snapshot.mark().clone();
        let file = format!("{PREFIX}{:020}{SUFFIX}", mark.version.get());
        let at = |source| KeepError::Io { file: file.clone(), source };
        let header = SnapshotHeader { mark, meta: bytes::Bytes::new() };
        let target = self.disk.create(&self.temporary).map_err(at)?;
        let mut out = io::BufWriter::with_capacity(BUFFER_BYTES, self.cursor(Arc::clone(&target)));
        snapshot::write(snapshot, &header, &mut out)
            .map_err(|source| KeepError::Bad { file: file.clone(), source })?;
        io::Write::flush(&mut out).map_err(at)?;
        target.sync_data().map_err(at)?;
        self.disk.rename(&self.temporary, &file).map_err(at)?;
        self.disk.sync_dir().map_err(at)?;
        let kept = self.verify(&file)?;
        self.remove_old().map_err(at)?;
        Ok(kept)
    }

    /// Reads a snapshot through to its end.
    ///
    /// # Errors
    /// [`KeepError`]
    pub fn verify(&self, file: &str) -> Result<KeptSnapshot, KeepError> {
        let (kept, pairs) = self.load(file)?;
        for pair in pairs {
            pair.map_err(|source| KeepError::Bad { file: file.to_owned(), source })?;
        }
        self.good.lock().insert(file.to_owned(), kept.state.next_position);
        Ok(kept)
    }

    /// What a snapshot holds. The pairs end in an error unless all of it was there.
    ///
    /// # Errors
    /// [`KeepError`]
    #[expect(clippy::type_complexity, reason = "an iterator that cannot be named")]
    pub fn load(
        &self,
        file: &str,
    ) -> Result<
        (
            KeptSnapshot,
            impl Iterator<Item = Result<(bytes::Bytes, bytes::Bytes), SnapshotError>> + use<>,
        ),
        KeepError,
    > {
        let io = |source| KeepError::Io { file: file.to_owned(), source };
        let source = self.disk.open(file).map_err(io)?;
        let input = io::BufReader::with_capacity(BUFFER_BYTES, self.cursor(source));
        let (header, pairs) = snapshot::read(input)
            .map_err(|source| KeepError::Bad { file: file.to_owned(), source })?;
        let checkpoint = crate::engine::checkpoint_of(&header.mark);
        let state = checkpoint
            .map_err(|error| error.to_string())
            .and_then(|state| state.ok_or_else(|| "it has no checkpoint".to_owned()))
            .map_err(|what| KeepError::NoCheckpoint { file: file.to_owned(), what })?;
        Ok((KeptSnapshot { file: file.to_owned(), mark: header.mark, state }, pairs))
    }

    /// Names of the snapshots there are, newest first.
    ///
    /// # Errors
    /// What the system says.
    pub fn list(&self) -> io::Result<Vec<String>> {
        let mut names = self.disk.list()?;
        names.retain(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX));
        names.sort_unstable_by(|a, b| b.cmp(a));
        Ok(names)
    }

    /// Versions of the snapshots there are, newest first, as their names say.
    ///
    /// # Errors
    /// What the system says.
    pub fn versions(&self) -> io::Result<Vec<Version>> {
        let version = |name: &String| {
            let number = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
            number.parse().ok().map(Version::new)
        };
        Ok(self.list()?.iter().filter_map(version).collect())
    }

    /// Would two good snapshots be left to go on from if the log were trimmed below this? (P16)
    /// Whoever asks for the trim remembers a snapshot that may have turned out bad since.
    ///
    /// # Errors
    /// What the system says.
    pub fn backs(&self, below: Position) -> io::Result<bool> {
        let names = self.list()?;
        let good = self.good.lock();
        let from = |name: &String| good.get(name).is_some_and(|from| *from >= below);
        let enough = if planted!(TrimmedTooFar) { 1 } else { KEPT };
        Ok(names.iter().filter(|name| from(name)).count() >= enough)
    }

    /// A bad one neither counts nor stays: kept by its name, it would drive out the
    /// good one that the log goes on from.
    fn remove_old(&self) -> io::Result<()> {
        let mut good = 0;
        for name in self.list()? {
            if good < KEPT && self.is_good(&name) {
                good += 1;
            } else {
                // One that was not read to its end, being abandoned, may be good.
                self.abandon.check()?;
                self.remove(&name)?;
                self.good.lock().remove(&name);
            }
        }
        self.disk.sync_dir()
    }

    /// Another node may have removed it first.
    fn remove(&self, name: &str) -> io::Result<()> {
        match self.disk.remove(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }

    fn cursor(&self, file: Arc<dyn DiskFile>) -> Cursor {
        Cursor::new(file, self.abandon.clone())
    }

    fn is_good(&self, name: &str) -> bool {
        if self.good.lock().contains_key(name) {
            return true;
        }
        let verified = self.verify(name);
        if let Err(error) = &verified
            && self.abandon.check().is_ok()
        {
            tracing::error!(%error, "a snapshot is bad and is removed");
        }
        verified.is_ok()
    }
}
