//! A log that answers when the test says so.
//!
//! Over a [`MemoryLog`]: an append is *performed* (it takes its position, or finds it taken) and
//! *answered* in two steps that the test takes when it likes, or it times out, having been
//! performed or not, perhaps to land much later. Reads and trims go through at once.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use bytes::Bytes;
use holdfast_log::{
    Append, Done, Log, LogError, MemoryLog, Position, Properties, Read, Waited, blocking,
};

struct Held {
    position: Position,
    bytes: Bytes,
    /// What became of it, once it was performed.
    found: Option<Append>,
    done: Done<Append>,
}

#[derive(Default)]
struct Appends {
    held: Vec<Held>,
    /// Given up by their sender, still on their way.
    late: Vec<(Position, Bytes)>,
}

/// The log; clones are the same.
#[derive(Clone)]
pub(crate) struct HeldLog {
    inner: MemoryLog,
    appends: Arc<Mutex<Appends>>,
    holding: Arc<AtomicBool>,
}

impl std::fmt::Debug for HeldLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HeldLog").finish_non_exhaustive()
    }
}

pub(crate) fn timed_out() -> LogError {
    let source = Arc::new(std::io::Error::from(std::io::ErrorKind::TimedOut));
    LogError::Io { what: "appending".to_owned(), source }
}

impl HeldLog {
    /// A handle to these entries that answers at once until it is told to [`hold`](Self::hold).
    pub(crate) fn over(inner: &MemoryLog) -> Self {
        Self {
            inner: inner.reopen(),
            appends: Arc::default(),
            holding: Arc::new(AtomicBool::new(false)),
        }
    }

    pub(crate) fn new() -> Self {
        Self::over(&MemoryLog::new())
    }

    /// The entries.
    pub(crate) fn entries(&self) -> &MemoryLog {
        &self.inner
    }

    /// Keeps appends from now on.
    pub(crate) fn hold(&self) {
        self.holding.store(true, Ordering::SeqCst);
    }

    /// The appends that are kept, in the order they came.
    pub(crate) fn held(&self) -> Vec<u64> {
        self.appends.lock().unwrap().held.iter().map(|held| held.position.get()).collect()
    }

    /// The sizes of the entries that are kept.
    pub(crate) fn held_bytes(&self) -> Vec<usize> {
        self.appends.lock().unwrap().held.iter().map(|held| held.bytes.len()).collect()
    }

    fn take(&self, position: u64) -> Held {
        let mut appends = self.appends.lock().unwrap();
        let found = appends.held.iter().position(|held| held.position.get() == position);
        appends.held.remove(found.unwrap_or_else(|| panic!("no append to {position} is held")))
    }

    fn put(&self, position: Position, bytes: Bytes) -> Append {
        blocking::append(&self.inner, position, bytes).unwrap()
    }

    /// Lets the append take effect; its sender learns nothing yet.
    pub(crate) fn perform(&self, position: u64) {
        let mut held = self.take(position);
        held.found = Some(self.put(held.position, held.bytes.clone()));
        self.appends.lock().unwrap().held.push(held);
    }

    /// Answers the append, performing it first if that was not done.
    pub(crate) fn answer(&self, position: u64) {
        let held = self.take(position);
        let found = held.found.unwrap_or_else(|| self.put(held.position, held.bytes));
        (held.done)(Ok(found));
    }

    /// Answers everything that is held, in the order it came.
    pub(crate) fn answer_all(&self) {
        for position in self.held() {
            self.answer(position);
        }
    }

    /// Answers that it took too long; it had no effect, and has none later.
    pub(crate) fn lose(&self, position: u64) {
        (self.take(position).done)(Err(timed_out()));
    }

    /// Answers that it took too long, although it took effect.
    pub(crate) fn lose_the_answer(&self, position: u64) {
        self.perform(position);
        self.lose(position);
    }

    /// Answers that it took too long; it takes effect when the test says so.
    pub(crate) fn delay(&self, position: u64) {
        let held = self.take(position);
        self.appends.lock().unwrap().late.push((held.position, held.bytes));
        (held.done)(Err(timed_out()));
    }

    /// One that was delayed takes effect, if the position is still free. False when there is none.
    pub(crate) fn land(&self, index: usize) -> bool {
        let landed = {
            let mut appends = self.appends.lock().unwrap();
            let index = index % appends.late.len().max(1);
            (index < appends.late.len()).then(|| appends.late.remove(index))
        };
        landed.map(|(position, bytes)| self.put(position, bytes)).is_some()
    }

    /// Answers with an error of the log's.
    pub(crate) fn fail(&self, position: u64, error: LogError) {
        (self.take(position).done)(Err(error));
    }
}

impl Log for HeldLog {
    fn append(&self, position: Position, bytes: Bytes, done: Done<Append>) {
        if !self.holding.load(Ordering::SeqCst) {
            return self.inner.append(position, bytes, done);
        }
        self.appends.lock().unwrap().held.push(Held { position, bytes, found: None, done });
    }

    fn read(&self, from: Position, max_bytes: usize, done: Done<Vec<Read>>) {
        self.inner.read(from, max_bytes, done);
    }

    fn tail(&self, done: Done<Position>) {
        self.inner.tail(done);
    }

    fn trim(&self, below: Position, done: Done<()>) {
        self.inner.trim(below, done);
    }

    fn wait(&self, position: Position, done: Done<Waited>) {
        self.inner.wait(position, done);
    }

    fn close(&self, done: Done<()>) {
        self.inner.close(done);
    }

    fn properties(&self) -> Properties {
        self.inner.properties()
    }
}
