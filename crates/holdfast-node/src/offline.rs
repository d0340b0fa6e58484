//! Looking at a data directory that no server has open.
//!
//! The log is opened as a server opens it, lock included, so that nobody writes
//! meanwhile; nothing is claimed and nothing is appended. The state is brought up
//! to the log's end as a starting server would, which makes an audit of a stopped
//! server's data an audit of exactly what it would serve.
//!
//! How far back the past can be read is [`Reach`]: to the beginning while the log is
//! not trimmed, or where an archive holds what was; else to the oldest snapshot.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use holdfast_engine::{Archive, SnapshotKeeper, archive::Range, snapshots::KeptSnapshot};
use holdfast_log::{
    ChainBroken, Entry, FileLog, LogError, Position, Read, Reader, ReaderState, Step, blocking,
};
use holdfast_state::{
    Batch, LogTime, MemoryStore, Namespace, Scan, Store, Version, View, table::split_key,
};

use crate::{
    config::{NodeConfig, Storage},
    data_dir::DataDir,
    error::{LogPlace, OpenError},
    node::{archive_at, disk_at, open_log},
    recovery::{Places, Recovered, recover},
};

/// How much one read of the log brings, in bytes.
const READ_BYTES: usize = 4 << 20;

/// A stopped server's data.
#[derive(Debug)]
pub struct Offline {
    past: Past,
    snapshots: SnapshotKeeper,
    recovered: Recovered,
    reach: Reach,
    time: LogTime,
}

/// Where entries are read from.
#[derive(Debug)]
struct Past {
    dir: DataDir,
    log: Arc<FileLog>,
    archive: Option<(PathBuf, Archive)>,
    /// What is read from the archive, from position 1 on without a hole; the log goes
    /// on after it.
    archived: Vec<Range>,
    /// Where snapshots go on: whoever reads on from further back comes by there.
    kept: Vec<ReaderState>,
}

/// How far back the past can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// To the beginning, in the log alone.
    Log,
    /// To the beginning: in the archive below this position, in the log from there on.
    Archive(Position),
    /// To a snapshot of this version, in the log after it.
    Snapshot {
        /// The snapshot's.
        version: Version,
        /// Why an archive does not help, where there is one.
        archive: Option<String>,
    },
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log => f.write_str("the whole log"),
            Self::Archive(_) => f.write_str("the archive, from version 1 on, and the log after it"),
            Self::Snapshot { version, archive } => {
                write!(f, "the oldest snapshot, of version {version}, and the log after it")?;
                archive.iter().try_for_each(|why| write!(f, " (the archive {why})"))
            }
        }
    }
}

/// What a position of the log turned out to be.
#[derive(Clone, Debug)]
pub struct Inspected {
    /// The position.
    pub position: Position,
    /// What it holds.
    pub entry: Entry,
    /// What the reader makes of it.
    pub step: Step,
    /// The entry's size in bytes.
    pub bytes: usize,
}

impl Offline {
    /// Opens the data directory.
    ///
    /// # Errors
    /// [`OpenError::NoData`] when there is none, [`OpenError::InUse`] while a
    /// server runs on it, and whatever else opening a node says.
    pub fn open(root: &Path) -> Result<Self, OpenError> {
        let dir = DataDir::existing(root)?;
        let config = NodeConfig::new(Storage::Directory(root.to_owned()));
        let log = Arc::new(open_log(&config, &dir)?);
        let snapshots = SnapshotKeeper::new(disk_at(&dir.snapshots())?);
        let recovered = recover(&dir, &snapshots, log.as_ref(), &Places::within(&dir))?;
        let reach = match recovered.kept.last() {
            Some(oldest) if !recovered.untrimmed => {
                Reach::Snapshot { version: oldest.mark.version, archive: None }
            }
            Some(_) | None => Reach::Log,
        };
        let kept = recovered.kept.iter().map(|kept| kept.state).collect();
        let past = Past { dir, log, archive: None, archived: Vec::new(), kept };
        Ok(Self { past, snapshots, recovered, reach, time: LogTime::ZERO })
    }

    /// Reads what the log no longer has from the archive in this directory, if that
    /// goes back to position 1 and the log goes on from it; [`reach`](Self::reach)
    /// says whether it does.
    ///
    /// # Errors
    /// [`OpenError::Io`] when there is no such directory, [`OpenError::Archive`]
    pub fn with_archive(mut self, dir: &Path) -> Result<Self, OpenError> {
        std::fs::read_dir(dir).map_err(OpenError::io(format!("reading {}", dir.display())))?;
        let archive = archive_at(dir)?;
        let ranges = archive.ranges().map_err(OpenError::archive)?;
        let Reach::Snapshot { archive: why, .. } = &mut self.reach else { return Ok(self) };
        let mut end = Position::first();
        let mut archived = Vec::new();
        for range in ranges {
            if range.first == end {
                end = range.last.next();
                archived.push(range);
            }
        }
        *why = Some(match self.past.read_log(end, 1)?.first() {
            _ if archived.is_empty() => "does not go back to position 1".to_owned(),
            Some(Read::Trimmed) => format!("has a hole after position {}", end.get() - 1),
            Some(Read::Entry(_) | Read::Empty) | None => {
                self.past.archive = Some((dir.to_owned(), archive));
                self.past.archived = archived;
                self.reach = Reach::Archive(end);
                return Ok(self);
            }
        });
        Ok(self)
    }

    /// How far back the past can be read.
    #[must_use]
    pub const fn reach(&self) -> &Reach {
        &self.reach
    }

    /// The state from which entries can be read to the log's end: that of the oldest
    /// snapshot, or `None` when they go back to the beginning.
    ///
    /// # Errors
    /// [`OpenError::NoState`] when the snapshot went bad since it was opened.
    pub fn base(&self) -> Result<Option<Box<dyn Store>>, OpenError> {
        let Some(oldest) = self.oldest() else { return Ok(None) };
        let bad = |reason: String| OpenError::NoState {
            log: LogPlace::Directory(self.past.dir.log()),
            snapshots: self.past.dir.snapshots(),
            reasons: vec![reason],
        };
        let (kept, pairs) = self.snapshots.load(&oldest.file).map_err(|e| bad(e.to_string()))?;
        let pairs: Result<Vec<_>, _> = pairs.collect();
        let pairs = pairs.map_err(|error| bad(format!("{}: {error}", oldest.file)))?;
        Ok(Some(Box::new(MemoryStore::from_pairs(pairs, kept.mark))))
    }

    /// Reads archive and log from the [`base`](Self::base) to the log's end, and brings
    /// the state up to there.
    ///
    /// # Errors
    /// [`OpenError::Broken`], [`OpenError::Log`], [`OpenError::Archive`],
    /// [`OpenError::OtherArchive`], [`OpenError::State`]
    pub fn replay(&mut self, mut visit: impl FnMut(&Batch)) -> Result<(), OpenError> {
        let mut reader = Reader::start(self.begin());
        let store = self.recovered.store.as_mut();
        self.past.walk(&mut reader, |reader, inspected| {
            let Step::Batch(header, body) = &inspected.step else { return Ok(true) };
            let batch = Batch {
                first: Version::new(header.first_version),
                count: header.count,
                time: LogTime::from_us(header.log_time_us),
                bytes: body.clone(),
            };
            if batch.first > store.mark().version {
                store.apply(&batch, Bytes::copy_from_slice(&reader.state().encode()))?;
            }
            visit(&batch);
            Ok(true)
        })?;
        self.time = LogTime::from_us(reader.state().log_time_us);
        Ok(())
    }

    /// What a namespace holds: after [`replay`](Self::replay), all that is durable.
    #[must_use]
    pub fn view(&self, namespace: Namespace) -> View {
        View::new(self.recovered.store.snapshots().latest(), namespace, self.time)
    }

    /// The namespaces that have rows, without the partition's own.
    ///
    /// # Errors
    /// [`OpenError::State`]
    pub fn namespaces(&self) -> Result<Vec<Namespace>, OpenError> {
        let mut found = Vec::new();
        let mut from = 1u32.to_be_bytes();
        loop {
            let next = self.recovered.store.scan(&from, &[0xFF; 8], Scan::up(1))?;
            let Some((key, _)) = next.first() else { return Ok(found) };
            let Some((namespace, ..)) = split_key(key) else { return Ok(found) };
            found.push(namespace);
            let Some(after) = namespace.get().checked_add(1) else { return Ok(found) };
            from = after.to_be_bytes();
        }
    }

    /// The snapshot that everything begins with, unless it begins with nothing.
    fn oldest(&self) -> Option<&KeptSnapshot> {
        let from_snapshot = matches!(self.reach, Reach::Snapshot { .. });
        self.recovered.kept.last().filter(|_| from_snapshot)
    }

    fn begin(&self) -> Option<ReaderState> {
        self.oldest().map(|kept| kept.state)
    }

    /// Visits the entries of archive and log in order, from the first whose validity can
    /// be told, until `visit` says that it has seen enough.
    ///
    /// # Errors
    /// [`OpenError::Broken`] where entries do not fit together, [`OpenError::Log`],
    /// [`OpenError::Archive`], [`OpenError::OtherArchive`]
    pub fn walk(&self, mut visit: impl FnMut(&Inspected) -> bool) -> Result<(), OpenError> {
        let mut reader = Reader::start(self.begin());
        self.past.walk(&mut reader, |_, inspected| Ok(visit(inspected)))
    }

    /// Gives the directory back.
    ///
    /// # Errors
    /// [`OpenError::Log`] when the log does not close cleanly.
    pub fn close(self) -> Result<(), OpenError> {
        blocking::close(self.past.log.as_ref()).map_err(|source| self.past.log_failed(source))
    }
}

impl Past {
    fn walk(
        &self,
        reader: &mut Reader,
        mut visit: impl FnMut(&Reader, &Inspected) -> Result<bool, OpenError>,
    ) -> Result<(), OpenError> {
        if let Some((_, archive)) = &self.archive {
            for range in &self.archived {
                for entry in archive.entries(*range).map_err(OpenError::archive)? {
                    let (_, bytes) = entry.map_err(OpenError::archive)?;
                    let inspected = self.inspect(reader, &bytes)?;
                    if !visit(reader, &inspected)? {
                        return Ok(());
                    }
                }
            }
        }
        loop {
            for read in self.read_log(reader.state().next_position, READ_BYTES)? {
                let Read::Entry(bytes) = read else { return Ok(()) };
                let inspected = self.inspect(reader, &bytes)?;
                if !visit(reader, &inspected)? {
                    return Ok(());
                }
            }
        }
    }

    fn read_log(&self, from: Position, max_bytes: usize) -> Result<Vec<Read>, OpenError> {
        blocking::read(self.log.as_ref(), from, max_bytes).map_err(|source| self.log_failed(source))
    }

    fn log_failed(&self, source: LogError) -> OpenError {
        OpenError::Log { log: LogPlace::Directory(self.dir.log()), source }
    }

    fn inspect(&self, reader: &mut Reader, bytes: &Bytes) -> Result<Inspected, OpenError> {
        let position = reader.state().next_position;
        let broken = |source: ChainBroken| match &self.archive {
            Some((archive, _)) => self.other(archive, source.to_string()),
            None => OpenError::Broken { dir: self.dir.log(), source },
        };
        let step = reader.feed(position, bytes).map_err(broken)?;
        if let Some((archive, _)) = &self.archive {
            self.check_history(reader.state(), archive)?;
        }
        let entry = Entry::decode(bytes).expect("the reader has decoded it");
        Ok(Inspected { position, entry, step, bytes: bytes.len() })
    }

    /// Entries of another log may all be dead, and dead entries raise no alarm.
    fn check_history(&self, state: &ReaderState, archive: &Path) -> Result<(), OpenError> {
        let here = |kept: &&ReaderState| kept.next_position == state.next_position;
        let history = |of: &ReaderState| (of.identity, of.hash, of.next_version);
        match self.kept.iter().find(here) {
            Some(kept) if history(kept) != history(state) => {
                let what =
                    format!("a snapshot knows another history before {}", state.next_position);
                Err(self.other(archive, what))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn other(&self, archive: &Path, what: String) -> OpenError {
        OpenError::OtherArchive { archive: archive.to_owned(), log: self.dir.log(), what }
    }
}
