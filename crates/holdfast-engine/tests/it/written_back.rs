//! Snapshots of what the store has written back, which is older than the newest state (P16).

use std::sync::Arc;

use bytes::Bytes;
use holdfast_engine::{Config, Event, engine::checkpoint_of};
use holdfast_log::{FaultDisk, MemoryLog, Position};
use holdfast_state::{
    Batch, Mark, MemoryStore, Scan, Snapshot, Snapshots, Source, Store, StoreError,
};
use parking_lot::Mutex;

use crate::{
    cluster::{Cluster, FAILOVER_US, LEASE_US},
    held::HeldLog,
    history::{history, rows},
    instance::keeper,
    node::{Node, Start, config},
    toy::Op,
};

/// A store that writes back every so many batches, as one on disk does table by table.
#[derive(Debug)]
struct Lagging {
    inner: MemoryStore,
    every: u64,
    applied: u64,
    written_back: Arc<Mutex<Arc<dyn Snapshot>>>,
}

impl Lagging {
    fn over(inner: MemoryStore, every: u64) -> Self {
        let written_back = Arc::new(Mutex::new(inner.snapshots().latest()));
        Self { inner, every, applied: 0, written_back }
    }
}

impl Source for Lagging {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.inner.get(key)
    }

    fn scan(&self, from: &[u8], to: &[u8], scan: Scan) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        self.inner.scan(from, to, scan)
    }
}

impl Store for Lagging {
    fn mark(&self) -> Mark {
        self.inner.mark()
    }

    fn apply(&mut self, batch: &Batch, checkpoint: Bytes) -> Result<(), StoreError> {
        self.inner.apply(batch, checkpoint)?;
        self.applied += 1;
        if self.applied.is_multiple_of(self.every) {
            *self.written_back.lock() = self.inner.snapshots().latest();
        }
        Ok(())
    }

    fn snapshots(&self) -> Arc<dyn Snapshots> {
        let written_back = Arc::clone(&self.written_back);
        Arc::new(Readers { inner: self.inner.snapshots(), written_back })
    }
}

#[derive(Debug)]
struct Readers {
    inner: Arc<dyn Snapshots>,
    written_back: Arc<Mutex<Arc<dyn Snapshot>>>,
}

impl Source for Readers {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.inner.get(key)
    }

    fn scan(&self, from: &[u8], to: &[u8], scan: Scan) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        self.inner.scan(from, to, scan)
    }
}

impl Snapshots for Readers {
    fn latest(&self) -> Arc<dyn Snapshot> {
        self.inner.latest()
    }

    fn written_back(&self) -> Arc<dyn Snapshot> {
        Arc::clone(&self.written_back.lock())
    }
}

fn goes_on(snapshot: &dyn Snapshot) -> Position {
    checkpoint_of(snapshot.mark()).unwrap().unwrap().next_position
}

/// A leader whose store writes back every so many batches, and that wants a snapshot after so many
/// bytes of log.
fn leader(memory: &MemoryLog, store: Lagging, snapshot_bytes: u64, seed: u64) -> Node {
    let config = Config { snapshot_bytes, ..config() };
    let start = Start { config, store: Box::new(store), seed, ..Start::default() };
    Node::leading(&HeldLog::over(memory), start)
}

fn open(node: &mut Node, account: u64) {
    node.op("op", &Op::Open { account, balance: 10 });
    node.settle();
}

/// How far the newest state is ahead of what a snapshot holds.
fn behind(node: &Node, snapshot: &dyn Snapshot) -> u64 {
    node.state().mark().version.get() - snapshot.mark().version.get()
}

#[test]
fn p16_what_is_written_back_is_kept_and_the_log_stays_readable_from_there() {
    let memory = MemoryLog::new();
    let mut node = leader(&memory, Lagging::over(MemoryStore::new(), 7), 1_000, 1);
    let disk = FaultDisk::new();
    let keeper = keeper(&disk);
    let mut kept: Vec<Arc<dyn Snapshot>> = Vec::new();
    let mut lagged = 0;
    for account in 0..600 {
        open(&mut node, account);
        let Some(snapshot) = node.keep.pop() else { continue };
        lagged += u64::from(behind(&node, &*snapshot) > 0);
        assert!(behind(&node, &*snapshot) < 7);
        let written = keeper.write(&*snapshot).unwrap();
        node.handle(Event::SnapshotKept(written.state));
        node.settle();
        if let Some(older) = kept.last() {
            assert_eq!(node.trims.last(), Some(&goes_on(&**older)));
        }
        kept.push(snapshot);
    }
    assert!(kept.len() > 5 && lagged > 3, "{lagged} of {} lagged", kept.len());
    let before = rows(&*node.state());
    node.kill();

    // All that was in memory is gone: what is left is the snapshot, and the log from there on.
    let newest = &keeper.list().unwrap()[0];
    let (found, pairs) = keeper.load(newest).unwrap();
    assert_eq!(found.mark, *kept.last().unwrap().mark());
    let store = MemoryStore::from_pairs(pairs.map(Result::unwrap), found.mark);
    let node = leader(&memory, Lagging::over(store, 7), u64::MAX, 2);
    assert_eq!(rows(&*node.state()), before);
}

#[test]
fn p16_the_newest_state_is_kept_where_nothing_is_written_back() {
    let memory = MemoryLog::new();
    let mut node = leader(&memory, Lagging::over(MemoryStore::new(), u64::MAX), 1, 1);
    for account in 0..4 {
        open(&mut node, account);
        let snapshot = node.keep.pop().expect("it wants one after each entry");
        assert_eq!(behind(&node, &*snapshot), 0);
        node.handle(Event::SnapshotKept(checkpoint_of(snapshot.mark()).unwrap().unwrap()));
        node.settle();
    }
    assert_eq!(node.trims.len(), 3);
}

#[test]
fn p16_what_holds_less_than_half_of_what_has_come_is_not_worth_keeping() {
    let memory = MemoryLog::new();
    let store = Lagging::over(MemoryStore::new(), u64::MAX);
    let written_back = Arc::clone(&store.written_back);
    let mut node = leader(&memory, store, 1, 1);
    for account in 1..=40_u64 {
        open(&mut node, account);
        let version = node.state().mark().version.get();
        let kept = node.keep.pop().expect("it wants one after each entry").mark().version.get();
        // After a failure, whatever there is has come since the last one.
        node.handle(Event::SnapshotFailed("the disk is full".to_owned()));
        let on_disk = written_back.lock().mark().version.get();
        let worth = on_disk > 0 && on_disk >= version / 2;
        assert_eq!(kept, if worth { on_disk } else { version });
        if account == 10 {
            *written_back.lock() = node.state();
        }
    }
}

#[test]
fn p16_what_is_older_than_the_snapshot_there_is_is_not_kept() {
    let memory = MemoryLog::new();
    let mut node = leader(&memory, Lagging::over(MemoryStore::new(), u64::MAX), 1, 1);
    open(&mut node, 1);
    let old = node.state();
    (2..20).for_each(|account| open(&mut node, account));
    let newest = node.state();
    node.kill();
    // The process died with tables in memory: its state begins before the snapshot made of them.
    let store = MemoryStore::from_pairs(rows(&*old), old.mark().clone());
    let start = Start {
        config: Config { snapshot_bytes: 1, ..config() },
        store: Box::new(Lagging::over(store, 2)),
        seed: 2,
        newest_snapshot: Some(goes_on(&*newest)),
        ..Start::default()
    };
    let mut node = Node::leading(&HeldLog::over(&memory), start);
    open(&mut node, 99);
    let told = history(&memory);
    assert_eq!(rows(&told.store), rows(&*node.state()));
    for snapshot in node.keep.drain(..) {
        assert!(goes_on(&*snapshot) > goes_on(&*newest), "{:?}", snapshot.mark().version);
    }
}

#[test]
fn p16_a_new_leader_keeps_nothing_that_is_older_than_what_others_may_have_kept() {
    let mut cluster = Cluster::of(0);
    cluster.join(|_| {});
    cluster.until(FAILOVER_US, |cluster| cluster.leader() == Some(0));
    let store = Lagging::over(MemoryStore::new(), u64::MAX);
    let written_back = Arc::clone(&store.written_back);
    let next = cluster.join_with(Box::new(store), |config| config.snapshot_bytes = 1);
    for account in 0..10 {
        cluster.open(0, account);
    }
    cluster.pass_us(LEASE_US);
    *written_back.lock() = cluster.node(next).state();
    cluster.pause(0);
    cluster.until(FAILOVER_US, |cluster| cluster.leader() == Some(next));
    let led = cluster.node(next).led.expect("it leads");
    cluster.open(next, 99);
    cluster.pass_us(LEASE_US);
    let kept = cluster.node(next).keep.pop().expect("it wants a snapshot");
    assert!(kept.mark().version >= led, "{:?} before {led}", kept.mark().version);
}
