//! The seam: what every log does, whatever it runs on.
//!
//! Calls return at once and are answered later through a callback, so that the one thread that
//! drives a partition gets answers as events, needs no executor, and a log may answer from
//! whatever thread it has. [`crate::blocking`] waits instead, for tests, recovery and tools.
//!
//! A log promises (P1, P3):
//! * **write once** – of all appends to one position exactly one is ever `Ok`; everyone else
//!   learns the winner's bytes;
//! * **durable** – what `Ok`, `Taken` and `Entry` show is as durable as
//!   [`Properties::durability`] says, and stays;
//! * **used stays used** – below the trim mark an append is never `Ok` and a read never `Empty`;
//! * **one answer** – each `done` is called exactly once, never under a lock of the log. It may
//!   run before the call returns, on the caller's thread, and it must not block.

use std::fmt;

use bytes::Bytes;

use crate::error::LogError;
use crate::position::Position;
use crate::provenance::Provenance;

/// Takes the answer to one call; called exactly once, on any thread, never under a lock of the log.
pub type Done<T> = Box<dyn FnOnce(Result<T, LogError>) + Send>;

/// What became of an append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Append {
    /// The position holds these bytes now, and did not hold any before.
    Ok,
    /// The position holds these bytes, which were there first and are durable. They may be the
    /// caller's own, from an earlier attempt whose answer was lost (P6).
    Taken(Bytes),
    /// The position lies below the trim mark: it is used, and what it held is gone.
    Trimmed,
}

/// What a position holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// These bytes, durable.
    Entry(Bytes),
    /// Nothing yet.
    Empty,
    /// Something that is gone: the position lies below the trim mark.
    Trimmed,
}

/// What ended a wait for a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// The position may hold something now: read it.
    MayHold,
    /// A bounded time passed and nothing was heard of. Read all the same, then wait again: what
    /// wakes waiters may be lost, what is in the log is not.
    Elapsed,
    /// This log cannot tell, and answers at once. Read after a pause of your own.
    CannotTell,
}

/// How safe an acknowledged entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// It lives as long as the process.
    Memory,
    /// It survives the loss of power of one machine.
    Fsync,
    /// It survives the loss of a minority of machines.
    QuorumFsync,
    /// It is as durable as the object store says.
    ObjectStore,
}

impl Durability {
    /// The word used in replies, metrics and configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Fsync => "fsync",
            Self::QuorumFsync => "quorum-fsync",
            Self::ObjectStore => "object-store",
        }
    }
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a log declares of itself. Constant while it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Properties {
    /// The largest entry it takes, in bytes.
    pub max_entry_bytes: usize,
    /// How safe an acknowledged entry is.
    pub durability: Durability,
    /// Whether an `Empty` proves that no append to the position was acknowledged before the read
    /// began. If not, leadership is confirmed by a write.
    pub empty_read_is_linearizable: bool,
    /// How far beyond the first hole an append may go, in positions.
    pub max_positions_ahead: u64,
}

/// The server that a log is kept on, for people who look after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogServer {
    /// What sort of server: `postgresql`.
    pub engine: &'static str,
    /// Where it is; `None` while none is connected that may hold the log.
    pub address: Option<String>,
    /// What else tells it from another, by name: its role, its place in a history of failovers.
    pub facts: Vec<(&'static str, String)>,
}

/// A write-once address space.
pub trait Log: Send + Sync + fmt::Debug {
    /// Puts `bytes` at `position` if nothing is there.
    ///
    /// Any number of appends may be in flight, in any order of positions, up to
    /// [`Properties::max_positions_ahead`] beyond the first hole.
    fn append(&self, position: Position, bytes: Bytes, done: Done<Append>);

    /// What the consecutive positions from `from` on hold.
    ///
    /// The answer has at least one element. It ends after the first that is not an entry, or with
    /// the entry that brings it to `max_bytes` or beyond.
    fn read(&self, from: Position, max_bytes: usize, done: Done<Vec<Read>>);

    /// The *lowest* position never written: the first hole, not the highest position plus one.
    fn tail(&self, done: Done<Position>);

    /// Gives up every position below `below`. Answered when the mark is as durable as entries are.
    ///
    /// A mark never moves back: a lower `below` is answered `Ok` and changes nothing. A mark above
    /// the first hole is refused with [`LogError::TrimAboveTail`].
    fn trim(&self, below: Position, done: Done<()>);

    /// Answers when `position` may hold something, so that a follower need not ask all the time.
    ///
    /// A hint and nothing more: it may come early, late or for nothing, and only a read shows what
    /// the position holds. Any number may wait. Closing the log ends them with
    /// [`LogError::Closed`]. A log that hears nothing of other writers keeps this default.
    fn wait(&self, position: Position, done: Done<Waited>) {
        let _ = position;
        done(Ok(Waited::CannotTell));
    }

    /// Which of the servers that could pretend to hold this log it is on, for claims to record;
    /// nothing, where there is but one. Answered at once, from what is known.
    fn provenance(&self) -> Provenance {
        Provenance::NONE
    }

    /// Whether this log, on the server that it is on, can be where a claim was written that recorded
    /// this. Answered at once, from what is known; what records nothing can be anywhere.
    ///
    /// # Errors
    /// [`LogError::Refused`] if it cannot, saying what either is: then nothing that it holds is to be
    /// followed, and nothing to be written.
    fn is_where(&self, recorded: &Provenance) -> Result<(), LogError> {
        let _ = recorded;
        Ok(())
    }

    /// Stops cleanly, after everything asked for before. Later calls answer [`LogError::Closed`].
    fn close(&self, done: Done<()>);

    /// What this log declares of itself.
    fn properties(&self) -> Properties;

    /// The server that it is kept on now, if it is on one; a look, not a promise.
    fn server(&self) -> Option<LogServer> {
        None
    }
}
