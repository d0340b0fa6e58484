//! Whoever asks twice gets one effect, and one answer (P13, P20).

use holdfast_engine::{Config, Decision, Failure, idempotency::Records};
use holdfast_state::{
    Fact, MemoryStore, Namespace, Scan, Stop, Table as _,
    key::after_prefix,
    table::{Read as _, stored_key},
};

use crate::{
    held::HeldLog,
    history::{history, rows},
    node::{Ask, Clock, Node, Pending, Start, config},
    toy::{Accounts, Op, balances, effects},
};

const SECOND_US: u64 = 1_000_000;

fn open(account: u64, balance: i64) -> Op {
    Op::Open { account, balance }
}

fn same_answer(first: &Pending, again: &Pending) {
    let (first, again) = (first.outcome(), again.outcome());
    assert!(!first.replayed && again.replayed);
    assert_eq!(
        (first.decision, &first.body, first.version, first.time),
        (again.decision, &again.body, again.version, again.time)
    );
}

#[test]
fn p13_both_in_flight_have_one_effect_and_none_is_answered_early() {
    let log = HeldLog::new();
    let mut node = Node::leading(&log, Start::default());
    log.hold();
    let first = node.keyed("k", &open(1, 10));
    node.settle();
    let again = node.keyed("k", &open(1, 10));
    node.clock.pass_us(5);
    node.settle();
    assert!(first.is_open() && again.is_open(), "what the duplicate rests on is not durable");
    log.answer_all();
    node.settle();
    same_answer(&first, &again);
    assert_eq!(effects(&*node.state(), "k"), 1);
    assert_eq!(history(log.entries()).changes.len(), 1);
}

#[test]
fn p13_after_it_is_applied_and_after_a_restart_from_the_log() {
    let log = HeldLog::new();
    let clock = Clock::new();
    let start = || Start { clock: clock.clone(), ..Start::default() };
    let mut node = Node::leading(&log, start());
    let first = node.keyed("k", &open(1, 10));
    let refused = node.keyed("r", &Op::Transfer { from: 9, to: 1, amount: 1 });
    node.pass_us(SECOND_US);
    same_answer(&first, &{
        let again = node.keyed("k", &open(1, 10));
        node.settle();
        again
    });
    node.kill();
    clock.pass_us(SECOND_US);
    let mut node = Node::leading(&log, Start { seed: 2, ..start() });
    let again = node.keyed("k", &open(1, 10));
    let refused_again = node.keyed("r", &Op::Transfer { from: 9, to: 1, amount: 1 });
    node.settle();
    same_answer(&first, &again);
    same_answer(&refused, &refused_again);
    assert_eq!(refused_again.outcome().decision, Decision::Refused);
    assert_eq!(effects(&*node.state(), "k"), 1);
}

#[test]
fn p13_after_a_restart_from_a_snapshot_and_the_log_behind_it() {
    let log = HeldLog::new();
    let clock = Clock::new();
    let start = || Start { clock: clock.clone(), ..Start::default() };
    let mut node = Node::leading(&log, start());
    let first = node.keyed("in the snapshot", &open(1, 10));
    node.settle();
    let snapshot = node.state();
    let second = node.keyed("behind it", &open(2, 10));
    node.settle();
    node.kill();
    let store = MemoryStore::from_pairs(rows(&*snapshot), snapshot.mark().clone());
    let mut node = Node::leading(&log, Start { store: Box::new(store), seed: 2, ..start() });
    let again =
        [node.keyed("in the snapshot", &open(1, 10)), node.keyed("behind it", &open(2, 10))];
    node.settle();
    same_answer(&first, &again[0]);
    same_answer(&second, &again[1]);
}

#[test]
fn p13_a_key_stands_for_one_request_of_one_namespace() {
    let log = HeldLog::new();
    let mut node = Node::leading(&log, Start::default());
    let first = node.keyed("k", &open(1, 10));
    let other = node.submit(Ask::of(open(2, 10).work("k")).keyed_as("k", 8));
    let elsewhere = node.submit(Ask::of(open(3, 10).work("k")).keyed_as("k", 9).in_namespace(2));
    node.settle();
    assert_eq!(first.outcome().decision, Decision::Done);
    assert_eq!(other.failure(), Failure::KeyReused);
    assert!(!elsewhere.outcome().replayed);
    assert_eq!(balances(&*node.state()).get(&2), None);
    let again = node.submit(Ask::of(open(3, 10).work("k")).keyed_as("k", 9).in_namespace(2));
    node.settle();
    same_answer(&elsewhere, &again);
}

#[test]
fn p13_a_refusal_is_stored_as_its_only_write() {
    let log = HeldLog::new();
    let mut node = Node::leading(&log, Start::default());
    let refused = node.keyed("k", &Op::Transfer { from: 1, to: 2, amount: 5 });
    node.settle();
    assert_eq!((refused.outcome().decision, refused.version()), (Decision::Refused, 1));
    let told = history(log.entries());
    let facts: Vec<Fact<'_>> = told.changes[0].facts().map(Result::unwrap).collect();
    let records = stored_key(Namespace::SYSTEM, Records::ID, &());
    assert!(
        matches!(&facts[..], [Fact::Put { key, .. }] if key.starts_with(&records)),
        "{facts:?}"
    );
    node.op("open", &open(1, 100));
    let again = node.keyed("k", &Op::Transfer { from: 1, to: 2, amount: 5 });
    node.settle();
    same_answer(&refused, &again);
}

#[test]
fn p13_what_came_to_no_outcome_is_not_stored() {
    let log = HeldLog::new();
    let bounded = Config { waiting_max: 4, ..config() };
    let mut node = Node::leading(&log, Start { config: bounded, ..Start::default() });
    let panicking =
        Box::new(|_: &mut holdfast_state::Tx<'_>| std::panic::resume_unwind(Box::new("x")));
    let panicked = node.submit(Ask::of(panicking).keyed("panicked"));
    let reading = Box::new(|tx: &mut holdfast_state::Tx<'_>| {
        for _ in 0..200_000 {
            tx.get::<Accounts>(1)?;
        }
        Ok(Vec::new())
    });
    let aborted = node.submit(Ask::of(reading).keyed("aborted"));
    let late = node.submit(Ask::of(open(1, 1).work("late")).keyed("late").until_us(1));
    let admitted = node.op("admitted", &Op::Total);
    let overloaded = node.keyed("overloaded", &open(2, 1));
    node.settle();
    assert!(matches!(panicked.failure(), Failure::Panicked { .. }));
    assert!(matches!(aborted.failure(), Failure::Aborted(_)));
    assert_eq!(late.failure(), Failure::Deadline);
    assert_eq!(overloaded.failure(), Failure::Overloaded);
    assert_eq!(admitted.outcome().decision, Decision::Done);
    assert!(records(&node).is_empty());
    assert!(history(log.entries()).changes.is_empty());
    for (account, key) in [(1, "panicked"), (2, "aborted"), (3, "late"), (4, "overloaded")] {
        let again = node.keyed(key, &open(account, 1));
        node.settle();
        assert!(!again.outcome().replayed, "{key}");
    }
}

fn records(node: &Node) -> Vec<(bytes::Bytes, bytes::Bytes)> {
    let from = stored_key(Namespace::SYSTEM, Records::ID, &());
    node.state().scan(&from, &after_prefix(&from).unwrap(), Scan::up(usize::MAX)).unwrap()
}

#[test]
fn p20_a_record_is_kept_for_the_retention_and_goes_with_its_bucket_in_one_fact() {
    let log = HeldLog::new();
    let retention = Config { retention_us: 100 * SECOND_US, ..config() };
    let mut node = Node::leading(&log, Start { config: retention, ..Start::default() });
    let mut asked = Vec::new();
    for second in 0..700u64 {
        let key = format!("k-{second}");
        asked.push((second, node.keyed(&key, &open(second, 1))));
        node.settle();
        if second >= 99 {
            let again = node.keyed(&format!("k-{}", second - 99), &open(second - 99, 1));
            node.settle();
            assert!(again.outcome().replayed, "within the retention it is known");
        }
        assert!(
            records(&node).len() <= 151,
            "records are kept one and a half times as long at most"
        );
        node.pass_us(SECOND_US);
    }
    let told = history(log.entries());
    let ranges = told.changes.iter().filter(|change| {
        change.facts().any(|fact| matches!(fact.unwrap(), Fact::DeleteRange { .. }))
    });
    let ranges = ranges.count();
    assert!((10..=14).contains(&ranges), "one fact for each bucket of 50 s: {ranges}");
    let after = node.keyed("k-0", &open(0, 1));
    node.settle();
    assert_eq!(after.outcome().decision, Decision::Refused, "forgotten, so it is asked anew");
}

#[test]
fn p20_forgetting_goes_on_after_a_restart() {
    let log = HeldLog::new();
    let clock = Clock::new();
    let start = |seed| Start {
        config: Config { retention_us: 100 * SECOND_US, ..config() },
        clock: clock.clone(),
        seed,
        ..Start::default()
    };
    let mut node = Node::leading(&log, start(1));
    node.keyed("old", &open(1, 1));
    node.settle();
    node.kill();
    clock.pass_us(90 * SECOND_US);
    let mut node = Node::leading(&log, start(2));
    let again = node.keyed("old", &open(1, 1));
    node.settle();
    assert!(again.outcome().replayed);
    node.kill();
    clock.pass_us(100 * SECOND_US);
    let mut node = Node::leading(&log, start(3));
    node.settle();
    assert!(records(&node).is_empty(), "removed by the next leader");
}

#[test]
fn p13_a_transaction_without_room_for_its_record_comes_to_no_outcome() {
    let log = HeldLog::new();
    let mut budget = config();
    budget.budget.writes_max = 3;
    let mut node = Node::leading(&log, Start { config: budget, ..Start::default() });
    let three = || {
        Box::new(|tx: &mut holdfast_state::Tx<'_>| -> Result<Vec<u8>, Stop<Vec<u8>>> {
            for account in 0..3 {
                tx.put::<Accounts>(account, &1)?;
            }
            Ok(Vec::new())
        })
    };
    let keyed = node.submit(Ask::of(three()).keyed("k"));
    node.settle();
    assert!(matches!(keyed.failure(), Failure::Aborted(_)));
    assert!(rows(&*node.state()).is_empty(), "no effect without a record of it");
    let plain = node.work(three());
    node.settle();
    assert_eq!(plain.outcome().decision, Decision::Done);
}
