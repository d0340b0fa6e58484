//! Leadership lives in the log: claims, and what becomes of whoever is deposed (P4, P7, P9).

use holdfast_engine::{Failure, Stopped};
use holdfast_log::{Entry, Epoch, MemoryLog, Position, blocking};

use crate::{
    foreign,
    held::HeldLog,
    history::{entries, history, rows},
    node::{Clock, Node, Start},
    toy::{Op, balances, effects},
};

fn open(account: u64) -> Op {
    Op::Open { account, balance: 10 }
}

/// A second node on the same log, at the same time.
fn second(clock: &Clock) -> Start {
    Start { seed: 2, clock: clock.clone(), ..Start::default() }
}

#[test]
fn p7_a_claim_goes_to_the_first_hole_after_everything_below_was_applied() {
    let memory = MemoryLog::new();
    let log = HeldLog::over(&memory);
    let mut first = Node::leading(&log, Start::default());
    for account in 0..5 {
        first.op("op", &open(account));
        first.settle();
    }
    let clock = first.clock.clone();
    first.kill();
    let mut node = Node::new(&HeldLog::over(&memory), second(&clock));
    node.hold_applies = true;
    node.settle();
    assert_eq!(node.led, None);
    assert_eq!(entries(&memory).len(), 6, "it does not claim before it has applied what it read");
    while node.apply_one() {
        node.settle();
    }
    assert!(node.led.is_some());
    let told = history(&memory);
    let (position, claim) = told.entries[6];
    assert_eq!((position.get(), claim.epoch, claim.sequence), (7, Epoch::new(2), 0));
    assert_eq!(balances(&*node.state()).len(), 5);
}

#[test]
fn p7_nothing_is_evaluated_before_the_claim_is_known_to_count() {
    let log = HeldLog::new();
    log.hold();
    let mut node = Node::new(&log, Start::default());
    let asked = node.op("op", &open(1));
    node.settle();
    log.perform(1);
    node.settle();
    assert_eq!((node.led, node.engine.metrics().evaluated.get()), (None, 0));
    assert!(asked.is_open());
    log.answer_all();
    node.settle();
    log.answer_all();
    node.settle();
    assert_eq!(asked.version(), 1);
}

#[test]
fn p4_the_newer_claim_deposes_the_older_leader_whose_work_in_flight_is_unknown() {
    let memory = MemoryLog::new();
    let log = HeldLog::over(&memory);
    let mut old = Node::leading(&log, Start::default());
    let told_before = old.op("before", &open(1));
    old.settle();
    log.hold();
    let sent = [old.op("sent 1", &open(2)), {
        old.settle();
        old.op("sent 2", &open(3))
    }];
    old.settle();
    let gathered = old.op("gathered", &open(4));
    old.settle();
    assert_eq!(log.held(), [3, 4]);
    let mut new = Node::leading(&HeldLog::over(&memory), second(&old.clock));
    let theirs = new.op("theirs", &open(5));
    new.settle();
    log.answer_all();
    let queued = old.op("queued", &open(6));
    old.settle();
    assert_eq!(old.stopped, Some(Stopped::Deposed));
    for unknown in [&sent[0], &sent[1], &gathered] {
        assert!(matches!(unknown.failure(), Failure::OutcomeUnknown { .. }));
    }
    assert!(matches!(queued.failure(), Failure::Unavailable { .. }));
    let after = old.op("after", &open(7));
    old.settle();
    assert!(matches!(after.failure(), Failure::Unavailable { .. }));
    assert_eq!((told_before.version(), theirs.version()), (1, 2));
    let told = history(&memory);
    assert_eq!(told.changes.len(), 2);
    assert_eq!(rows(&told.store), rows(&*new.state()));
}

#[test]
fn p9_what_lies_below_the_new_claim_is_acknowledged() {
    let memory = MemoryLog::new();
    let log = HeldLog::over(&memory);
    let mut old = Node::leading(&log, Start::default());
    log.hold();
    let below = old.op("below", &open(1));
    old.settle();
    let above = old.op("above", &open(2));
    old.settle();
    log.perform(2);
    let new = Node::leading(&HeldLog::over(&memory), second(&old.clock));
    log.answer(3);
    old.settle();
    assert!(below.is_open() && above.is_open(), "what position 2 holds is not known yet");
    log.answer(2);
    old.settle();
    assert_eq!(old.stopped, Some(Stopped::Deposed));
    assert_eq!(below.version(), 1, "it is below the claim, so it counts");
    assert!(matches!(above.failure(), Failure::OutcomeUnknown { .. }));
    assert_eq!(balances(&*new.state()).len(), 1);
}

#[test]
fn p4_what_a_deposed_leader_still_has_on_its_way_is_dead_for_every_reader() {
    let memory = MemoryLog::new();
    let log = HeldLog::over(&memory);
    let mut old = Node::leading(&log, Start::default());
    log.hold();
    for name in ["a", "b"] {
        old.op(name, &open(u64::from(name.as_bytes()[0])));
        old.settle();
    }
    let mut new = Node::leading(&HeldLog::over(&memory), second(&old.clock));
    log.delay(3);
    log.lose(2);
    old.settle();
    assert!(log.land(0), "the zombie's second entry lands behind the claim");
    let theirs = new.op("theirs", &open(1));
    new.settle();
    assert_eq!(theirs.version(), 1);
    let told = history(&memory);
    assert_eq!((told.dead, told.changes.len()), (1, 1));
    assert_eq!(effects(&told.store, "b"), 0);
    old.pass_us(crate::node::RETRY_US);
    log.answer_all();
    old.settle();
    assert_eq!(old.stopped, Some(Stopped::Deposed));
}

#[test]
fn p7_of_two_that_claim_one_position_one_leads_and_the_other_steps_back() {
    let memory = MemoryLog::new();
    let logs = [HeldLog::over(&memory), HeldLog::over(&memory)];
    logs.iter().for_each(HeldLog::hold);
    let clock = Clock::new();
    let mut nodes = [
        Node::new(&logs[0], Start { clock: clock.clone(), ..Start::default() }),
        Node::new(&logs[1], second(&clock)),
    ];
    nodes.iter_mut().for_each(Node::settle);
    assert_eq!((logs[0].held(), logs[1].held()), (vec![1], vec![1]));
    logs[1].answer_all();
    logs[0].answer_all();
    nodes.iter_mut().for_each(Node::settle);
    assert!(nodes[1].led.is_some() && nodes[1].stopped.is_none());
    assert!(nodes[0].led.is_none());
    assert_eq!(nodes[0].stopped, Some(Stopped::Deposed));
}

#[test]
fn p7_a_claimer_reads_on_over_what_is_not_a_newer_claim() {
    let memory = MemoryLog::new();
    let log = HeldLog::over(&memory);
    let mut old = Node::leading(&log, Start::default());
    log.hold();
    let asked = old.op("in the way", &open(1));
    old.settle();
    let claims = HeldLog::over(&memory);
    claims.hold();
    let mut new = Node::new(&claims, second(&old.clock));
    new.settle();
    assert_eq!(claims.held(), [2]);
    log.answer(2);
    old.settle();
    assert_eq!(asked.version(), 1);
    foreign::dead_entry(&memory, 3);
    claims.answer(2);
    new.settle();
    assert_eq!(claims.held(), [4], "over a valid entry and a dead one");
    claims.answer(4);
    new.settle();
    assert!(new.led.is_some());
    assert_eq!(balances(&*new.state()).len(), 1, "what it read on the way is applied");
}

#[test]
fn p7_a_claim_whose_place_a_dead_entry_took_is_made_again_further_on() {
    let memory = MemoryLog::new();
    Node::leading(&HeldLog::over(&memory), Start::default()).kill();
    let log = HeldLog::over(&memory);
    log.hold();
    let mut node = Node::new(&log, second(&Clock::new()));
    node.settle();
    foreign::dead_entry(&memory, 2);
    log.answer(2);
    node.settle();
    assert_eq!(log.held(), [3]);
    log.answer(3);
    node.settle();
    assert!(node.led.is_some());
}

#[test]
fn p7_every_life_has_a_nonce_of_its_own() {
    let memory = MemoryLog::new();
    let clock = Clock::new();
    let nonces: Vec<_> = (1..=5)
        .map(|seed| {
            let start = Start { seed, clock: clock.clone(), ..Start::default() };
            Node::leading(&HeldLog::over(&memory), start).kill();
            Entry::decode(entries(&memory).last().unwrap()).unwrap().header.nonce
        })
        .collect();
    for (index, nonce) in nonces.iter().enumerate() {
        assert!(!nonces[..index].contains(nonce));
    }
}

#[test]
fn p3_a_trimmed_position_ends_leadership() {
    let memory = MemoryLog::new();
    let log = HeldLog::over(&memory);
    let mut old = Node::leading(&log, Start::default());
    log.hold();
    let asked = old.op("late", &open(1));
    old.settle();
    let mut new = Node::leading(&HeldLog::over(&memory), second(&old.clock));
    new.op("theirs", &open(2));
    new.settle();
    let tail = blocking::tail(&memory).unwrap();
    blocking::trim(&memory, tail).unwrap();
    log.answer_all();
    old.settle();
    assert_eq!(old.stopped, Some(Stopped::Deposed));
    assert!(matches!(asked.failure(), Failure::OutcomeUnknown { .. }));
}

#[test]
fn p3_a_node_whose_state_is_older_than_the_log_does_not_go_on() {
    let memory = MemoryLog::new();
    let mut node = Node::leading(&HeldLog::over(&memory), Start::default());
    node.op("gone", &open(1));
    node.settle();
    blocking::trim(&memory, blocking::tail(&memory).unwrap()).unwrap();
    let mut empty = Node::new(&HeldLog::over(&memory), second(&node.clock));
    empty.settle();
    let behind = Stopped::Behind(Position::first());
    assert_eq!(empty.stopped, Some(behind));
    assert_eq!(empty.led, None);
}

#[test]
fn p2_an_entry_that_does_not_fit_stops_the_reader_and_says_why() {
    let memory = MemoryLog::new();
    let log = HeldLog::over(&memory);
    let mut node = Node::leading(&log, Start::default());
    node.op("a", &open(1));
    node.settle();
    let clock = node.clock.clone();
    node.kill();
    foreign::claim_of_another_history(&memory, 3);
    let mut next = Node::new(&HeldLog::over(&memory), second(&clock));
    next.settle();
    let Some(Stopped::Failed(reason)) = &next.stopped else { panic!("{:?}", next.stopped) };
    assert!(reason.contains("position 3") && reason.contains("hash"), "{reason}");
}
