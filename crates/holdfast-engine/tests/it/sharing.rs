//! Partitions that share a log, with the real driver, real threads and real clocks: that one takes
//! over from another, and what reads of each level get where.

use std::{future::Future, sync::mpsc, time::Duration};

use holdfast_engine::{
    Answer, Config, Failure, Leadership, Level, Origin, Partition, Parts, Phase, Quarantine,
    Request, Shared, Stopped,
};
use holdfast_log::MemoryLog;
use holdfast_state::{MemoryStore, Namespace};

use crate::{
    history::history,
    node::config,
    toy::{Op, effects},
};

/// Nothing that these tests wait for takes longer.
const LIMIT: Duration = Duration::from_secs(20);

/// Long enough not to run out while a machine is busy, short enough to be waited for.
const LEASE_MS: u64 = 400;

fn start(log: &MemoryLog, name: &str, seed: u64) -> Partition {
    let shared = Shared { lease_ms: LEASE_MS, look_every_us: 2_000, may_lead: true };
    let config = Config {
        node: name.to_owned(),
        address: format!("{name}:1"),
        leadership: Leadership::Shared(shared),
        ..config()
    };
    let parts = Parts {
        log: std::sync::Arc::new(log.reopen()),
        store: Box::new(MemoryStore::new()),
        origin: Origin::Rebuilt,
        snapshots: None,
        archive: None,
        kept: Vec::new(),
        leader: None,
        seed,
        quarantine: Quarantine::default(),
    };
    Partition::start(config, parts).unwrap()
}

/// Runs a future to its end, which comes soon.
fn now<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(LIMIT, future).await.expect("in time") })
}

fn ask(partition: &Partition, name: &str, op: &Op) -> Answer {
    let (answer, wait) = mpsc::channel();
    partition.submit(Request {
        namespace: Namespace::DEFAULT,
        asked: None,
        deadline_us: None,
        work: op.work(name),
        reply: Box::new(move |given| answer.send(given).unwrap()),
    });
    wait.recv_timeout(LIMIT).expect("an answer in time")
}

fn open(account: u64) -> Op {
    Op::Open { account, balance: 100 }
}

async fn comes_to(partition: &Partition, there: impl Fn(&Phase) -> bool) {
    partition.watch().wait_for(there).await.unwrap();
}

fn knows(phase: &Phase, name: &str) -> bool {
    matches!(phase, Phase::Following { leader: Some(leader) } if leader.node == name)
}

#[test]
fn reads_of_each_level_get_where_they_are_asked_what_they_may() {
    let log = MemoryLog::new();
    let leader = start(&log, "a", 1);
    now(leader.leading()).unwrap();
    let follower = start(&log, "b", 2);
    now(comes_to(&follower, |phase| knows(phase, "a")));
    let told = ask(&leader, "op", &open(1)).unwrap().version;
    let look = |partition: &Partition, level| {
        now(partition.look(Namespace::DEFAULT, level)).map(|view| view.version())
    };
    assert_eq!(look(&leader, Level::Linearizable), Ok(told));
    assert_eq!(look(&leader, Level::Stale { max_age_us: Some(0) }), Ok(told), "it can prove that");
    assert_eq!(look(&follower, Level::Session(told)), Ok(told), "it waits for it");
    let lasts = Level::Stale { max_age_us: Some(60_000_000) };
    assert_eq!(look(&follower, lasts), Ok(told));
    assert_eq!(look(&follower, Level::Stale { max_age_us: None }), Ok(told));
    for level in [Level::Linearizable, Level::Stale { max_age_us: Some(0) }] {
        let Err(Failure::NotLeader { leader: Some(known) }) = look(&follower, level) else {
            panic!("{level:?} is not for followers")
        };
        assert_eq!((known.node.as_str(), known.address.as_str()), ("a", "a:1"));
    }
    let standing = follower.standing();
    assert_eq!((standing.epoch.get(), standing.applied), (1, told));
    assert!(standing.behind_us.is_some() && standing.heard_us.is_some(), "{standing:?}");
    assert_eq!(leader.standing().phase, Phase::Leading);
    follower.stop();
    assert_eq!(follower.join(), Stopped::Cleanly);
    leader.stop();
    assert_eq!(leader.join(), Stopped::Cleanly);
    for level in [Level::Linearizable, Level::Session(told), Level::Stale { max_age_us: None }] {
        let gone = look(&follower, level);
        assert!(matches!(gone, Err(Failure::Unavailable { .. })), "{level:?} {gone:?}");
    }
}

#[test]
fn leadership_goes_round_without_losing_what_was_acknowledged() {
    let log = MemoryLog::new();
    let mut partitions = vec![start(&log, "n0", 10), start(&log, "n1", 11), start(&log, "n2", 12)];
    let mut acknowledged = 0u64;
    for round in 0..6 {
        let leader = loop {
            let leads = |partition: &Partition| partition.phase() == Phase::Leading;
            match partitions.iter().position(leads) {
                Some(index) => break index,
                None => std::thread::yield_now(),
            }
        };
        for number in 0..20 {
            let name = format!("op-{round}-{number}");
            match ask(&partitions[leader], &name, &open(round * 100 + number)) {
                Ok(_) => acknowledged += 1,
                Err(Failure::NotLeader { .. }) => break,
                Err(other) => panic!("{other}"),
            }
        }
        if round % 2 == 0 {
            partitions[leader].hand_over();
            now(comes_to(&partitions[leader], |phase| matches!(phase, Phase::Following { .. })));
        } else {
            partitions[leader].stop();
            assert_eq!(partitions[leader].join(), Stopped::Cleanly);
            partitions[leader] = start(&log, &format!("n{leader}"), 20 + round);
        }
    }
    for partition in &partitions {
        partition.stop();
        assert_eq!(partition.join(), Stopped::Cleanly);
    }
    let told = history(&log);
    assert!(acknowledged > 60, "{acknowledged}");
    assert_eq!(told.changes.len() as u64, acknowledged);
    assert_eq!(effects(&told.store, "op-0-0"), 1);
}
