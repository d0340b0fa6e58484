//! Queues are bounded, refusals come at once, and nobody is starved.

use holdfast_engine::{Config, Decision, Failure};
use holdfast_state::{Read as _, Scan};

use crate::{
    held::HeldLog,
    node::{Ask, Node, Pending, Start, config},
    toy::{Accounts, Op, balances},
};

fn open(account: u64) -> Op {
    Op::Open { account, balance: 1 }
}

#[test]
fn p8_with_the_log_held_and_ten_times_as_much_offered_the_rest_is_refused_at_once() {
    const ROOM: u64 = 100;
    let log = HeldLog::new();
    let bounded = Config { waiting_max: 100, batch_bytes: 2_000, ..config() };
    let mut node = Node::leading(&log, Start { config: bounded, ..Start::default() });
    log.hold();
    let mut asked = Vec::new();
    for number in 0..ROOM * 10 {
        let pending = node.op(&format!("op-{number}"), &open(number));
        let refused = node.engine.metrics().overloaded.get();
        node.settle();
        if node.engine.metrics().overloaded.get() > 0 && refused > 0 {
            assert_eq!(pending.failure(), Failure::Overloaded, "refused in the same turn");
        }
        assert!(node.engine.metrics().waiting.get() <= ROOM);
        asked.push(pending);
    }
    let refused = asked.iter().filter(|asked| !asked.is_open()).count() as u64;
    assert_eq!(node.engine.metrics().overloaded.get(), refused);
    assert!((700..900).contains(&refused), "{refused} of 1000");
    while node.turn() || !log.held().is_empty() {
        log.answer_all();
    }
    let done = asked.iter().filter(|asked| matches!(asked.answer(), Some(Ok(_)))).count() as u64;
    assert_eq!(done, ROOM * 10 - refused, "what was admitted is finished");
    assert_eq!(balances(&*node.state()).len() as u64, done);
}

#[test]
fn p8_answers_that_wait_for_the_log_are_bounded_even_if_they_write_nothing() {
    let log = HeldLog::new();
    let bounded = Config { waiting_max: 100, ..config() };
    let mut node = Node::leading(&log, Start { config: bounded, ..Start::default() });
    log.hold();
    let write = node.keyed("k", &open(1));
    node.settle();
    let mut asked: Vec<Pending> = Vec::new();
    for number in 0..2_000 {
        asked.push(match number % 3 {
            0 => node.op("total", &Op::Total),
            1 => node.op("refused", &Op::Transfer { from: 5, to: 1, amount: 1 }),
            _ => node.keyed("k", &open(1)),
        });
        node.settle();
    }
    let open = asked.iter().filter(|asked| asked.is_open()).count();
    assert!((100..=300).contains(&open), "{open} answers wait although the log stands still");
    while node.turn() || !log.held().is_empty() {
        log.answer_all();
    }
    assert_eq!(write.outcome().decision, Decision::Done);
    let answered = asked.iter().filter(|asked| matches!(asked.answer(), Some(Ok(_)))).count();
    assert_eq!(answered, open, "what was admitted is finished");
}

#[test]
fn p8_what_is_durable_and_not_applied_is_bounded_and_so_are_the_answers_behind_it() {
    let log = HeldLog::new();
    let bounded = Config { waiting_max: 50, entries_unapplied_max: 4, ..config() };
    let mut node = Node::leading(&log, Start { config: bounded, ..Start::default() });
    node.hold_applies = true;
    let mut asked = vec![node.op("write", &open(1))];
    node.settle();
    for _ in 0..500 {
        asked.push(node.op("total", &Op::Total));
        node.settle();
    }
    let admitted = asked.iter().filter(|asked| asked.is_open()).count();
    assert!((50..=101).contains(&admitted), "{admitted} wait for one batch to be applied");
    node.hold_applies = false;
    node.settle();
    node.hold_applies = true;
    let evaluated = node.engine.metrics().evaluated.get();
    for number in 100..200 {
        asked.push(node.op("write", &open(number)));
        node.settle();
    }
    let evaluated = node.engine.metrics().evaluated.get() - evaluated;
    assert!(evaluated <= 8, "{evaluated} entries although the state stands still");
    node.hold_applies = false;
    node.settle();
    assert!(asked.iter().all(|asked| !asked.is_open()));
}

#[test]
fn deadlines_are_looked_at_before_evaluation() {
    let log = HeldLog::new();
    let mut node = Node::leading(&log, Start::default());
    let now = node.clock.now().monotonic_us;
    let in_time = node.submit(Ask::of(open(1).work("a")).until_us(now + 100));
    let late = node.submit(Ask::of(open(2).work("b")).until_us(now + 99));
    node.clock.pass_us(99);
    let evaluated = node.engine.metrics().evaluated.get();
    node.settle();
    assert_eq!(in_time.outcome().decision, Decision::Done);
    assert_eq!(late.failure(), Failure::Deadline);
    assert_eq!(node.engine.metrics().evaluated.get() - evaluated, 1, "the other was not evaluated");
    assert_eq!(node.engine.metrics().too_late.get(), 1);
}

#[test]
fn p8_work_that_was_evaluated_is_finished_although_its_deadline_passes() {
    let log = HeldLog::new();
    let mut node = Node::leading(&log, Start::default());
    log.hold();
    let now = node.clock.now().monotonic_us;
    let asked = node.submit(Ask::of(open(1).work("a")).until_us(now + 100));
    node.settle();
    node.pass_us(1_000_000);
    log.answer_all();
    node.settle();
    assert_eq!(asked.outcome().decision, Decision::Done);
}

#[test]
fn p22_a_busy_tenant_slows_itself_and_not_the_others() {
    let log = HeldLog::new();
    let mut node = Node::leading(&log, Start::default());
    let scan = || {
        Box::new(|tx: &mut holdfast_state::Tx<'_>| {
            tx.scan::<Accounts>(&(), Scan::up(1_000))?;
            Ok(b"busy".to_vec())
        })
    };
    for account in 0..500 {
        node.submit(Ask::of(open(account).work("fill")).in_namespace(1));
    }
    node.settle();
    node.replies.lock().unwrap().clear();
    for _ in 0..1_000 {
        node.submit(Ask::of(scan()).in_namespace(1));
    }
    let quiet: Vec<_> = (0..100)
        .map(|number| {
            let work = Box::new(|_: &mut holdfast_state::Tx<'_>| Ok(b"quiet".to_vec()));
            node.submit(Ask::of(work).in_namespace(2 + number % 2))
        })
        .collect();
    while quiet.iter().any(Pending::is_open) {
        node.turn();
    }
    let replies = node.replies.lock().unwrap().clone();
    let last = replies.iter().rposition(|reply| reply == "quiet").unwrap();
    let busy = last + 1 - quiet.len();
    assert!(busy < 10, "{busy} large scans went before 100 small requests of others");
}

#[test]
fn p22_timers_go_before_what_tenants_ask() {
    let log = HeldLog::new();
    let mut node = Node::leading(&log, Start::default());
    node.op("open", &Op::Open { account: 1, balance: 10 });
    node.op("hold", &Op::Hold { from: 1, amount: 10, for_us: 1_000 });
    node.settle();
    for _ in 0..1_000 {
        node.op("total", &Op::Total);
    }
    let last = node.op("spend", &Op::Transfer { from: 1, to: 2, amount: 10 });
    let early = node.submit(Ask::of(Op::Transfer { from: 1, to: 3, amount: 10 }.work("x")));
    node.clock.pass_us(1_001);
    node.turn();
    assert_eq!(node.engine.metrics().timers_fired.get(), 1);
    node.settle();
    assert_eq!(last.body(), "1=0 2=10", "the hold was given back first");
    assert_eq!(early.outcome().decision, Decision::Refused);
}
