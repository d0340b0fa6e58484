//! What a node is told when it is opened.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use holdfast_log::{FileLogOptions, Log, LogError, MemoryLog};

use crate::registry::Registry;

/// Where a node keeps what it must not forget.
#[derive(Clone, Debug)]
pub enum Storage {
    /// In this directory, which no other process may have open.
    Directory(PathBuf),
    /// In memory, for as long as a handle to this log lives: for tests and trials.
    Memory(MemoryLog),
    /// In a log that other nodes write too.
    Shared(SharedStorage),
}

/// A log that nodes share, and what of it each has for itself.
///
/// Nodes take turns as [`Leadership::Shared`](holdfast_engine::Leadership) says; a node that was told
/// that it is alone takes turns all the same. Each has a name of its own
/// ([`Config::node`](holdfast_engine::Config)).
#[derive(Clone)]
pub struct SharedStorage {
    /// What this node derives from the log: a cache. No other process may have it open.
    pub directory: PathBuf,
    /// Where snapshots go: a directory on a file system that every node that may lead can read and
    /// write. The log is trimmed below the last but one of them.
    pub snapshots: PathBuf,
    /// Opens the log, anew each time: a partition closes its log when it ends, and may be started
    /// again.
    pub open: OpenLog,
}

/// Opens a log.
pub type OpenLog = Arc<dyn Fn() -> Result<Arc<dyn Log>, LogError> + Send + Sync>;

impl fmt::Debug for SharedStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedStorage")
            .field("directory", &self.directory)
            .field("snapshots", &self.snapshots)
            .finish_non_exhaustive()
    }
}

/// Settings of a node.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// Where data lives.
    pub storage: Storage,
    /// Directory to which entries go before the log is trimmed; without it they are
    /// given up. Of no use in memory, where nothing is trimmed.
    pub archive: Option<PathBuf>,
    /// What can be called.
    pub registry: Registry,
    /// Settings of the partition's engine. Its timer handlers come from the registry.
    pub engine: holdfast_engine::Config,
    /// Settings of the log, where it is in files.
    pub log: FileLogOptions,
    /// A pause before every sync of the log's files, to see what a slow disk would
    /// do; zero for none.
    pub sync_pause: Duration,
}

impl NodeConfig {
    /// A node with every primitive there is and settings as they come.
    #[must_use]
    pub fn new(storage: Storage) -> Self {
        Self {
            storage,
            archive: None,
            registry: Registry::all(),
            engine: holdfast_engine::Config::default(),
            log: FileLogOptions::default(),
            sync_pause: Duration::ZERO,
        }
    }
}
