//! Entries on their way: lost answers, dead entries in the way, errors (P5, P6, P8).

use holdfast_engine::{Config, Failure, Stopped};
use holdfast_log::{LogError, MemoryLog};

use crate::{
    foreign,
    held::{HeldLog, timed_out},
    history::{history, rows},
    node::{Node, Pending, RETRY_US, Start, config},
    toy::{Op, effects},
};

fn open(account: u64) -> Op {
    Op::Open { account, balance: 10 }
}

/// A leader with so many entries of one transaction in flight, at positions 2, 3, ….
fn in_flight(count: usize) -> (MemoryLog, HeldLog, Node, Vec<Pending>) {
    let memory = MemoryLog::new();
    let log = HeldLog::over(&memory);
    let config = Config { entries_in_flight_max: count, ..config() };
    let mut node = Node::leading(&log, Start { config, ..Start::default() });
    log.hold();
    let asked = (0..count as u64)
        .map(|account| {
            let asked = node.op(&format!("op-{account}"), &open(account));
            node.settle();
            asked
        })
        .collect();
    (memory, log, node, asked)
}

/// Each had its effect once, in order, and state is what the log says.
fn each_once(memory: &MemoryLog, node: &Node, asked: &[Pending]) {
    let told = history(memory);
    assert_eq!(told.changes.len(), asked.len());
    for (index, asked) in asked.iter().enumerate() {
        assert_eq!(asked.version(), index as u64 + 1);
        assert_eq!(effects(&told.store, &format!("op-{index}")), 1);
    }
    assert_eq!(rows(&told.store), rows(&*node.state()));
}

#[test]
fn p6_an_append_that_took_effect_without_an_answer_is_retried_and_counts_once() {
    let (memory, log, mut node, asked) = in_flight(1);
    log.lose_the_answer(2);
    node.settle();
    assert!(asked[0].is_open() && log.held().is_empty(), "it rests before the next attempt");
    node.pass_us(RETRY_US);
    assert_eq!(log.held(), [2], "the same place");
    assert!(asked[0].is_open());
    log.answer(2);
    node.settle();
    each_once(&memory, &node, &asked);
    assert_eq!(history(&memory).dead, 0);
}

#[test]
fn p6_an_append_that_was_lost_is_retried_and_one_that_lands_late_finds_itself() {
    let (memory, log, mut node, asked) = in_flight(2);
    log.lose(2);
    log.delay(3);
    node.settle();
    node.pass_us(RETRY_US);
    assert_eq!(log.held(), [2, 3]);
    assert!(log.land(0));
    log.answer(3);
    node.settle();
    assert!(asked[1].is_open(), "P5: position 2 may still hold anything");
    log.answer(2);
    node.settle();
    each_once(&memory, &node, &asked);
}

#[test]
fn p5_answers_out_of_order_are_acknowledged_in_order() {
    let (memory, log, mut node, asked) = in_flight(4);
    for position in [5, 3, 4] {
        log.answer(position);
        node.settle();
        assert!(asked.iter().all(Pending::is_open), "position 2 is not known");
    }
    log.answer(2);
    node.settle();
    each_once(&memory, &node, &asked);
    let replies = node.replies.lock().unwrap().clone();
    assert_eq!(replies, ["opened 0", "opened 1", "opened 2", "opened 3"]);
}

#[test]
fn p5_behind_a_dead_entry_all_is_appended_again_in_order_under_its_old_numbers() {
    let (memory, log, mut node, asked) = in_flight(4);
    foreign::dead_entry(&memory, 3);
    log.answer(5);
    log.answer(2);
    node.settle();
    assert_eq!(asked[0].version(), 1, "it was before the dead entry");
    log.answer(3);
    node.settle();
    assert_eq!(log.held(), [4, 6, 7, 8], "the second to fourth again; the old copy of the third");
    log.answer(8);
    log.answer(6);
    node.settle();
    assert!(asked[1].is_open(), "an abandoned copy at position 4 is not known yet");
    log.answer(4);
    node.settle();
    assert_eq!(asked[1].version(), 2);
    assert!(asked[2].is_open() && asked[3].is_open());
    log.answer(7);
    node.settle();
    each_once(&memory, &node, &asked);
    assert_eq!(history(&memory).dead, 3, "the foreign one and two abandoned copies");
    let sequences: Vec<u64> = history(&memory).entries.iter().map(|e| e.1.sequence).collect();
    assert_eq!(sequences, [0, 1, 2, 3, 4]);
}

#[test]
fn p5_dead_entries_may_come_again_and_again() {
    let (memory, log, mut node, asked) = in_flight(3);
    for _ in 0..20 {
        let next = *log.held().iter().min().unwrap();
        foreign::dead_entry(&memory, next);
        log.answer_all();
        node.settle();
        assert!(log.held().len() <= 6, "P8: positions in flight are bounded");
    }
    while !log.held().is_empty() {
        log.answer_all();
        node.settle();
    }
    each_once(&memory, &node, &asked);
    assert!(history(&memory).dead >= 20);
}

#[test]
fn p5_a_newer_claim_behind_a_dead_entry_still_deposes() {
    let (memory, log, mut node, asked) = in_flight(3);
    foreign::dead_entry(&memory, 2);
    foreign::newer_claim(&memory, 3);
    log.answer(4);
    log.answer(2);
    node.settle();
    assert_eq!(log.held(), [3, 5, 6, 7]);
    assert!(asked.iter().all(Pending::is_open));
    log.answer(3);
    node.settle();
    assert_eq!(node.stopped, Some(Stopped::Deposed));
    assert!(asked.iter().all(|a| matches!(a.failure(), Failure::OutcomeUnknown { .. })));
    assert_eq!(history(&memory).changes.len(), 0);
    log.answer_all();
    node.settle();
    assert_eq!(history(&memory).changes.len(), 0, "zombies are dead");
}

#[test]
fn p8_a_permanent_error_ends_leadership_and_says_why() {
    let (_, log, mut node, asked) = in_flight(2);
    let gathered = node.op("gathered", &open(50));
    node.settle();
    log.fail(2, LogError::Stopped { reason: "segment 7: no space".to_owned() });
    let queued = node.op("queued", &open(51));
    node.settle();
    let Some(Stopped::Failed(reason)) = &node.stopped else { panic!("{:?}", node.stopped) };
    assert!(reason.contains("segment 7: no space"), "{reason}");
    for unknown in asked.iter().chain([&gathered]) {
        let Failure::OutcomeUnknown { reason } = unknown.failure() else { panic!() };
        assert!(reason.contains("no space"), "{reason}");
    }
    assert!(matches!(queued.failure(), Failure::Unavailable { .. }));
    log.answer_all();
    node.pass_us(RETRY_US);
    assert!(log.held().is_empty(), "nothing is retried");
}

#[test]
fn p8_a_passing_error_is_retried_at_the_same_place_for_as_long_as_it_takes() {
    let (memory, log, mut node, asked) = in_flight(2);
    for error in [LogError::Overloaded { queued_bytes: 1 }, timed_out(), timed_out()] {
        log.fail(2, error);
        node.settle();
        assert!(!log.held().contains(&2));
        node.pass_us(RETRY_US);
        assert!(log.held().contains(&2));
    }
    log.answer_all();
    node.settle();
    each_once(&memory, &node, &asked);
}

#[test]
fn p6_a_claim_without_an_answer_is_retried_and_counts_once() {
    let memory = MemoryLog::new();
    let log = HeldLog::over(&memory);
    log.hold();
    let mut node = Node::new(&log, Start::default());
    node.settle();
    log.lose_the_answer(1);
    node.settle();
    node.pass_us(RETRY_US);
    assert_eq!((node.led, log.held()), (None, vec![1]));
    log.answer(1);
    node.settle();
    assert!(node.led.is_some());
    let told = history(&memory);
    assert_eq!((told.entries.len(), told.dead), (1, 0));
}

#[test]
fn stopping_finishes_what_is_queued_and_refuses_what_comes() {
    let (memory, log, mut node, asked) = in_flight(2);
    let queued = node.op("op-2", &open(2));
    node.handle(holdfast_engine::Event::Stop);
    let refused = node.op("late", &open(9));
    node.settle();
    assert!(matches!(refused.failure(), Failure::Unavailable { .. }));
    assert_eq!(node.stopped, None, "three are not durable yet");
    while !log.held().is_empty() {
        log.answer_all();
        node.settle();
    }
    assert_eq!(node.stopped, Some(Stopped::Cleanly));
    let asked: Vec<Pending> = asked.into_iter().chain([queued]).collect();
    each_once(&memory, &node, &asked);
}
