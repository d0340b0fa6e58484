//! Nodes that share a log and a place for snapshots, each with a directory of its own.

mod exchanging;
mod placed;

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use holdfast_engine::{Leadership, Phase, Shared, Stopped};
use holdfast_log::{Log, MemoryLog, Position, Read, blocking};
use holdfast_node::{Node, NodeConfig, OpenError, SharedStorage, Storage};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::data::Running;

/// What the nodes have in common.
struct World {
    temporary: TempDir,
    log: MemoryLog,
}

impl World {
    fn new() -> Self {
        Self { temporary: tempfile::tempdir().unwrap(), log: MemoryLog::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.temporary.path().join(name)
    }

    /// The settings of a node of this name, that snapshots soon.
    fn config(&self, name: &str) -> NodeConfig {
        let log = self.log.clone();
        let mut config = NodeConfig::new(Storage::Shared(SharedStorage {
            directory: self.path(name),
            snapshots: self.path("snapshots"),
            open: Arc::new(move || Ok(Arc::new(log.reopen()) as Arc<dyn Log>)),
        }));
        let shared = Shared { lease_ms: 400, look_every_us: 2_000, may_lead: true };
        config.engine.leadership = Leadership::Shared(shared);
        config.engine.node = name.to_owned();
        config.engine.snapshot_bytes = 4_000;
        config
    }

    fn start(&self, name: &str) -> Running {
        Self::run(self.config(name))
    }

    fn run(config: NodeConfig) -> Running {
        let node = Arc::new(Node::open(config).unwrap());
        Running { node, runtime: Runtime::new().unwrap() }
    }

    fn is_trimmed(&self) -> bool {
        let first = blocking::read(&self.log, Position::first(), 1).unwrap();
        first.first() == Some(&Read::Trimmed)
    }
}

fn comes_to_lead(running: &Running) {
    running.runtime.block_on(running.node.partition().leading()).unwrap();
}

/// Works until the log does not go back to its beginning any more; how many accounts there are then.
fn work_until_trimmed(world: &World, running: &Running) -> usize {
    let (begun, mut count) = (Instant::now(), 0);
    while !world.is_trimmed() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it is never trimmed");
        running.work(count..count + 1);
        count += 1;
    }
    count
}

#[test]
fn p16_an_empty_node_joins_by_snapshot_and_tail_and_leads_when_the_first_stops() {
    let world = World::new();
    let first = world.start("a");
    comes_to_lead(&first);
    let count = work_until_trimmed(&world, &first);
    let second = world.start("b");
    second.runtime.block_on(second.node.partition().started()).unwrap();
    first.close();
    comes_to_lead(&second);
    second.check(count);
    second.work(count..count + 3);
    second.close();
}

#[test]
fn p3_p16_a_node_that_was_away_while_the_log_was_trimmed_takes_a_snapshot_and_reads_on() {
    let world = World::new();
    let away = world.start("b");
    comes_to_lead(&away);
    away.work(0..1);
    away.close();
    let first = world.start("a");
    comes_to_lead(&first);
    let mut count = 1;
    while !world.is_trimmed() {
        first.work(count..count + 1);
        count += 1;
    }
    let back = world.start("b");
    back.runtime.block_on(back.node.partition().started()).unwrap();
    first.node.partition().hand_over();
    comes_to_lead(&back);
    back.check(count);
    let mut phase = first.node.partition().watch();
    let follows = |phase: &Phase| matches!(phase, Phase::Following { leader: Some(_) });
    first.runtime.block_on(async { phase.wait_for(follows).await.map(drop) }).unwrap();
    first.close();
    back.close();
}

#[test]
fn p17_a_follower_in_doubt_is_rebuilt_from_the_shared_snapshots_while_another_leads() {
    let world = World::new();
    let first = world.start("a");
    comes_to_lead(&first);
    let count = work_until_trimmed(&world, &first);
    let second = world.start("b");
    second.runtime.block_on(second.node.partition().started()).unwrap();
    let begun = second.node.partition();
    let watching = second.runtime.spawn(Arc::clone(&second.node).watch_over());
    begun.doubt(holdfast_state::StoreError::Doubt { what: "a test's".to_owned() });
    assert!(matches!(begun.join(), Stopped::StateInDoubt(_)));
    while Arc::ptr_eq(&begun, &second.node.partition()) {
        std::thread::yield_now();
    }
    second.runtime.block_on(second.node.partition().started()).unwrap();
    first.close();
    comes_to_lead(&second);
    second.check(count);
    assert_eq!(second.node.close(), Stopped::Cleanly);
    assert_eq!(second.runtime.block_on(watching).unwrap(), Stopped::Cleanly);
}

#[test]
fn a_directory_is_open_once_though_the_log_is_open_often() {
    let world = World::new();
    let first = world.start("a");
    let again = Node::open(world.config("a"));
    assert!(matches!(again, Err(OpenError::InUse { .. })), "{again:?}");
    first.close();
}

#[test]
fn a_node_on_a_shared_log_takes_turns_whatever_it_was_told() {
    let world = World::new();
    let first = world.start("a");
    comes_to_lead(&first);
    let mut config = world.config("b");
    config.engine.leadership = Leadership::Alone;
    let node = Arc::new(Node::open(config).unwrap());
    let second = Running { node, runtime: Runtime::new().unwrap() };
    second.runtime.block_on(second.node.partition().started()).unwrap();
    assert!(matches!(second.node.partition().phase(), Phase::Following { .. }));
    first.work(0..2);
    second.close();
    first.close();
}
