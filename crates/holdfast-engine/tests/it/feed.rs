//! The change feed: every committed write from any retained version (P18).

use std::{future::Future, sync::Arc};

use holdfast_engine::{
    Config, FeedError, Origin, Partition, Parts, Quarantine, Stopped, engine::checkpoint_of,
};
use holdfast_log::{Log, MemoryLog, Position, ReaderState, blocking};
use holdfast_state::{MemoryStore, Namespace, Snapshot, Version, fact::Change};

use crate::{
    held::HeldLog,
    history::{history, rows},
    node::{Clock, Node, Start, config},
    toy::{Events, Op},
};

/// Runs a future to its end, which comes soon.
fn now<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let limit = std::time::Duration::from_secs(20);
    runtime.block_on(async { tokio::time::timeout(limit, future).await.expect("in time") })
}

fn versions(changes: &[Change]) -> Vec<u64> {
    changes.iter().map(|change| change.version.get()).collect()
}

fn state_of(snapshot: &dyn Snapshot) -> ReaderState {
    checkpoint_of(snapshot.mark()).unwrap().unwrap()
}

/// A log of so many transactions, three to an entry, and snapshots at some versions.
fn written(count: u64, snapshots_at: &[u64]) -> (MemoryLog, Vec<Arc<dyn Snapshot>>) {
    let memory = MemoryLog::new();
    let mut node = Node::leading(&HeldLog::over(&memory), Start::default());
    let mut snapshots = Vec::new();
    for account in 1..=count {
        node.op(&format!("op-{account}"), &Op::Open { account, balance: 1 });
        let is_due = snapshots_at.contains(&account);
        if account % 3 == 0 || account == count || is_due {
            node.settle();
        }
        if is_due {
            snapshots.insert(0, node.state());
        }
    }
    (memory, snapshots)
}

/// A partition on that log that began with the newest of these snapshots.
fn restarted(memory: &MemoryLog, snapshots: &[Arc<dyn Snapshot>]) -> Partition {
    let log: Arc<dyn Log> = Arc::new(memory.reopen());
    let store = snapshots.first().map_or_else(MemoryStore::new, |newest| {
        MemoryStore::from_pairs(rows(&**newest), newest.mark().clone())
    });
    let kept = snapshots.iter().map(|snapshot| state_of(&**snapshot)).collect();
    let parts = Parts {
        log,
        store: Box::new(store),
        origin: Origin::Kept,
        snapshots: None,
        archive: None,
        kept,
        leader: None,
        seed: 99,
        quarantine: Quarantine::default(),
    };
    let partition = Partition::start(Config { clock: None, ..config() }, parts).unwrap();
    now(partition.leading()).unwrap();
    partition
}

fn end(partition: &Partition) {
    partition.stop();
    assert_eq!(partition.join(), Stopped::Cleanly);
}

#[test]
fn p18_changes_from_every_version_from_memory_and_from_the_log() {
    let (memory, snapshots) = written(200, &[40, 120]);
    let told = history(&memory);
    for snapshots in [&[][..], &snapshots[..]] {
        let partition = restarted(&memory, snapshots);
        let oldest = partition.feed().oldest().get();
        assert_eq!(oldest, if snapshots.is_empty() { 1 } else { 41 });
        for after in oldest - 1..=205 {
            let found = now(partition.feed().changes(Version::new(after), usize::MAX)).unwrap();
            assert_eq!(versions(&found), (after + 1..=200).collect::<Vec<_>>(), "after {after}");
            for change in found {
                let index = usize::try_from(change.version.get() - 1).unwrap();
                let logged = &told.changes[index];
                assert_eq!(change.time, logged.time);
                assert!(change.facts().eq(logged.facts()), "the facts are those of the log");
            }
        }
        end(&partition);
    }
}

#[test]
fn p18_pages_are_bounded_and_together_they_are_everything() {
    let (memory, snapshots) = written(150, &[20, 100]);
    let partition = restarted(&memory, &snapshots);
    for limit_bytes in [0, 1, 100, 3_000] {
        let (mut after, mut seen) = (20, Vec::new());
        while after < 150 {
            let page = now(partition.feed().changes(Version::new(after), limit_bytes)).unwrap();
            assert!(!page.is_empty(), "at least one, at {after}");
            assert!(page.len() <= 3 + limit_bytes / 50, "{} for {limit_bytes}", page.len());
            seen.extend(versions(&page));
            after = *seen.last().unwrap();
        }
        assert_eq!(seen, (21..=150).collect::<Vec<_>>());
    }
    end(&partition);
}

#[test]
fn p18_below_a_trim_it_says_where_it_goes_on() {
    let (memory, snapshots) = written(100, &[30, 60]);
    blocking::trim(&memory, state_of(&*snapshots[1]).next_position).unwrap();
    let partition = restarted(&memory, &snapshots);
    for after in 0..30 {
        let gone = now(partition.feed().changes(Version::new(after), 1_000)).unwrap_err();
        let FeedError::Gone { oldest } = gone else { panic!("{gone}") };
        assert_eq!((oldest.get(), partition.feed().oldest().get()), (31, 31));
    }
    let found = now(partition.feed().changes(Version::new(30), usize::MAX)).unwrap();
    assert_eq!(versions(&found), (31..=100).collect::<Vec<_>>());
    end(&partition);
}

#[test]
fn p18_a_fresh_partition_keeps_everything_although_memory_does_not() {
    let partition = restarted(&MemoryLog::new(), &[]);
    for number in 0..16u64 {
        let work = move |tx: &mut holdfast_state::Tx<'_>| {
            tx.put::<Events>(number, &"x".repeat(1_500_000))?;
            Ok(Vec::new())
        };
        now(partition.transact(Namespace::DEFAULT, None, None, work)).unwrap();
    }
    assert_eq!(partition.feed().oldest(), Version::new(1));
    let (mut after, mut seen) = (0, Vec::new());
    while after < 16 {
        // An answer may be told a moment before the feed shows it.
        let page = now(partition.feed().next(Version::new(after), 4 << 20)).unwrap();
        assert!(!page.is_empty(), "at least one, at {after}");
        seen.extend(versions(&page));
        after = *seen.last().unwrap();
    }
    assert_eq!(seen, (1..=16).collect::<Vec<_>>());
    end(&partition);
}

#[test]
fn next_waits_for_the_first_change_and_ends_with_the_partition() {
    let partition = Arc::new(restarted(&MemoryLog::new(), &[]));
    let feed = Arc::clone(partition.feed());
    let follower = std::thread::spawn(move || {
        let (mut after, mut seen) = (0, Vec::new());
        loop {
            match now(feed.next(Version::new(after), 100)) {
                Ok(changes) => {
                    assert!(!changes.is_empty(), "it waited for something");
                    seen.extend(versions(&changes));
                    after = *seen.last().expect("seen just now");
                }
                Err(end) => return (seen, end),
            }
        }
    });
    for number in 0..50u64 {
        let work = move |tx: &mut holdfast_state::Tx<'_>| {
            tx.put::<Events>(number, &"x".to_owned())?;
            Ok(Vec::new())
        };
        let outcome = now(partition.transact(Namespace::DEFAULT, None, None, work)).unwrap();
        now(partition.applied(outcome.version)).unwrap();
    }
    end(&partition);
    let (seen, ended) = follower.join().unwrap();
    assert_eq!(seen, (1..=50).collect::<Vec<_>>(), "all of it, then the end");
    assert!(matches!(ended, FeedError::Stopped), "{ended}");
    let after_the_end = now(partition.applied(Version::new(51)));
    assert!(after_the_end.is_err());
}

#[test]
fn p18_a_trim_behind_its_back_is_gone_too() {
    let (memory, snapshots) = written(80, &[10, 60]);
    let partition = restarted(&memory, &snapshots);
    blocking::trim(&memory, Position::new(15).unwrap()).unwrap();
    let found = now(partition.feed().changes(Version::new(12), usize::MAX));
    assert!(matches!(found, Err(FeedError::Gone { .. })), "{found:?}");
    end(&partition);
}

#[test]
fn p10_views_are_of_applied_state_and_stay_as_they_are() {
    let clock = Clock::new();
    let log = HeldLog::new();
    let mut node = Node::leading(&log, Start { clock, ..Start::default() });
    node.op("a", &Op::Open { account: 1, balance: 5 });
    node.settle();
    let held = node.state();
    node.op("b", &Op::Open { account: 2, balance: 5 });
    node.op("c", &Op::Transfer { from: 1, to: 2, amount: 5 });
    node.settle();
    assert_eq!(crate::toy::balances(&*held), [(1, 5)].into());
    assert_eq!(crate::toy::balances(&*node.state()), [(1, 0), (2, 10)].into());
}
