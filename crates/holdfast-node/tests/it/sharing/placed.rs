//! A log whose server can be exchanged: what claims record of it, and what comes of that (P2).

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use holdfast_engine::{Phase, Stopped};
use holdfast_log::{
    Append, Body, Done, Entry, Log, LogError, MemoryLog, Position, Properties, Provenance, Read,
    blocking,
};
use holdfast_node::{Node, NodeConfig, OpenError, SharedStorage, Storage};

use super::{World, comes_to_lead, work_until_trimmed};

/// A log on the server of this number. A server cannot be where one of a higher number was.
#[derive(Debug)]
struct Placed {
    log: MemoryLog,
    server: Arc<AtomicU8>,
}

impl Log for Placed {
    fn provenance(&self) -> Provenance {
        Provenance::new(&[self.server.load(Ordering::SeqCst)]).unwrap()
    }

    fn is_where(&self, recorded: &Provenance) -> Result<(), LogError> {
        let (here, there) = (self.provenance(), *recorded);
        if there.as_bytes() <= here.as_bytes() {
            return Ok(());
        }
        Err(LogError::Refused { reason: format!("{here:?} is older than {there:?}") })
    }

    fn append(&self, position: Position, bytes: Bytes, done: Done<Append>) {
        self.log.append(position, bytes, done);
    }

    fn read(&self, from: Position, max_bytes: usize, done: Done<Vec<Read>>) {
        self.log.read(from, max_bytes, done);
    }

    fn tail(&self, done: Done<Position>) {
        self.log.tail(done);
    }

    fn trim(&self, below: Position, done: Done<()>) {
        self.log.trim(below, done);
    }

    fn close(&self, done: Done<()>) {
        self.log.close(done);
    }

    fn properties(&self) -> Properties {
        self.log.properties()
    }
}

/// The settings of a node whose log is on that server.
fn on(world: &World, name: &str, server: &Arc<AtomicU8>) -> NodeConfig {
    let mut config = world.config(name);
    let (log, server) = (world.log.clone(), Arc::clone(server));
    config.storage = Storage::Shared(SharedStorage {
        directory: world.path(name),
        snapshots: world.path("snapshots"),
        open: Arc::new(move || {
            Ok(Arc::new(Placed { log: log.reopen(), server: Arc::clone(&server) }) as Arc<dyn Log>)
        }),
    });
    config
}

fn server(number: u8) -> Arc<AtomicU8> {
    Arc::new(AtomicU8::new(number))
}

/// What the claims and renewals in the log recorded, in order.
fn recorded(world: &World) -> Vec<u8> {
    let reads = blocking::read(&world.log, Position::first(), usize::MAX).unwrap();
    let said = reads.iter().filter_map(|read| match read {
        Read::Entry(bytes) => match Entry::decode(bytes).unwrap().body {
            Body::Claim(claim) | Body::Renewal(claim) => Some(claim.provenance.as_bytes()[0]),
            Body::Batch(_) => None,
        },
        Read::Empty | Read::Trimmed => None,
    });
    said.collect()
}

#[test]
fn p2_a_node_that_meets_a_claim_of_a_newer_server_follows_no_further_and_says_why() {
    let world = World::new();
    let first = World::run(on(&world, "a", &server(2)));
    comes_to_lead(&first);
    first.work(0..2);
    first.close();
    assert!(recorded(&world).iter().all(|server| *server == 2));
    let old = World::run(on(&world, "old", &server(1)));
    let stopped = old.runtime.block_on(old.node.partition().started()).unwrap_err();
    let Stopped::Failed(reason) = stopped else { panic!("{stopped}") };
    assert!(reason.contains("Provenance(01) is older than Provenance(02)"), "{reason}");
    let newer = World::run(on(&world, "newer", &server(3)));
    comes_to_lead(&newer);
    newer.check(2);
    newer.close();
    assert_eq!(recorded(&world).last(), Some(&3));
}

#[test]
fn p2_a_state_and_a_snapshot_know_the_newest_server_though_the_claims_are_trimmed() {
    let world = World::new();
    let first = World::run(on(&world, "a", &server(2)));
    comes_to_lead(&first);
    work_until_trimmed(&world, &first);
    first.close();
    for name in ["a", "empty"] {
        let refused = Node::open(on(&world, name, &server(1))).map(drop).unwrap_err();
        let OpenError::Log { source, .. } = &refused else { panic!("{refused}") };
        assert!(source.to_string().contains("is older than"), "{name}: {refused}");
        assert!(!refused.to_string().contains("backup"), "it is not what helps: {refused}");
    }
    World::run(on(&world, "a", &server(2))).close();
}

#[test]
fn p2_a_leader_whose_log_moves_to_another_server_says_so() {
    let world = World::new();
    let place = server(2);
    let leader = World::run(on(&world, "a", &place));
    comes_to_lead(&leader);
    place.store(3, Ordering::SeqCst);
    let until = Instant::now() + Duration::from_secs(20);
    while recorded(&world).last() != Some(&3) {
        assert!(Instant::now() < until, "{:?}", recorded(&world));
        std::thread::yield_now();
    }
    assert_eq!(leader.node.partition().phase(), Phase::Leading);
    leader.close();
}
