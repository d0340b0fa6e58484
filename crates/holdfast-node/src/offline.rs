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
use holdfast_state::{Batch, LogTime, Namespace, Store, Version, View};

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
    recovered: Recovered,
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
        Ok(Self { dir, log, recovered })
    }

    /// Brings the state up to the end of the log, and returns a view of one
    /// namespace as it is then.
    ///
    /// # Errors
    /// [`OpenError::Broken`], [`OpenError::Log`], [`OpenError::State`]
    pub fn view(&mut self, namespace: Namespace) -> Result<View, OpenError> {
        let mut time = LogTime::ZERO;
        let checkpoint = holdfast_engine::engine::checkpoint_of(&self.recovered.store.mark())?;
        let mut reader = Reader::start(checkpoint);
        let store = &mut self.recovered.store;
        walk(&self.dir, &self.log, &mut reader, |reader, inspected| {
            time = time.max(LogTime::from_us(reader.state().log_time_us));
            apply(store.as_mut(), reader.state(), &inspected.step)?;
            Ok(true)
        })?;
        let time = time.max(LogTime::from_us(reader.state().log_time_us));
        Ok(View::new(self.recovered.store.snapshots().latest(), namespace, time))
    }

    /// Visits the entries of the log in order, from the first whose validity can
    /// be told, until `visit` says that it has seen enough.
    ///
    /// # Errors
    /// [`OpenError::Broken`] where the log does not fit together, and those of `visit`.
    pub fn walk(&self, mut visit: impl FnMut(&Inspected) -> bool) -> Result<(), OpenError> {
        let oldest = self.recovered.kept.last().copied();
        let begin = if self.recovered.untrimmed { None } else { oldest };
        let mut reader = Reader::start(begin);
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

fn apply(store: &mut dyn Store, state: &ReaderState, step: &Step) -> Result<(), OpenError> {
    if let Step::Batch(header, body) = step {
        let batch = Batch {
            first: Version::new(header.first_version),
            count: header.count,
            time: LogTime::from_us(header.log_time_us),
            bytes: body.clone(),
        };
        store.apply(&batch, Bytes::copy_from_slice(&state.encode()))?;
    }
    Ok(())
}
