//! Why a node does not open. Each message names the file and what to do.

use std::{io, path::PathBuf, sync::Arc};

use holdfast_engine::ArchiveError;
use holdfast_log::{ChainBroken, LogError, Position};
use holdfast_state::StoreError;

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
    #[error("the log in {}: {source}; nothing was changed: restore the data directory from a backup, or put the missing bytes back", dir.display())]
    Log {
        /// The log's directory.
        dir: PathBuf,
        /// What is wrong.
        source: LogError,
    },
    /// The log that nodes share cannot be opened.
    #[error("the log that this node shares with others cannot be opened: {source}")]
    SharedLog {
        /// What is wrong, naming the server.
        source: LogError,
    },
    /// Something that was made from the log knows more than the log does.
    #[error(
        "the log in {} ends before position {tail}, but {witness} was made when it had all positions below {needed}: \
         the log lost its tail; restore it from a backup",
        dir.display()
    )]
    LostTail {
        /// The log's directory.
        dir: PathBuf,
        /// The first position that the log does not have.
        tail: Position,
        /// Who knows better.
        witness: String,
        /// The first position that the witness does not know.
        needed: Position,
    },
    /// A snapshot was made from another log.
    #[error("{witness} belongs to another log than the one in {}: put the directories together that belong together", dir.display())]
    OtherLog {
        /// The log's directory.
        dir: PathBuf,
        /// What does not belong.
        witness: String,
    },
    /// The log's beginning is trimmed and nothing is left to begin from.
    #[error(
        "no state to begin with: the log in {} was trimmed, and no snapshot in {} can be used ({}); restore a snapshot from a backup",
        log.display(), snapshots.display(), if reasons.is_empty() { "there is none".to_owned() } else { reasons.join("; ") }
    )]
    NoState {
        /// The log's directory.
        log: PathBuf,
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
