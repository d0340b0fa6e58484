//! Why a node does not open. Each message names the file and what to do.

use std::{fmt, io, path::PathBuf, sync::Arc};

use holdfast_engine::{ArchiveError, ConfigError};
use holdfast_log::{ChainBroken, LogError, Position};
use holdfast_state::StoreError;

/// Where a log is, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogPlace {
    /// In a directory of the node's own.
    Directory(PathBuf),
    /// Where other nodes have it too.
    Shared,
}

impl LogPlace {
    /// What to do about a log that cannot be used. A shared one says so itself.
    const fn advice(&self) -> &'static str {
        match self {
            Self::Directory(_) => {
                "; nothing was changed: restore the data directory from a backup, or put the \
                 missing bytes back"
            }
            Self::Shared => "",
        }
    }
}

impl fmt::Display for LogPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(dir) => write!(f, "the log in {}", dir.display()),
            Self::Shared => f.write_str("the log that nodes share"),
        }
    }
}

/// Why a node does not open. Nothing was changed that a later try would miss.
#[derive(Clone, Debug, thiserror::Error)]
pub enum OpenError {
    /// The system refused.
    #[error("{what}: {source}")]
    Io {
        /// The operation and the file.
        what: String,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// Another process has the data directory open.
    #[error(
        "{} is in use by {}: stop that process, or name another data directory",
        dir.display(), holder.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
    )]
    InUse {
        /// The data directory.
        dir: PathBuf,
        /// The other process, where it could be told.
        holder: Option<u32>,
    },
    /// The directory holds other people's files.
    #[error("{} is not empty and holds no {marker}: name an empty directory, or one that Holdfast made", dir.display())]
    NotOurs {
        /// The directory.
        dir: PathBuf,
        /// The file that marks a data directory.
        marker: &'static str,
    },
    /// There is no data in the directory.
    #[error("{} holds no data of Holdfast: name the directory that `serve --data` was given", dir.display())]
    NoData {
        /// The directory.
        dir: PathBuf,
    },
    /// A newer Holdfast made the directory.
    #[error("{}: {what}; upgrade this Holdfast, or restore the file from a backup", file.display())]
    Marker {
        /// The marker file.
        file: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The log cannot be opened or read.
    #[error("{log}: {source}{}", log.advice())]
    Log {
        /// Where it is.
        log: LogPlace,
        /// What is wrong.
        source: LogError,
    },
    /// Something that was made from the log knows more than the log does.
    #[error(
        "{log} ends before position {tail}, but {witness} was made when it had all positions below {needed}: \
         the log lost its tail; restore it from a backup"
    )]
    LostTail {
        /// Where it is.
        log: LogPlace,
        /// The first position that the log does not have.
        tail: Position,
        /// Who knows better.
        witness: String,
        /// The first position that the witness does not know.
        needed: Position,
    },
    /// A snapshot was made from another log.
    #[error("{witness} belongs to another log than {log}: put together what belongs together")]
    OtherLog {
        /// Where it is.
        log: LogPlace,
        /// What does not belong.
        witness: String,
    },
    /// The log's beginning is trimmed and nothing is left to begin from.
    #[error(
        "no state to begin with: {log} was trimmed, and no snapshot in {} can be used ({}); restore a snapshot from a backup",
        snapshots.display(), if reasons.is_empty() { "there is none".to_owned() } else { reasons.join("; ") }
    )]
    NoState {
        /// Where it is.
        log: LogPlace,
        /// Where snapshots were looked for.
        snapshots: PathBuf,
        /// Why each of them was not used.
        reasons: Vec<String>,
    },
    /// The log does not fit together.
    #[error("the log in {} does not fit together: {source}; restore it from a backup", dir.display())]
    Broken {
        /// The log's directory.
        dir: PathBuf,
        /// What does not fit.
        source: ChainBroken,
    },
    /// The archive cannot be read.
    #[error("the archive: {0}; restore the file from a backup, or leave the archive out")]
    Archive(Arc<ArchiveError>),
    /// Archive and log do not fit together.
    #[error(
        "the archive in {} and the log in {} do not fit together: {what}; name the archive that this log was given",
        archive.display(), log.display()
    )]
    OtherArchive {
        /// The archive.
        archive: PathBuf,
        /// The log's directory.
        log: PathBuf,
        /// What does not fit.
        what: String,
    },
    /// The settings are not such that a node can run with them.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// The state could not be brought up to the log.
    #[error("the state cannot be rebuilt: {0}")]
    State(#[from] StoreError),
}

impl OpenError {
    pub(crate) fn archive(error: ArchiveError) -> Self {
        Self::Archive(Arc::new(error))
    }

    /// An error of the system during this operation.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        |source| Self::Io { what: what.into(), source: Arc::new(source) }
    }
}
