//! Looking at a data directory that no server has open.
//!
//! The log is opened as a server opens it, lock included, so that nobody writes
//! meanwhile; nothing is claimed and nothing is appended. The state is brought up
//! to the log's end as a starting server would, which makes an audit of a stopped
//! server's data an audit of exactly what it would serve.

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use holdfast_engine::SnapshotKeeper;
use holdfast_log::{Entry, FileLog, Position, Read, Reader, ReaderState, Step, blocking};
use holdfast_state::{
    Batch, LogTime, MemoryStore, Namespace, Scan, Store, Version, View, table::split_key,
};

use crate::{
    config::{NodeConfig, Storage},
    data_dir::DataDir,
    error::OpenError,
    node::{disk_at, open_log},
    recovery::{Recovered, recover},
};

/// How much one read of the log brings, in bytes.
const READ_BYTES: usize = 4 << 20;

/// A stopped server's data.
#[derive(Debug)]
pub struct Offline {
    dir: DataDir,
    log: Arc<FileLog>,
    snapshots: SnapshotKeeper,
    recovered: Recovered,
    time: LogTime,
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
        let recovered = recover(&dir, &snapshots, log.as_ref())?;
        Ok(Self { dir, log, snapshots, recovered, time: LogTime::ZERO })
    }

    /// The state from which the log can be read to its end: that of the oldest
    /// snapshot, or `None` when the log goes back to the beginning.
    ///
    /// # Errors
    /// [`OpenError::NoState`] when the snapshot went bad since it was opened.
    pub fn base(&self) -> Result<Option<Box<dyn Store>>, OpenError> {
        let Some(oldest) = self.recovered.kept.last().filter(|_| !self.recovered.untrimmed) else {
            return Ok(None);
        };
        let bad = |reason: String| OpenError::NoState {
            log: self.dir.log(),
            snapshots: self.dir.snapshots(),
            reasons: vec![reason],
        };
        let (kept, pairs) = self.snapshots.load(&oldest.file).map_err(|e| bad(e.to_string()))?;
        let pairs: Result<Vec<_>, _> = pairs.collect();
        let pairs = pairs.map_err(|error| bad(format!("{}: {error}", oldest.file)))?;
        Ok(Some(Box::new(MemoryStore::from_pairs(pairs, kept.mark))))
    }

    /// Reads the log from the [`base`](Self::base) to its end, and brings the state
    /// up to there.
    ///
    /// # Errors
    /// [`OpenError::Broken`], [`OpenError::Log`], [`OpenError::State`]
    pub fn replay(&mut self, mut visit: impl FnMut(&Batch)) -> Result<(), OpenError> {
        let mut reader = Reader::start(self.begin());
        let (dir, log) = (&self.dir, &self.log);
        let store = self.recovered.store.as_mut();
        walk(dir, log, &mut reader, |reader, inspected| {
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

    fn begin(&self) -> Option<ReaderState> {
        let oldest = self.recovered.kept.last().map(|kept| kept.state);
        oldest.filter(|_| !self.recovered.untrimmed)
    }

    /// Visits the entries of the log in order, from the first whose validity can
    /// be told, until `visit` says that it has seen enough.
    ///
    /// # Errors
    /// [`OpenError::Broken`] where the log does not fit together, and those of `visit`.
    pub fn walk(&self, mut visit: impl FnMut(&Inspected) -> bool) -> Result<(), OpenError> {
        let mut reader = Reader::start(self.begin());
        walk(&self.dir, &self.log, &mut reader, |_, inspected| Ok(visit(inspected)))
    }

    /// Gives the directory back.
    ///
    /// # Errors
    /// [`OpenError::Log`] when the log does not close cleanly.
    pub fn close(self) -> Result<(), OpenError> {
        blocking::close(self.log.as_ref())
            .map_err(|source| OpenError::Log { dir: self.dir.log(), source })
    }
}

fn walk(
    dir: &DataDir,
    log: &FileLog,
    reader: &mut Reader,
    mut visit: impl FnMut(&Reader, &Inspected) -> Result<bool, OpenError>,
) -> Result<(), OpenError> {
    loop {
        let from = reader.state().next_position;
        let reads = blocking::read(log, from, READ_BYTES)
            .map_err(|source| OpenError::Log { dir: dir.log(), source })?;
        for read in reads {
            let Read::Entry(bytes) = read else { return Ok(()) };
            let inspected = inspect(dir, reader, &bytes)?;
            if !visit(reader, &inspected)? {
                return Ok(());
            }
        }
    }
}

fn inspect(dir: &DataDir, reader: &mut Reader, bytes: &Bytes) -> Result<Inspected, OpenError> {
    let position = reader.state().next_position;
    let broken = |source| OpenError::Broken { dir: dir.log(), source };
    let step = reader.feed(position, bytes).map_err(broken)?;
    let entry = Entry::decode(bytes).expect("the reader has decoded it");
    Ok(Inspected { position, entry, step, bytes: bytes.len() })
}
