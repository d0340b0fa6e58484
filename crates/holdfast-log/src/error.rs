//! Why a log did not answer.
//!
//! `Taken`, `Trimmed` and `Empty` are answers, not errors. A [`LogError`] means that the log could
//! not or would not do what was asked; [`LogError::is_permanent`] says whether asking again can
//! ever help, and so whether a leader steps down (P8: never an endless retry).

use std::io;
use std::sync::Arc;

use thiserror::Error;

use crate::position::Position;

/// Why a log did not answer. Cloneable, since one failure answers everyone who waits.
#[derive(Clone, Debug, Error)]
pub enum LogError {
    /// The log was closed by its owner. Open it again.
    #[error("the log is closed")]
    Closed,

    /// A write or fsync failed, the disk is full, or a thread of the log died. Nothing that was
    /// not answered `Ok` may be taken for durable; the log must be opened again, which finds out.
    #[error("the log has stopped for good and must be reopened: {reason}")]
    Stopped {
        /// What happened, naming the file and the operation.
        reason: String,
    },

    /// Bytes that were durable are no longer what was written. Restore from a snapshot or a
    /// replica; nothing here is repaired by guessing.
    #[error("{file} is damaged at byte {offset}: {what}")]
    Damaged {
        /// The file's name within the log's directory.
        file: String,
        /// Where in it, in bytes from its start.
        offset: u64,
        /// Which check failed.
        what: String,
    },

    /// The entry exceeds [`Properties::max_entry_bytes`](crate::Properties::max_entry_bytes).
    #[error("an entry of {bytes} bytes exceeds the limit of {max}")]
    TooLarge {
        /// The entry's size.
        bytes: usize,
        /// The largest that is taken.
        max: usize,
    },

    /// The position is further beyond the first hole than the log keeps track of. Fill the holes.
    #[error("position {position} is more than {max} beyond the first hole {tail}")]
    TooFarAhead {
        /// What was asked for.
        position: Position,
        /// The first hole.
        tail: Position,
        /// The distance allowed.
        max: u64,
    },

    /// A trim may not pass the first hole: it would declare positions used that never were.
    #[error("cannot trim below {below}: the first hole is {tail}")]
    TrimAboveTail {
        /// What was asked for.
        below: Position,
        /// The first hole.
        tail: Position,
    },

    /// More is queued than the log holds. Try again when some calls have been answered.
    #[error("the log's queue is full ({queued_bytes} bytes wait)")]
    Overloaded {
        /// What is queued already.
        queued_bytes: usize,
    },

    /// Another process (or another handle in this one) has the directory open.
    #[error("{dir} is in use by {}", holder.map_or("another process".to_owned(), |pid| format!("process {pid}")))]
    Locked {
        /// The directory.
        dir: String,
        /// The holder's process id, where it could be read.
        holder: Option<u32>,
    },

    /// The engine under the log is not reachable, or not in a state to serve: it restarts, fails
    /// over, or has run out of something. What was asked may have happened; asking again, with the
    /// same bytes, finds out.
    #[error("the log cannot be reached for now: {reason}")]
    Unavailable {
        /// What was tried and what was said, naming the server.
        reason: String,
    },

    /// The engine under the log is not what it has to be, or does not let us in. Nothing that this
    /// process does changes that; the reason says what a person has to do.
    #[error("the log is refused: {reason}")]
    Refused {
        /// What is wrong, where, and what to set.
        reason: String,
    },

    /// The operating system refused, and nothing was changed by it.
    #[error("{what}: {source}")]
    Io {
        /// The operation and the file.
        what: String,
        /// What the system said.
        source: Arc<io::Error>,
    },

    /// The file was written by a newer Holdfast. Upgrade this one.
    #[error("{file} has format {found}; this build reads {supported}")]
    UnsupportedFormat {
        /// The file's name within the log's directory.
        file: String,
        /// The format found.
        found: u16,
        /// The newest format that this build reads.
        supported: u16,
    },

    /// The log's directory holds something that is not the log's. Remove it, or name another
    /// directory: a log shares its directory with nobody.
    #[error("{file} does not belong into a log's directory")]
    ForeignFile {
        /// The name found.
        file: String,
    },

    /// The options contradict each other.
    #[error("bad log options: {what}")]
    BadOptions {
        /// Which, and why.
        what: String,
    },
}

impl LogError {
    /// Whether the same call on the same log can never succeed. A leader that meets a permanent
    /// error steps down; it does not try again.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Closed
            | Self::Stopped { .. }
            | Self::Damaged { .. }
            | Self::TooLarge { .. }
            | Self::UnsupportedFormat { .. }
            | Self::ForeignFile { .. }
            | Self::Refused { .. }
            | Self::BadOptions { .. } => true,
            Self::TooFarAhead { .. }
            | Self::TrimAboveTail { .. }
            | Self::Overloaded { .. }
            | Self::Locked { .. }
            | Self::Unavailable { .. }
            | Self::Io { .. } => false,
        }
    }

    /// Makes an error of the system into an [`LogError::Io`] of this operation.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        |source| Self::Io { what: what.into(), source: Arc::new(source) }
    }
}
