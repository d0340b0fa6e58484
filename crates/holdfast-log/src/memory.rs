//! A log in memory, for tests and simulation.
//!
//! It answers at once, on the caller's thread; a wait on that of whoever fills the position. Its entries live as long as some handle to it does:
//! clones are the same handle; [`MemoryLog::reopen`] gives a new one on the same entries, as a
//! second node or a restarted process would have. Closing a handle closes its clones, not the
//! others.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{fmt, mem};

use bytes::Bytes;
use holdfast_planted::planted;

use crate::error::LogError;
use crate::log::{Append, Done, Durability, Log, Properties, Read, Waited};
use crate::position::Position;

/// How far beyond the first hole a memory log takes appends.
pub const MAX_POSITIONS_AHEAD: u64 = 1024;

/// The largest entry a memory log takes unless told otherwise: as much as a file log does.
pub const MAX_ENTRY_BYTES: usize = 4 << 20;

/// A handle to a log in memory.
#[derive(Clone, Debug)]
pub struct MemoryLog {
    handle: Arc<Handle>,
    max_entry_bytes: usize,
}

/// What the clones of one handle share.
#[derive(Debug)]
struct Handle {
    /// Shared by all nodes that use the log; held only for the length of one operation.
    entries: Arc<Mutex<Entries>>,
    /// Written with the entries locked, so that no wait begins on a closed handle.
    closed: AtomicBool,
    /// Tells this handle's waiters from those of others.
    number: u64,
}

/// Somebody who wants to know when a position is filled.
struct Waiter {
    handle: u64,
    position: Position,
    done: Done<Waited>,
}

#[derive(Debug)]
struct Entries {
    /// Holds nothing below `mark`.
    held: BTreeMap<Position, Bytes>,
    /// Everything below is used, whether or not it was ever written.
    mark: Position,
    /// The first hole; `mark <= tail`.
    tail: Position,
    waiters: Vec<Waiter>,
    /// Handles made so far.
    handles: u64,
}

impl fmt::Debug for Waiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiter").field("position", &self.position).finish_non_exhaustive()
    }
}

impl Default for MemoryLog {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryLog {
    /// An empty log.
    #[must_use]
    pub fn new() -> Self {
        Self::with_max_entry_bytes(MAX_ENTRY_BYTES)
    }

    /// An empty log that takes entries up to this size.
    #[must_use]
    pub fn with_max_entry_bytes(max_entry_bytes: usize) -> Self {
        let first = Position::first();
        let (held, waiters) = (BTreeMap::new(), Vec::new());
        let entries = Entries { held, mark: first, tail: first, waiters, handles: 0 };
        Self { handle: Arc::new(Handle::new(Arc::new(Mutex::new(entries)))), max_entry_bytes }
    }

    /// Another handle to the same entries, open.
    #[must_use]
    pub fn reopen(&self) -> Self {
        let handle = Handle::new(Arc::clone(&self.handle.entries));
        Self { handle: Arc::new(handle), max_entry_bytes: self.max_entry_bytes }
    }

    /// The lock is free again when this returns, so the caller may answer.
    fn with<T>(
        &self,
        act: impl FnOnce(&mut Entries) -> Result<T, LogError>,
    ) -> Result<T, LogError> {
        let mut entries = lock(&self.handle.entries);
        if self.handle.closed.load(Ordering::SeqCst) {
            return Err(LogError::Closed);
        }
        act(&mut entries)
    }
}

impl Handle {
    fn new(entries: Arc<Mutex<Entries>>) -> Self {
        let number = {
            let mut entries = lock(&entries);
            entries.handles += 1;
            entries.handles
        };
        Self { entries, closed: AtomicBool::new(false), number }
    }

    /// Whether it was open until now; whoever waits on it learns that it no longer is.
    fn close(&self) -> bool {
        let (was_closed, waiters) = {
            let mut entries = lock(&self.entries);
            let waiters = entries.take_waiters(|waiter| waiter.handle == self.number);
            (self.closed.swap(true, Ordering::SeqCst), waiters)
        };
        for waiter in waiters {
            (waiter.done)(Err(LogError::Closed));
        }
        !was_closed
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.close();
    }
}

fn lock(entries: &Mutex<Entries>) -> MutexGuard<'_, Entries> {
    entries.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Entries {
    fn append(&mut self, position: Position, bytes: Bytes) -> Result<Append, LogError> {
        if position < self.mark && !planted!(TrimmedIsFree) {
            return Ok(Append::Trimmed);
        }
        if let Some(there) = self.held.get(&position) {
            return Ok(Append::Taken(there.clone()));
        }
        if position > self.tail.plus(MAX_POSITIONS_AHEAD) {
            let max = MAX_POSITIONS_AHEAD;
            return Err(LogError::TooFarAhead { position, tail: self.tail, max });
        }
        self.held.insert(position, bytes);
        while self.held.contains_key(&self.tail) {
            self.tail = self.tail.next();
        }
        Ok(Append::Ok)
    }

    fn is_used(&self, position: Position) -> bool {
        position < self.mark || self.held.contains_key(&position)
    }

    fn take_waiters(&mut self, wanted: impl Fn(&Waiter) -> bool) -> Vec<Waiter> {
        let (taken, kept) = mem::take(&mut self.waiters).into_iter().partition(wanted);
        self.waiters = kept;
        taken
    }

    fn read(&self, from: Position, max_bytes: usize) -> Vec<Read> {
        let mut found = Vec::new();
        let mut bytes = 0;
        let mut position = from;
        loop {
            if position < self.mark {
                found.push(Read::Trimmed);
                return found;
            }
            let Some(entry) = self.held.get(&position) else {
                found.push(Read::Empty);
                return found;
            };
            found.push(Read::Entry(entry.clone()));
            bytes += entry.len();
            if bytes >= max_bytes {
                return found;
            }
            position = position.next();
        }
    }

    fn trim(&mut self, below: Position) -> Result<(), LogError> {
        if below > self.tail {
            return Err(LogError::TrimAboveTail { below, tail: self.tail });
        }
        if below > self.mark {
            self.held = self.held.split_off(&below);
            self.mark = below;
        }
        Ok(())
    }
}

impl Log for MemoryLog {
    fn append(&self, position: Position, bytes: Bytes, done: Done<Append>) {
        let (len, max) = (bytes.len(), self.max_entry_bytes);
        let mut woken = Vec::new();
        done(self.with(|entries| {
            if len > max {
                return Err(LogError::TooLarge { bytes: len, max });
            }
            let answer = entries.append(position, bytes);
            if matches!(answer, Ok(Append::Ok)) {
                woken = entries.take_waiters(|waiter| waiter.position == position);
            }
            answer
        }));
        for waiter in woken {
            (waiter.done)(Ok(Waited::MayHold));
        }
    }

    fn read(&self, from: Position, max_bytes: usize, done: Done<Vec<Read>>) {
        done(self.with(|entries| Ok(entries.read(from, max_bytes))));
    }

    fn tail(&self, done: Done<Position>) {
        done(self.with(|entries| Ok(entries.tail)));
    }

    fn trim(&self, below: Position, done: Done<()>) {
        done(self.with(|entries| entries.trim(below)));
    }

    fn wait(&self, position: Position, done: Done<Waited>) {
        let mut done = Some(done);
        let begun = self.with(|entries| {
            let used = entries.is_used(position);
            if !used {
                let done = done.take().expect("it was put there above");
                entries.waiters.push(Waiter { handle: self.handle.number, position, done });
            }
            Ok(Waited::MayHold)
        });
        if let Some(done) = done {
            done(begun);
        }
    }

    fn close(&self, done: Done<()>) {
        done(if self.handle.close() { Ok(()) } else { Err(LogError::Closed) });
    }

    fn properties(&self) -> Properties {
        Properties {
            max_entry_bytes: self.max_entry_bytes,
            durability: Durability::Memory,
            empty_read_is_linearizable: true,
            max_positions_ahead: MAX_POSITIONS_AHEAD,
        }
    }
}
