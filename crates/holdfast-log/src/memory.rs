//! A log in memory, for tests and simulation.
//!
//! It answers at once, on the caller's thread. Its entries live as long as some handle to it does:
//! clones are the same handle; [`MemoryLog::reopen`] gives a new one on the same entries, as a
//! second node or a restarted process would have. Closing a handle closes its clones, not the
//! others.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use crate::error::LogError;
use crate::log::{Append, Done, Durability, Log, Properties, Read};
use crate::position::Position;

/// How far beyond the first hole a memory log takes appends.
pub const MAX_POSITIONS_AHEAD: u64 = 1024;

/// The largest entry a memory log takes unless told otherwise: as much as a file log does.
pub const MAX_ENTRY_BYTES: usize = 4 << 20;

/// A handle to a log in memory.
#[derive(Clone, Debug)]
pub struct MemoryLog {
    /// Shared by all nodes that use the log; held only for the length of one operation.
    entries: Arc<Mutex<Entries>>,
    closed: Arc<AtomicBool>,
    max_entry_bytes: usize,
}

#[derive(Debug)]
struct Entries {
    /// Holds nothing below `mark`.
    held: BTreeMap<Position, Bytes>,
    /// Everything below is used, whether or not it was ever written.
    mark: Position,
    /// The first hole; `mark <= tail`.
    tail: Position,
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
        let entries = Entries { held: BTreeMap::new(), mark: first, tail: first };
        Self {
            entries: Arc::new(Mutex::new(entries)),
            closed: Arc::new(AtomicBool::new(false)),
            max_entry_bytes,
        }
    }

    /// Another handle to the same entries, open.
    #[must_use]
    pub fn reopen(&self) -> Self {
        Self {
            entries: Arc::clone(&self.entries),
            closed: Arc::new(AtomicBool::new(false)),
            max_entry_bytes: self.max_entry_bytes,
        }
    }

    /// The lock is free again when this returns, so the caller may answer.
    fn with<T>(
        &self,
        act: impl FnOnce(&mut Entries) -> Result<T, LogError>,
    ) -> Result<T, LogError> {
        if self.closed.load(Ordering::SeqCst) {
            return Err(LogError::Closed);
        }
        act(&mut self.entries.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Entries {
    fn append(&mut self, position: Position, bytes: Bytes) -> Result<Append, LogError> {
        if position < self.mark {
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
        done(self.with(|entries| {
            if len > max {
                return Err(LogError::TooLarge { bytes: len, max });
            }
            entries.append(position, bytes)
        }));
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

    fn close(&self, done: Done<()>) {
        let was_closed = self.closed.swap(true, Ordering::SeqCst);
        done(if was_closed { Err(LogError::Closed) } else { Ok(()) });
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
