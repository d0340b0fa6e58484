//! State is a cache of the log: it is the same after every restart, and doubt ends a partition.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use bytes::Bytes;
use holdfast_engine::{Decision, Failure, Stopped};
use holdfast_log::MemoryLog;
use holdfast_state::{
    Batch, Mark, MemoryStore, Read as _, Scan, Snapshot, Snapshots, Source, Store, StoreError,
};
use proptest::prelude::*;

use crate::{
    held::HeldLog,
    history::{history, rows},
    node::{Clock, Node, Start},
    toy::{Accounts, Op, balances},
};

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        (0u64..8, 1i64..100).prop_map(|(account, balance)| Op::Open { account, balance }),
        (0u64..8, 0u64..8, 0i64..60).prop_map(|(from, to, amount)| Op::Transfer {
            from,
            to,
            amount
        }),
        (1u64..8, 0i64..20, 0u64..3_000_000).prop_map(|(from, amount, for_us)| Op::Hold {
            from,
            amount,
            for_us
        }),
        Just(Op::Total),
    ]
}

/// What is done to a node between two requests.
#[derive(Clone, Debug)]
enum Between {
    Nothing,
    Settle,
    Pass(u64),
    /// Remember the state, as a snapshot would.
    Snapshot,
    /// Restart from the log alone.
    Restart,
    /// Restart from the newest snapshot and the log behind it.
    RestartFromSnapshot,
}

fn between() -> impl Strategy<Value = Between> {
    prop_oneof![
        2 => Just(Between::Nothing),
        4 => Just(Between::Settle),
        2 => (0u64..2_000_000).prop_map(Between::Pass),
        1 => Just(Between::Snapshot),
        1 => Just(Between::Restart),
        1 => Just(Between::RestartFromSnapshot),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn state_after_any_restart_is_the_state_before(
        script in proptest::collection::vec((op(), any::<bool>(), between()), 1..60)
    ) {
        let memory = MemoryLog::new();
        let clock = Clock::new();
        let mut seed = 1;
        let start = |seed, store| Start { seed, clock: clock.clone(), store, ..Start::default() };
        let empty = || -> Box<dyn Store> { Box::new(MemoryStore::new()) };
        let mut node = Node::leading(&HeldLog::over(&memory), start(seed, empty()));
        let mut snapshot: Option<Arc<dyn Snapshot>> = None;
        for (index, (op, keyed, between)) in script.into_iter().enumerate() {
            let name = format!("op-{}", index / 2);
            if keyed { node.keyed(&name, &op) } else { node.op(&name, &op) };
            match between {
                Between::Nothing => {}
                Between::Settle => node.settle(),
                Between::Pass(us) => node.pass_us(us),
                Between::Snapshot => snapshot = Some(node.state()),
                Between::Restart | Between::RestartFromSnapshot => {
                    node.settle();
                    let before = rows(&*node.state());
                    let from = snapshot.as_ref().filter(|_| {
                        matches!(between, Between::RestartFromSnapshot)
                    });
                    let store = from.map_or_else(empty, |held| -> Box<dyn Store> {
                        Box::new(MemoryStore::from_pairs(rows(&**held), held.mark().clone()))
                    });
                    node.kill();
                    seed += 1;
                    node = Node::new(&HeldLog::over(&memory), start(seed, store));
                    while node.led.is_none() {
                        prop_assert!(node.turn(), "it comes to lead");
                    }
                    let told = history(&memory);
                    prop_assert_eq!(rows(&told.store), before, "nothing new in the log");
                    node.settle();
                }
            }
        }
        node.settle();
        let told = history(&memory);
        prop_assert_eq!(rows(&told.store), rows(&*node.state()));
        let total: i64 = balances(&*node.state()).values().sum();
        let asked = node.op("total", &Op::Total);
        node.settle();
        prop_assert_eq!(asked.body(), total.to_string());
    }
}

/// A store that fails when it is told to.
#[derive(Debug, Default)]
struct Doubtful {
    inner: MemoryStore,
    reads: Arc<AtomicBool>,
    applies: Arc<AtomicBool>,
}

fn doubt(failing: &AtomicBool) -> Result<(), StoreError> {
    if failing.load(Ordering::SeqCst) {
        return Err(StoreError::Doubt { what: "block 7: bad checksum".to_owned() });
    }
    Ok(())
}

impl Source for Doubtful {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        doubt(&self.reads)?;
        self.inner.get(key)
    }

    fn scan(&self, from: &[u8], to: &[u8], scan: Scan) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        doubt(&self.reads)?;
        self.inner.scan(from, to, scan)
    }
}

impl Store for Doubtful {
    fn mark(&self) -> Mark {
        self.inner.mark()
    }

    fn apply(&mut self, batch: &Batch, checkpoint: Bytes) -> Result<(), StoreError> {
        doubt(&self.applies)?;
        self.inner.apply(batch, checkpoint)
    }

    fn snapshots(&self) -> Arc<dyn Snapshots> {
        Arc::new(Reads { inner: self.inner.snapshots(), failing: Arc::clone(&self.reads) })
    }
}

#[derive(Debug)]
struct Reads {
    inner: Arc<dyn Snapshots>,
    failing: Arc<AtomicBool>,
}

impl Source for Reads {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        doubt(&self.failing)?;
        self.inner.get(key)
    }

    fn scan(&self, from: &[u8], to: &[u8], scan: Scan) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        doubt(&self.failing)?;
        self.inner.scan(from, to, scan)
    }
}

impl Snapshots for Reads {
    fn latest(&self) -> Arc<dyn Snapshot> {
        self.inner.latest()
    }
}

/// A leader whose store is fine so far, and the switches that end that.
fn doubtful(log: &HeldLog) -> (Node, Arc<AtomicBool>, Arc<AtomicBool>) {
    let store = Doubtful::default();
    let (reads, applies) = (Arc::clone(&store.reads), Arc::clone(&store.applies));
    let mut node = Node::leading(log, Start { store: Box::new(store), ..Start::default() });
    node.op("open", &Op::Open { account: 1, balance: 10 });
    node.settle();
    (node, reads, applies)
}

fn assert_in_doubt(node: &Node) {
    let Some(Stopped::StateInDoubt(what)) = &node.stopped else { panic!("{:?}", node.stopped) };
    assert!(what.contains("block 7: bad checksum"), "{what}");
}

#[test]
fn p17_doubt_at_a_read_ends_the_partition_and_nothing_of_it_is_told() {
    let log = HeldLog::new();
    let (mut node, reads, _) = doubtful(&log);
    log.hold();
    let in_flight = node.op("in flight", &Op::Open { account: 2, balance: 1 });
    node.settle();
    reads.store(true, Ordering::SeqCst);
    let doubting = node.keyed("k", &Op::Transfer { from: 1, to: 2, amount: 1 });
    let behind = node.op("behind", &Op::Open { account: 3, balance: 1 });
    node.settle();
    assert_in_doubt(&node);
    assert!(matches!(in_flight.failure(), Failure::OutcomeUnknown { .. }));
    assert!(matches!(doubting.failure(), Failure::OutcomeUnknown { .. } | Failure::Aborted(_)));
    assert!(matches!(behind.failure(), Failure::Unavailable { .. }));
    log.answer_all();
    assert_eq!(history(log.entries()).changes.len(), 2, "the one in flight did happen");
}

#[test]
fn p17_what_is_applied_is_read_from_the_state_and_not_from_what_was_evaluated_once() {
    let log = HeldLog::new();
    let (mut node, reads, _) = doubtful(&log);
    reads.store(true, Ordering::SeqCst);
    node.work(Box::new(|tx| {
        tx.get::<Accounts>(1)?;
        Ok(Vec::new())
    }));
    node.settle();
    assert_in_doubt(&node);
}

#[test]
fn p17_doubt_at_a_timers_look_ends_the_partition() {
    let log = HeldLog::new();
    let (mut node, reads, _) = doubtful(&log);
    node.op("hold", &Op::Hold { from: 1, amount: 1, for_us: 1_000_000 });
    node.settle();
    reads.store(true, Ordering::SeqCst);
    node.pass_us(1_000_000);
    assert_in_doubt(&node);
}

#[test]
fn p17_doubt_while_applying_ends_the_partition_but_what_is_durable_was_done() {
    let log = HeldLog::new();
    let (mut node, _, applies) = doubtful(&log);
    applies.store(true, Ordering::SeqCst);
    let asked = node.keyed("k", &Op::Open { account: 2, balance: 1 });
    node.settle();
    assert_in_doubt(&node);
    assert_eq!(asked.outcome().decision, Decision::Done, "it is in the log");
    let clock = node.clock.clone();
    node.kill();
    let again = Start { seed: 2, clock, ..Start::default() };
    let mut node = Node::leading(&HeldLog::over(log.entries()), again);
    let replayed = node.keyed("k", &Op::Open { account: 2, balance: 1 });
    node.settle();
    assert!(replayed.outcome().replayed);
}

#[test]
fn p17_a_row_that_does_not_decode_is_doubt() {
    let log = HeldLog::new();
    let mut node = Node::leading(&log, Start::default());
    let key = holdfast_state::table::stored_key(
        holdfast_state::Namespace::DEFAULT,
        <Accounts as holdfast_state::Table>::ID,
        &1u64,
    );
    node.work(Box::new(move |tx| {
        tx.put_stored(&key, b"\xff\xff")?;
        Ok(Vec::new())
    }));
    node.settle();
    node.work(Box::new(|tx| {
        tx.get::<Accounts>(1)?;
        Ok(Vec::new())
    }));
    node.settle();
    assert!(matches!(node.stopped, Some(Stopped::StateInDoubt(_))), "{:?}", node.stopped);
}
