//! The durable log of one process: segment files in a directory of its own.
//!
//! An append becomes a *record* in the active segment; everything that waits is written together
//! and made durable by one `fdatasync`, then answered in order. Records follow each other in the
//! order they came, which need not be the order of positions; an index in memory finds a position
//! again and is rebuilt by reading all records when the log is opened. When the active segment is
//! full, the log goes on in a spare one that was filled with zeros before it was needed.
//!
//! What it promises beyond [`Log`]:
//! * *tail or damage* – opening tells a tail that was never acknowledged (cut off) from durable
//!   bytes that are no longer what they were (refused, naming file and offset), as far as the
//!   bytes can prove it: see `recovery`;
//! * every byte is checked, at open and again at every read;
//! * the first failed write or sync stops the log for good, and nothing after it is acknowledged.
//!
//! Three threads: the `writer` owns the active segment, the `fetcher` reads, the
//! `housekeeper` prepares and removes files. The format and its reasons: `docs/adr/0005`.

mod appender;
mod fetcher;
mod housekeeper;
mod identity_file;
mod index;
mod options;
mod record;
mod recovery;
mod reply;
mod scan;
mod segment;
mod shared;
mod stepped;
mod writer;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use bytes::Bytes;

pub use options::{FileLogOptions, Spare};
pub use shared::FileLogStats;

use self::appender::Appender;
use self::fetcher::{Fetcher, ReadJob};
use self::housekeeper::Housekeeper;
use self::reply::Reply;
use self::shared::{Command, Shared};
use self::stepped::Stepped;
use self::writer::Writer;
use crate::disk::{Disk, Locking};
use crate::error::LogError;
use crate::log::{Append, Done, Durability, Log, Properties, Read};
use crate::position::Position;

/// A log in a directory, opened by this process alone.
///
/// Dropping it without [`Log::close`] finishes what was asked, gives the directory back and leaves
/// the files as a killed process would: the next open finds no seal and looks more closely.
pub struct FileLog {
    shared: Arc<Shared>,
    options: FileLogOptions,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// What the threads would do, where there are none.
    stepped: Option<Mutex<Stepped>>,
}

impl FileLog {
    /// Opens the log in this directory, or begins one if the directory is empty.
    ///
    /// Reads every record, so it takes about as long as reading the files does.
    ///
    /// # Errors
    /// [`LogError::Locked`] if somebody has it open, [`LogError::Damaged`] if acknowledged bytes
    /// are missing or changed, [`LogError::ForeignFile`] and [`LogError::UnsupportedFormat`] if
    /// the directory holds what this build does not know, [`LogError::BadOptions`], or
    /// [`LogError::Io`]. A failed open changes nothing that a later one could not finish.
    pub fn open(disk: Arc<dyn Disk>, options: FileLogOptions) -> Result<Self, LogError> {
        let (shared, writer, fetcher) = prepare(disk, &options)?;
        // From here on dropping it ends the threads that were started.
        let threads = Mutex::new(Vec::new());
        let mut log = Self { shared, options, threads, stepped: None };
        log.start("log-writer", move || writer.run())?;
        log.start("log-fetcher", move || fetcher.run())?;
        Ok(log)
    }

    /// The same without threads, for simulation: whatever is asked waits until
    /// [`FileLog::step`] is called. Segments are prepared on demand. Dropping it leaves what waits
    /// undone, as a killed process would.
    ///
    /// # Errors
    /// As [`FileLog::open`].
    pub fn open_stepped(
        disk: Arc<dyn Disk>,
        mut options: FileLogOptions,
    ) -> Result<Self, LogError> {
        options.spare = Spare::OnDemand;
        let (shared, writer, fetcher) = prepare(disk, &options)?;
        let stepped = Some(Mutex::new(Stepped::begin(writer, fetcher)));
        Ok(Self { shared, options, threads: Mutex::new(Vec::new()), stepped })
    }

    /// Does what waits, on this thread: everything to be written as one group, and one read.
    /// False when nothing waited, or the log has threads. No callback may call this.
    pub fn step(&self) -> bool {
        let Some(stepped) = &self.stepped else { return false };
        stepped.lock().unwrap_or_else(PoisonError::into_inner).step()
    }

    fn start(&mut self, name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), LogError> {
        let thread = spawn(name, run)?;
        self.threads.get_mut().unwrap_or_else(PoisonError::into_inner).push(thread);
        Ok(())
    }

    /// What it has done since it was opened.
    #[must_use]
    pub fn stats(&self) -> FileLogStats {
        self.shared.state().stats()
    }
}

/// Takes the directory and recovers what is in it.
fn prepare(
    disk: Arc<dyn Disk>,
    options: &FileLogOptions,
) -> Result<(Arc<Shared>, Writer, Fetcher), LogError> {
    options.check()?;
    let lock = match disk.lock().map_err(LogError::io("locking the directory"))? {
        Locking::Ours(lock) => lock,
        Locking::Busy { holder } => {
            return Err(LogError::Locked { dir: disk.location(), holder });
        }
    };
    let recovered = recovery::recover(&*disk, options)?;
    let identity = recovered.tip.identity;
    let shared = Arc::new(Shared::new(recovered.index, recovered.segments));
    let housekeeper = Housekeeper::start(Arc::clone(&disk), options, Arc::clone(&shared))?;
    let appender = Appender::new(disk, recovered.tip);
    let writer = Writer::new(Arc::clone(&shared), appender, housekeeper, lock, options.clone());
    let fetcher = Fetcher::new(Arc::clone(&shared), identity);
    Ok((shared, writer, fetcher))
}

/// Starts one of the log's threads; its owner joins it.
fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, LogError> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .map_err(LogError::io(format!("starting the thread {name}")))
}

impl Log for FileLog {
    fn append(&self, position: Position, bytes: Bytes, done: Done<Append>) {
        let (len, max) = (bytes.len(), self.options.max_entry_bytes);
        if len > max {
            done(Err(LogError::TooLarge { bytes: len, max }));
            return;
        }
        let command = Command::Append { position, bytes, reply: Reply::new(done) };
        self.shared.push(command, self.options.max_queued_bytes);
    }

    fn read(&self, from: Position, max_bytes: usize, done: Done<Vec<Read>>) {
        self.shared.push_read(ReadJob { from, max_bytes, reply: Reply::new(done) });
    }

    fn tail(&self, done: Done<Position>) {
        let answer = {
            let state = self.shared.state();
            state.refusal().map_or_else(|| Ok(state.index.tail()), Err)
        };
        done(answer);
    }

    fn trim(&self, below: Position, done: Done<()>) {
        self.shared
            .push(Command::Trim { below, reply: Reply::new(done) }, self.options.max_queued_bytes);
    }

    fn close(&self, done: Done<()>) {
        self.shared.push(Command::Close { reply: Reply::new(done) }, self.options.max_queued_bytes);
    }

    fn properties(&self) -> Properties {
        Properties {
            max_entry_bytes: self.options.max_entry_bytes,
            durability: Durability::Fsync,
            empty_read_is_linearizable: true,
            max_positions_ahead: self.options.max_positions_ahead,
        }
    }
}

impl Drop for FileLog {
    fn drop(&mut self) {
        self.shared.leave();
        let threads = self.threads.get_mut().unwrap_or_else(PoisonError::into_inner);
        for handle in threads.drain(..) {
            // The last handle may be dropped by a callback on one of these threads, which cannot
            // wait for itself; it ends on its own.
            if handle.thread().id() != thread::current().id() {
                handle.join().expect("the log's threads catch their panics");
            }
        }
    }
}

impl fmt::Debug for FileLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileLog").field("options", &self.options).finish_non_exhaustive()
    }
}
