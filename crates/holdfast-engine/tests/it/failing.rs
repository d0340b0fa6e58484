//! Transactions that fail leave no trace and harm nobody else.

use holdfast_engine::{Config, Decision, Failure};
use holdfast_log::MemoryLog;
use holdfast_state::{Abort, LogTime, Read as _, Stop, Tx};

use crate::{
    held::HeldLog,
    history::{entries, history, rows},
    node::{Node, Start, config},
    toy::{Accounts, Op, Ran, balances},
};

fn open(account: u64, balance: i64) -> Op {
    Op::Open { account, balance }
}

/// Writes, deletes, deletes a range, arms a timer, and then ends as `how` says.
fn spoils_everything(tx: &mut Tx<'_>, how: fn() -> Ran) -> Ran {
    tx.put::<Accounts>(1, &-5)?;
    tx.put::<Accounts>(77, &77)?;
    tx.delete::<Accounts>(2)?;
    tx.delete_prefix::<Accounts>(&())?;
    tx.put::<Accounts>(3, &3)?;
    tx.arm_timer(LogTime::MAX, "toy.give_back", &(1u64, 1i64))?;
    how()
}

fn panics() -> Ran {
    std::panic::resume_unwind(Box::new("the transaction's own bug".to_owned()))
}

fn aborts() -> Ran {
    Err(Stop::Aborted(Abort::TooLarge { what: "patience", limit: 0 }))
}

fn refuses() -> Ran {
    Err(Stop::Refused(b"no".to_vec()))
}

/// Neither with everything in flight, nor with everything applied, does it leave a trace.
fn leaves_no_trace(how: fn() -> Ran, in_flight: bool) {
    let log = HeldLog::new();
    let mut node = Node::leading(&log, Start::default());
    node.op("open 1", &open(1, 10));
    node.op("open 2", &open(2, 20));
    if in_flight {
        log.hold();
    }
    node.settle();
    let before = node.op("before", &open(4, 4));
    let spoiler = node.work(Box::new(move |tx| spoils_everything(tx, how)));
    let after = node.op("after", &Op::Transfer { from: 1, to: 2, amount: 10 });
    let total = node.op("total", &Op::Total);
    while node.turn() || !log.held().is_empty() {
        if !log.held().is_empty() {
            log.answer_all();
        }
    }
    match spoiler.answer().unwrap() {
        Ok(outcome) => assert_eq!(outcome.decision, Decision::Refused),
        Err(Failure::Panicked { message }) => assert_eq!(message, "the transaction's own bug"),
        Err(Failure::Aborted(abort)) => assert!(matches!(abort, Abort::TooLarge { .. })),
        Err(other) => panic!("{other}"),
    }
    assert_eq!(before.outcome().decision, Decision::Done);
    assert_eq!((after.body(), total.body()), ("1=0 2=30".to_owned(), "34".to_owned()));
    let expected = [(1, 0), (2, 30), (4, 4)].into();
    assert_eq!(balances(&*node.state()), expected);
    let told = history(log.entries());
    assert_eq!(told.changes.len(), 4);
    assert_eq!(rows(&told.store), rows(&*node.state()));
}

#[test]
fn p21_a_panic_leaves_no_trace_and_harms_nobody() {
    leaves_no_trace(panics, false);
    leaves_no_trace(panics, true);
}

#[test]
fn p21_an_abort_leaves_no_trace() {
    leaves_no_trace(aborts, false);
    leaves_no_trace(aborts, true);
}

#[test]
fn a_refusal_leaves_no_trace() {
    leaves_no_trace(refuses, false);
    leaves_no_trace(refuses, true);
}

type Exceeds = fn(&mut Tx<'_>) -> Ran;

#[test]
fn p21_each_budget_ends_a_transaction_that_exceeds_it() {
    let log = HeldLog::new();
    let mut bounded = config();
    bounded.budget = holdfast_state::Budget {
        reads_max: 50,
        writes_max: 20,
        read_bytes_max: 1_000,
        write_bytes_max: 2_000,
    };
    let mut node = Node::leading(&log, Start { config: bounded, ..Start::default() });
    let cases: [(&str, Exceeds); 3] = [
        ("reads", |tx| {
            loop {
                tx.get::<Accounts>(1)?;
            }
        }),
        ("writes", |tx| {
            loop {
                tx.put::<Accounts>(1, &1)?;
            }
        }),
        ("bytes written", |tx| {
            tx.put::<crate::toy::Events>(1, &"x".repeat(1_990))?;
            tx.put::<Accounts>(1, &1)?;
            Ok(Vec::new())
        }),
    ];
    for (what, work) in cases {
        let asked = node.work(Box::new(work));
        node.settle();
        match asked.failure() {
            Failure::Aborted(Abort::TooLarge { what: found, .. }) => assert_eq!(found, what),
            other => panic!("{what}: {other}"),
        }
    }
    assert!(rows(&*node.state()).is_empty());
    assert_eq!(node.engine.metrics().aborted.get(), 3);
}

#[test]
fn p8_no_entry_exceeds_what_the_log_takes_whatever_is_asked() {
    const LARGEST: usize = 16 << 10;
    let memory = MemoryLog::with_max_entry_bytes(LARGEST);
    let log = HeldLog::over(&memory);
    let fitted = config().fitted_to(&holdfast_log::Log::properties(&log));
    let mut node = Node::leading(&log, Start { config: fitted, ..Start::default() });
    log.hold();
    let asked: Vec<_> = (0..200u64)
        .map(|number| {
            let size = usize::try_from(number * 97 % 20_000).unwrap();
            node.work(Box::new(move |tx| {
                tx.put::<crate::toy::Events>(number, &"x".repeat(size))?;
                Ok(Vec::new())
            }))
        })
        .collect();
    while node.turn() || !log.held().is_empty() {
        log.answer_all();
    }
    assert_eq!(node.stopped, None, "the log took every entry");
    let largest = entries(&memory).iter().map(bytes::Bytes::len).max().unwrap();
    assert!((LARGEST / 4..=LARGEST).contains(&largest), "{largest}");
    let (mut done, mut aborted) = (0, 0);
    for asked in asked {
        match asked.answer().unwrap() {
            Ok(_) => done += 1,
            Err(Failure::Aborted(Abort::TooLarge { .. })) => aborted += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert!(done > 50 && aborted > 50, "{done} done, {aborted} too large");
}

#[test]
fn p8_many_tiny_writes_are_counted_with_their_framing() {
    const LARGEST: usize = 16 << 10;
    let memory = MemoryLog::with_max_entry_bytes(LARGEST);
    let log = HeldLog::over(&memory);
    let small = Config { batch_bytes: usize::MAX, ..config() };
    let fitted = small.fitted_to(&holdfast_log::Log::properties(&log));
    let mut node = Node::leading(&log, Start { config: fitted, ..Start::default() });
    log.hold();
    for _ in 0..5_000 {
        node.work(Box::new(|tx| {
            tx.put_stored(&[9], &[])?;
            Ok(Vec::new())
        }));
    }
    while node.turn() || !log.held().is_empty() {
        log.answer_all();
    }
    assert_eq!(node.stopped, None);
    assert_eq!(node.engine.metrics().applied.get(), 5_000);
}

#[test]
fn work_that_passes_over_an_abort_is_not_committed() {
    let log = HeldLog::new();
    let mut bounded = config();
    bounded.budget.writes_max = 1;
    let mut node = Node::leading(&log, Start { config: bounded, ..Start::default() });
    let half = node.work(Box::new(|tx| {
        tx.put::<Accounts>(1, &1)?;
        assert!(tx.put::<Accounts>(2, &2).is_err());
        Ok(Vec::new())
    }));
    node.settle();
    let failure = half.failure();
    assert_eq!(failure, Failure::Aborted(Abort::TooLarge { what: "writes", limit: 1 }));
    assert!(rows(&*node.state()).is_empty());
}
