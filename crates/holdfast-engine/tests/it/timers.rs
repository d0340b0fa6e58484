//! Timers: not early, once, whoever leads, and none holds up another (P20, P23).

use holdfast_engine::{Config, Decision, TimerHandler};
use holdfast_log::MemoryLog;
use holdfast_state::{
    Abort, LogTime, Namespace, Read as _, Scan, Table as _, TimerId, Tx, key::after_prefix,
    row::Row as _, table::stored_key, timer::Timers,
};

use crate::{
    held::HeldLog,
    history::{history, rows},
    node::{Clock, Node, Pending, Start, config},
    toy::{Accounts, Events, Op, balances},
};

const SECOND_US: u64 = 1_000_000;

/// Notes when it ran: the number it was armed with, and the log time it saw.
fn note(tx: &mut Tx<'_>, payload: &[u8]) -> Result<(), Abort> {
    let number = u64::parse(payload).expect("the test wrote it");
    let runs = tx.get::<Accounts>(number)?.unwrap_or(0);
    tx.put::<Accounts>(number, &(runs + 1))?;
    tx.put::<Events>(number, &tx.now().as_us().to_string())
}

fn panic(tx: &mut Tx<'_>, payload: &[u8]) -> Result<(), Abort> {
    note(tx, payload)?;
    std::panic::resume_unwind(Box::new("a handler's bug"))
}

fn abort(tx: &mut Tx<'_>, payload: &[u8]) -> Result<(), Abort> {
    note(tx, payload)?;
    Err(Abort::TooLarge { what: "patience", limit: 0 })
}

fn handlers() -> Vec<(&'static str, TimerHandler)> {
    vec![("note", note.into()), ("panic", panic.into()), ("abort", abort.into())]
}

fn start(seed: u64, clock: &Clock) -> Start {
    let config = Config { timers: handlers(), ..config() };
    Start { config, seed, clock: clock.clone(), ..Start::default() }
}

/// Arms timers: handler, number, and how long from now.
fn arm(node: &mut Node, timers: Vec<(&'static str, u64, u64)>) -> Pending {
    node.work(Box::new(move |tx| {
        let mut last = None;
        for (handler, number, in_us) in &timers {
            let due = tx.now().plus_us(*in_us);
            last = Some(tx.arm_timer(due, handler, number)?);
        }
        let mut body = Vec::new();
        last.expect("at least one").write(&mut body);
        Ok(body)
    }))
}

/// How often each number's timer ran.
fn runs(node: &Node) -> Vec<(u64, i64)> {
    balances(&*node.state()).into_iter().collect()
}

fn seen_at(node: &Node, number: u64) -> LogTime {
    let key = stored_key(Namespace::DEFAULT, Events::ID, &number);
    let row = node.state().get(&key).unwrap().expect("it ran");
    LogTime::from_us(String::parse(&row).unwrap().parse().unwrap())
}

fn armed(node: &Node) -> usize {
    let from = stored_key(Namespace::SYSTEM, Timers::ID, &());
    let to = after_prefix(&from).unwrap();
    node.state().scan(&from, &to, Scan::up(usize::MAX)).unwrap().len()
}

#[test]
fn it_fires_at_its_time_and_not_before_and_once() {
    let log = HeldLog::new();
    let mut node = Node::leading(&log, start(1, &Clock::new()));
    let asked = arm(&mut node, vec![("note", 1, SECOND_US), ("note", 2, 2 * SECOND_US)]);
    node.settle();
    let armed_at = asked.outcome().time;
    node.pass_us(SECOND_US - 1);
    assert_eq!(runs(&node), []);
    let now = node.clock.now();
    assert!(node.engine.idle_us(now) <= 1, "the driver is told when to look again");
    node.pass_us(1);
    assert_eq!(runs(&node), [(1, 1)]);
    assert_eq!(seen_at(&node, 1), armed_at.plus_us(SECOND_US));
    node.pass_us(10 * SECOND_US);
    assert_eq!(runs(&node), [(1, 1), (2, 1)]);
    assert!(seen_at(&node, 2) >= armed_at.plus_us(2 * SECOND_US));
    node.pass_us(10 * SECOND_US);
    assert_eq!((runs(&node), armed(&node)), (vec![(1, 1), (2, 1)], 0));
}

#[test]
fn p23_it_fires_from_applied_state_only() {
    let log = HeldLog::new();
    let mut node = Node::leading(&log, start(1, &Clock::new()));
    log.hold();
    arm(&mut node, vec![("note", 1, 0)]);
    node.settle();
    node.pass_us(SECOND_US);
    assert_eq!(node.engine.metrics().timers_fired.get(), 0, "it is not durable that it was armed");
    log.answer_all();
    node.settle();
    log.answer_all();
    node.settle();
    assert_eq!(runs(&node), [(1, 1)]);
}

#[test]
fn it_fires_once_although_the_log_stands_still_meanwhile() {
    let log = HeldLog::new();
    let mut node = Node::leading(&log, start(1, &Clock::new()));
    arm(&mut node, (0..600).map(|number| ("note", number, SECOND_US)).collect());
    node.settle();
    log.hold();
    for _ in 0..50 {
        node.pass_us(SECOND_US);
    }
    assert!(node.engine.metrics().timers_fired.get() <= 600, "nobody asks again while it waits");
    while node.turn() || !log.held().is_empty() {
        log.answer_all();
    }
    assert_eq!(runs(&node), (0..600).map(|number| (number, 1)).collect::<Vec<_>>());
}

#[test]
fn after_a_restart_and_across_a_takeover_it_fires_once() {
    let memory = MemoryLog::new();
    let clock = Clock::new();
    let log = HeldLog::over(&memory);
    let mut old = Node::leading(&log, start(1, &clock));
    arm(&mut old, (0..10).map(|number| ("note", number, SECOND_US * (number + 1))).collect());
    old.settle();
    old.pass_us(3 * SECOND_US);
    assert_eq!(runs(&old).len(), 3);
    log.hold();
    clock.pass_us(2 * SECOND_US);
    old.settle();
    assert_eq!(log.held().len(), 1, "the firing of two more is on its way");
    let mut new = Node::leading(&HeldLog::over(&memory), start(2, &clock));
    new.settle();
    assert_eq!(runs(&new).len(), 5);
    log.answer_all();
    old.settle();
    new.pass_us(20 * SECOND_US);
    let expected: Vec<_> = (0..10).map(|number| (number, 1)).collect();
    assert_eq!(runs(&new), expected);
    let told = history(&memory);
    assert_eq!(rows(&told.store), rows(&*new.state()));
}

#[test]
fn a_cancelled_timer_does_not_fire_even_when_it_is_due() {
    let log = HeldLog::new();
    let mut node = Node::leading(&log, start(1, &Clock::new()));
    let cancel = |node: &mut Node, armed: &Pending| {
        let timer = TimerId::parse(&armed.outcome().body).unwrap();
        node.work(Box::new(move |tx| {
            tx.cancel_timer(timer)?;
            Ok(Vec::new())
        }))
    };
    let early = arm(&mut node, vec![("note", 1, SECOND_US)]);
    let in_time = arm(&mut node, vec![("note", 2, SECOND_US)]);
    let late = arm(&mut node, vec![("note", 3, SECOND_US)]);
    node.settle();
    cancel(&mut node, &early);
    node.settle();
    log.hold();
    cancel(&mut node, &in_time);
    node.settle();
    node.clock.pass_us(SECOND_US);
    node.settle();
    cancel(&mut node, &late);
    while node.turn() || !log.held().is_empty() {
        log.answer_all();
    }
    assert_eq!(runs(&node), [(3, 1)], "the third was cancelled after it had fired");
    assert_eq!(armed(&node), 0);
}

#[test]
fn p19_an_unknown_handler_is_parked_until_somebody_knows_it() {
    let memory = MemoryLog::new();
    let clock = Clock::new();
    let mut node = Node::leading(&HeldLog::over(&memory), start(1, &clock));
    arm(&mut node, vec![("tomorrow's", 1, SECOND_US), ("note", 2, SECOND_US)]);
    node.settle();
    for _ in 0..5 {
        node.pass_us(SECOND_US);
    }
    assert_eq!(runs(&node), [(2, 1)]);
    assert_eq!(node.engine.metrics().timers_fired.get(), 2, "it is not tried over and over");
    node.kill();
    let mut knowing = start(2, &clock);
    knowing.config.timers.push(("tomorrow's", note.into()));
    let mut node = Node::leading(&HeldLog::over(&memory), knowing);
    node.settle();
    assert_eq!(runs(&node), [(1, 1), (2, 1)]);
    assert_eq!(armed(&node), 0);
}

#[test]
fn a_handler_that_panics_or_aborts_is_parked_without_a_trace_and_harms_nobody() {
    let log = HeldLog::new();
    let mut node = Node::leading(&log, start(1, &Clock::new()));
    arm(&mut node, vec![("panic", 1, 5), ("abort", 2, 5), ("note", 3, 5)]);
    let bystander = node.op("open", &Op::Open { account: 50, balance: 1 });
    node.settle();
    node.pass_us(5);
    node.pass_us(SECOND_US);
    assert_eq!(runs(&node), [(3, 1), (50, 1)]);
    assert_eq!(bystander.outcome().decision, Decision::Done);
    assert_eq!(armed(&node), 2, "they stay where they are");
    let metrics = node.engine.metrics();
    assert_eq!((metrics.panicked.get(), metrics.aborted.get()), (1, 1));
}

#[test]
fn thousands_due_at_once_all_fire_and_parked_ones_do_not_block_them() {
    let log = HeldLog::new();
    let mut node = Node::leading(&log, start(1, &Clock::new()));
    for batch in 0..10u64 {
        let numbers = batch * 500..(batch + 1) * 500;
        let name = |number: u64| if number < 1_500 { "nobody's" } else { "note" };
        let due = SECOND_US - node.clock.now().monotonic_us % SECOND_US;
        arm(&mut node, numbers.map(|number| (name(number), number, due)).collect());
    }
    node.settle();
    node.pass_us(2 * SECOND_US);
    node.pass_us(SECOND_US);
    assert_eq!(runs(&node).len(), 3_500);
    assert!(runs(&node).iter().all(|(number, runs)| *number >= 1_500 && *runs == 1));
    assert_eq!(node.engine.metrics().timers_fired.get(), 5_000, "each was looked at once");
    assert_eq!(armed(&node), 1_500);
}

#[test]
fn a_timer_armed_for_the_past_fires_as_soon_as_can_be() {
    let log = HeldLog::new();
    let mut node = Node::leading(&log, start(1, &Clock::new()));
    let asked = node.work(Box::new(|tx| {
        tx.arm_timer(LogTime::ZERO, "note", &1u64)?;
        Ok(Vec::new())
    }));
    node.settle();
    node.pass_us(1);
    assert_eq!(runs(&node), [(1, 1)]);
    assert!(seen_at(&node, 1) > asked.outcome().time);
}

#[test]
fn a_handler_may_arm_the_next_timer() {
    fn again(tx: &mut Tx<'_>, payload: &[u8]) -> Result<(), Abort> {
        note(tx, payload)?;
        tx.arm_timer(tx.now().plus_us(SECOND_US), "again", &u64::parse(payload).unwrap())?;
        Ok(())
    }
    let clock = Clock::new();
    let mut with_again = start(1, &clock);
    with_again.config.timers.push(("again", again.into()));
    let mut node = Node::leading(&HeldLog::new(), with_again);
    arm(&mut node, vec![("again", 1, SECOND_US)]);
    node.settle();
    for _ in 0..20 {
        node.pass_us(SECOND_US);
    }
    assert_eq!((runs(&node), armed(&node)), (vec![(1, 20)], 1));
}
