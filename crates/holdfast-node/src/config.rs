//! What a node is told when it is opened.

use std::{path::PathBuf, time::Duration};

use holdfast_log::{FileLogOptions, MemoryLog};

use crate::registry::Registry;

/// Where a node keeps what it must not forget.
#[derive(Clone, Debug)]
pub enum Storage {
    /// In this directory, which no other process may have open.
    Directory(PathBuf),
    /// In memory, for as long as a handle to this log lives: for tests and trials.
    Memory(MemoryLog),
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
