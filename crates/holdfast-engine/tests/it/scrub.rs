//! A store that says something else than the log is found out and not believed (P17).

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use holdfast_engine::{Config, Origin, Stopped, digest::Digests};
use holdfast_state::{
    Batch, Mark, MemoryStore, Namespace, Scan, Snapshot, Snapshots, Source, Store, StoreError,
    Table as _, row::Row as _, table::stored_key,
};

use crate::{
    held::HeldLog,
    history::history,
    node::{Clock, Node, Start, config},
    toy::{Accounts, Events, Op, balances},
};

/// What a store says that it was never told.
#[derive(Clone, Debug)]
enum Lie {
    /// The row is not there.
    Gone(Vec<u8>),
    /// The row is this one.
    Is(Vec<u8>, Bytes),
}

impl Lie {
    fn about(&self) -> &[u8] {
        match self {
            Self::Gone(key) | Self::Is(key, _) => key,
        }
    }
}

/// Told what to say, by whoever holds the other end.
type Told = Arc<Mutex<Option<Lie>>>;

/// A store that lies when it is told to: to whom, depends on the switch it hears.
#[derive(Debug, Default)]
struct Liar {
    inner: MemoryStore,
    to_the_applier: Told,
    to_readers: Told,
}

#[derive(Debug)]
struct LiarsHandle {
    inner: Arc<dyn Snapshots>,
    told: Told,
}

fn get(source: &dyn Source, told: &Told, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
    match &*told.lock().unwrap() {
        Some(Lie::Gone(about)) if about == key => Ok(None),
        Some(Lie::Is(about, value)) if about == key => Ok(Some(value.clone())),
        Some(_) | None => source.get(key),
    }
}

fn scan(
    source: &dyn Source,
    told: &Told,
    (from, to): (&[u8], &[u8]),
    scan: Scan,
) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
    let lie = told.lock().unwrap().clone();
    let Some(lie) = lie.filter(|lie| from <= lie.about() && lie.about() < to) else {
        return source.scan(from, to, scan);
    };
    assert_eq!(scan, Scan::up(scan.limit), "nobody here looks downwards");
    let mut rows = source.scan(from, to, Scan::up(scan.limit + 1))?;
    rows.retain(|(key, _)| key != lie.about());
    if let Lie::Is(key, value) = lie {
        rows.push((key.into(), value));
        rows.sort();
    }
    rows.truncate(scan.limit);
    Ok(rows)
}

impl Source for Liar {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        get(&self.inner, &self.to_the_applier, key)
    }

    fn scan(&self, from: &[u8], to: &[u8], how: Scan) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        scan(&self.inner, &self.to_the_applier, (from, to), how)
    }
}

impl Store for Liar {
    fn mark(&self) -> Mark {
        self.inner.mark()
    }

    fn apply(&mut self, batch: &Batch, checkpoint: Bytes) -> Result<(), StoreError> {
        self.inner.apply(batch, checkpoint)
    }

    fn snapshots(&self) -> Arc<dyn Snapshots> {
        Arc::new(LiarsHandle { inner: self.inner.snapshots(), told: Arc::clone(&self.to_readers) })
    }
}

impl Source for LiarsHandle {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        get(&*self.inner, &self.told, key)
    }

    fn scan(&self, from: &[u8], to: &[u8], how: Scan) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        scan(&*self.inner, &self.told, (from, to), how)
    }
}

impl Snapshots for LiarsHandle {
    fn latest(&self) -> Arc<dyn Snapshot> {
        self.inner.latest()
    }
}

const EVERY: u64 = 4;

fn start(store: impl Store + 'static, origin: Origin, seed: u64, clock: &Clock) -> Start {
    let config = Config { digest_entries: EVERY, ..config() };
    Start { config, store: Box::new(store), origin, seed, clock: clock.clone(), ..Start::default() }
}

fn account(number: u64) -> Vec<u8> {
    stored_key(Namespace::DEFAULT, Accounts::ID, &number)
}

fn row(balance: i64) -> Bytes {
    let mut bytes = Vec::new();
    balance.write(&mut bytes);
    bytes.into()
}

/// Opens accounts, one entry each, for as long as the node goes on.
fn open(node: &mut Node, accounts: std::ops::Range<u64>) {
    for number in accounts {
        if node.stopped.is_none() {
            node.op("open", &Op::Open { account: number, balance: 10 });
            node.settle();
        }
    }
}

#[track_caller]
fn doubted(node: &Node, wanted: &str) {
    let Some(Stopped::StateInDoubt(what)) = &node.stopped else { panic!("{:?}", node.stopped) };
    assert!(what.contains(wanted), "{what}");
}

#[test]
fn p17_a_row_lost_changed_or_made_up_is_found_by_the_next_digest_and_made_good() {
    for (lie, wanted) in [
        (Lie::Gone(account(3)), "is gone although nobody wrote it"),
        (Lie::Gone(account(1)), "is gone although nobody wrote it"),
        (Lie::Is(account(3), row(1_000_000)), "has another value although nobody wrote it"),
        (Lie::Is(account(77), row(1)), "has come although nobody wrote it"),
    ] {
        let (log, clock, liar) = (HeldLog::new(), Clock::new(), Liar::default());
        let told = [Arc::clone(&liar.to_the_applier), Arc::clone(&liar.to_readers)];
        let mut node = Node::leading(&log, start(liar, Origin::Kept, 1, &clock));
        open(&mut node, 1..10);
        assert_eq!(node.stopped, None);
        assert!(node.engine.metrics().digests.get() >= 1);
        let honest = balances(&*node.state());
        // From now on everybody is told the same: only the past can contradict it.
        told.iter().for_each(|told| *told.lock().unwrap() = Some(lie.clone()));
        let before = history(log.entries()).changes.len();
        open(&mut node, 10..30);
        doubted(&node, wanted);
        let until = history(log.entries()).changes.len() - before;
        assert!(until as u64 <= EVERY + 1, "found after {until} entries");
        node.kill();
        let mut node = Node::leading(&log, start(MemoryStore::new(), Origin::Rebuilt, 2, &clock));
        let rebuilt = balances(&*node.state());
        assert!(honest.iter().all(|(number, balance)| rebuilt.get(number) == Some(balance)));
        open(&mut node, 100..130);
        assert_eq!(node.stopped, None, "and it goes on");
    }
}

#[test]
fn p17_what_is_evaluated_on_and_what_is_applied_to_must_be_the_same() {
    let rebuilt_or_not = [Origin::Kept, Origin::Rebuilt];
    for (to_readers, origin) in [true, false].into_iter().zip(rebuilt_or_not) {
        let (log, clock, liar) = (HeldLog::new(), Clock::new(), Liar::default());
        let told = if to_readers { &liar.to_readers } else { &liar.to_the_applier };
        *told.lock().unwrap() = Some(Lie::Gone(account(2)));
        let mut node = Node::leading(&log, start(liar, origin, 1, &clock));
        open(&mut node, 1..10);
        doubted(&node, "another digest than");
    }
}

/// A log whose leader served, and digested, without account 2.
fn written_by_a_liar(clock: &Clock) -> HeldLog {
    let (log, liar) = (HeldLog::new(), Liar::default());
    for told in [&liar.to_the_applier, &liar.to_readers] {
        *told.lock().unwrap() = Some(Lie::Gone(account(2)));
    }
    let mut node = Node::leading(&log, start(liar, Origin::Kept, 1, clock));
    open(&mut node, 1..10);
    assert_eq!(node.stopped, None, "it has nothing to compare with");
    log
}

#[test]
fn p17_kept_state_that_disagrees_with_the_leader_before_is_rebuilt_and_rebuilt_state_is_right() {
    let clock = Clock::new();
    let log = written_by_a_liar(&clock);
    let mut node = Node::new(&log, start(MemoryStore::new(), Origin::Kept, 2, &clock));
    node.settle();
    doubted(&node, "another digest than");
    let mut node = Node::leading(&log, start(MemoryStore::new(), Origin::Rebuilt, 3, &clock));
    assert!(node.engine.metrics().digests_differ.get() > 0, "and it says so");
    assert_eq!(balances(&*node.state()).get(&2), Some(&10));
    let differ = node.engine.metrics().digests_differ.get();
    open(&mut node, 100..130);
    assert_eq!((node.stopped.clone(), node.engine.metrics().digests_differ.get()), (None, differ));
}

#[test]
fn p17_digests_go_round_all_rows_and_on_after_a_restart() {
    let (log, clock) = (HeldLog::new(), Clock::new());
    let mut node = Node::leading(&log, start(MemoryStore::new(), Origin::Kept, 1, &clock));
    let bulk = |from: u64| -> holdfast_engine::request::Work {
        Box::new(move |tx| {
            for number in from..from + 500 {
                tx.put::<Events>(number, &"x".repeat(20))?;
            }
            Ok(Vec::new())
        })
    };
    let mut ranges: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    for round in 0..20u64 {
        if round == 10 {
            node.kill();
            node = Node::leading(&log, start(MemoryStore::new(), Origin::Rebuilt, 2, &clock));
        }
        node.work(bulk(round % 3 * 500));
        node.settle();
        let key = stored_key(Namespace::SYSTEM, Digests::ID, &());
        let Some(row) = node.state().get(&key).unwrap() else { continue };
        let digest = holdfast_engine::digest::Digest::parse(&row).unwrap();
        assert!(digest.rows <= 512);
        let range = (digest.from().to_vec(), digest.to().to_vec());
        if ranges.last() != Some(&range) {
            ranges.push(range);
        }
    }
    assert_eq!(ranges[0].0, [0; 0], "it begins at the beginning");
    let wrapped = ranges.windows(2).filter(|pair| pair[1].0.is_empty()).count();
    assert!(wrapped >= 1 && 2 * wrapped < ranges.len(), "1,500 rows are three digests");
    let goes_on = |pair: &[(Vec<u8>, Vec<u8>)]| pair[1].0 == pair[0].1 || pair[1].0.is_empty();
    assert!(ranges.windows(2).all(goes_on));
    assert_eq!(node.engine.metrics().digests_differ.get(), 0);
}

#[test]
fn an_idle_partition_writes_no_digests() {
    let log = HeldLog::new();
    let config = Config { digest_entries: 0, ..config() };
    let mut node = Node::leading(&log, Start { config, ..Start::default() });
    open(&mut node, 1..10);
    let entries = node.engine.metrics().entries.get();
    for _ in 0..100 {
        node.pass_us(1_000_000);
    }
    assert_eq!(node.engine.metrics().entries.get(), entries);
    assert!(node.engine.metrics().digests.get() > 0);
}
