//! A whole instance on one failing disk: file log, snapshots, engine; opened as a node opens it.

use std::sync::Arc;

use holdfast_engine::{Config, SnapshotKeeper, Stopped};
use holdfast_log::{FaultDisk, FileLog, FileLogOptions, Log, Spare, blocking};
use holdfast_state::{MemoryStore, Store};

use crate::{
    disks::Directory,
    node::{Clock, Node, Start, config},
};

/// Small segments, one thread that writes, and a snapshot every few entries.
pub(crate) fn small() -> (FileLogOptions, Config) {
    let options = FileLogOptions {
        segment_bytes: 8_192,
        max_entry_bytes: 2_000,
        spare: Spare::OnDemand,
        ..FileLogOptions::default()
    };
    (options, Config { snapshot_bytes: 1_500, digest_entries: 4, ..config() })
}

pub(crate) fn keeper(disk: &FaultDisk) -> SnapshotKeeper {
    SnapshotKeeper::new(Directory::of(disk, "snapshots-"))
}

/// Opens what is on the disk: the newest good snapshot, or the beginning of the log. Says in words
/// why it cannot.
pub(crate) fn open(disk: &FaultDisk, seed: u64, clock: &Clock) -> Result<Node, String> {
    let (options, config) = small();
    let log = FileLog::open(Directory::of(disk, "log-"), options).map_err(|e| e.to_string())?;
    let log: Arc<dyn Log> = Arc::new(log);
    let keeper = keeper(disk);
    let tail = blocking::tail(&*log).map_err(|e| e.to_string())?;
    let (mut store, mut kept) = (None, Vec::new());
    for file in keeper.list().map_err(|e| e.to_string())? {
        let Ok((found, pairs)) = keeper.load(&file) else { continue };
        let Ok(pairs) = pairs.collect::<Result<Vec<_>, _>>() else { continue };
        if found.state.next_position > tail {
            return Err(format!("{file} goes on from {}", found.state.next_position));
        }
        kept.push(found.state);
        store = store.or_else(|| Some(MemoryStore::from_pairs(pairs, found.mark)));
    }
    let store: Box<dyn Store> = Box::new(store.unwrap_or_default());
    let config = config.fitted_to(&log.properties());
    let newest_snapshot = kept.first().map(|state| state.next_position);
    let clock = clock.clone();
    let start = Start { config, store, seed, newest_snapshot, clock, ..Start::default() };
    let mut node = Node::over(log, start);
    node.keeper = Some(keeper);
    node.settle();
    match &node.stopped {
        None => Ok(node),
        Some(Stopped::Failed(reason) | Stopped::StateInDoubt(reason)) => Err(reason.clone()),
        Some(why @ Stopped::Behind(_)) => Err(why.to_string()),
        Some(why @ (Stopped::Cleanly | Stopped::Deposed)) => panic!("{why}"),
    }
}

/// Opens it and leads.
pub(crate) fn must_open(disk: &FaultDisk, seed: u64, clock: &Clock) -> Node {
    let node = open(disk, seed, clock).unwrap_or_else(|reason| panic!("it opens: {reason}"));
    assert!(node.led.is_some(), "it leads");
    node
}
