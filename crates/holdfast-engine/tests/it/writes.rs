//! The life of a write: one order, durable before it is told, gathered while the disk is busy.

use std::sync::{Arc, Mutex};

use holdfast_engine::{Config, Decision, request::Work};
use holdfast_state::{
    Abort, Namespace, Stop,
    instrument::{Family, Instrument, Shown, Source},
};

use crate::{
    held::HeldLog,
    history::{history, rows},
    node::{Ask, Node, Start, config},
    toy::{Accounts, Model, Op, Ran, balances},
};

fn open(account: u64, balance: i64) -> Op {
    Op::Open { account, balance }
}

fn transfer(from: u64, to: u64, amount: i64) -> Op {
    Op::Transfer { from, to, amount }
}

#[test]
fn answers_agree_with_a_naive_model_and_versions_are_dense() {
    let log = HeldLog::new();
    let mut node = Node::leading(&log, Start::default());
    let mut model = Model::default();
    let mut version = 0;
    for step in 0..300u64 {
        let op = match step % 7 {
            0 => open(step % 5, 100),
            1 | 3 => transfer(step % 5, (step + 2) % 5, i64::try_from(step % 60).unwrap()),
            2 => transfer(step % 5, (step + 1) % 5, 35),
            4 => Op::Total,
            5 => Op::Hold { from: step % 5, amount: 1, for_us: u64::MAX },
            _ => transfer((step + 3) % 5, step % 5, 8),
        };
        let asked = node.op(&format!("op-{step}"), &op);
        if step % 3 == 0 {
            node.settle();
        }
        node.settle();
        let (done, body) = model.ask(&op, asked.outcome().time);
        let decision = if done { Decision::Done } else { Decision::Refused };
        assert_eq!((asked.outcome().decision, asked.body()), (decision, body), "{op:?}");
        if done && op != Op::Total {
            version += 1;
        }
        assert_eq!(asked.version(), version, "{op:?}");
    }
    assert_eq!(balances(&*node.state()), model.balances);
    let told = history(log.entries());
    assert_eq!(told.changes.len() as u64, version);
    assert_eq!(rows(&told.store), rows(&*node.state()), "state is what the log adds up to");
}

#[test]
fn evaluation_order_is_log_order_is_answer_order() {
    let log = HeldLog::new();
    let mut node = Node::leading(&log, Start::default());
    let evaluated = Arc::new(Mutex::new(Vec::new()));
    log.hold();
    let asked: Vec<_> = (0..40u64)
        .map(|number| {
            let order = Arc::clone(&evaluated);
            if number % 5 == 0 {
                node.turn();
            }
            node.work(Box::new(move |tx| {
                order.lock().unwrap().push(number);
                tx.put::<Accounts>(number, &1)?;
                Ok(number.to_string().into_bytes())
            }))
        })
        .collect();
    while !log.held().is_empty() {
        log.answer_all();
        node.settle();
    }
    let versions: Vec<u64> = asked.iter().map(crate::node::Pending::version).collect();
    assert_eq!(versions, (1..=40).collect::<Vec<_>>());
    assert_eq!(*evaluated.lock().unwrap(), (0..40).collect::<Vec<_>>());
    let replies: Vec<String> = (0..40).map(|number: u64| number.to_string()).collect();
    assert_eq!(*node.replies.lock().unwrap(), replies);
}

#[test]
fn p5_nothing_is_answered_or_visible_before_its_entry_is_durable() {
    let log = HeldLog::new();
    let mut node = Node::leading(&log, Start::default());
    log.hold();
    let write = node.op("a", &open(1, 10));
    node.settle();
    let [position] = log.held()[..] else { panic!("one append: {:?}", log.held()) };
    assert!(write.is_open());
    log.perform(position);
    node.settle();
    assert!(write.is_open(), "performed is not yet known to be durable");
    assert_eq!(balances(&*node.state()).get(&1), None, "P10: queries see applied state only");
    log.answer(position);
    node.settle();
    assert_eq!(write.version(), 1);
    assert_eq!(balances(&*node.state()).get(&1), Some(&10));
}

#[test]
fn p12_what_writes_nothing_waits_for_what_it_saw_and_carries_that_version() {
    let log = HeldLog::new();
    let mut node = Node::leading(&log, Start::default());
    let before = node.op("before", &Op::Total);
    node.settle();
    assert_eq!(before.version(), 0, "nothing to wait for");
    log.hold();
    let write = node.op("open", &open(1, 10));
    node.settle();
    let total = node.op("total", &Op::Total);
    let refused = node.op("too much", &transfer(1, 2, 11));
    node.settle();
    assert_eq!(log.held().len(), 1, "they bring nothing to the log");
    assert!(total.is_open() && refused.is_open(), "they saw what is not durable");
    log.answer_all();
    node.settle();
    assert_eq!((write.version(), total.version(), refused.version()), (1, 1, 1));
    assert_eq!((total.body(), refused.body()), ("10".to_owned(), "1 lacks 1".to_owned()));
    assert_eq!(refused.outcome().decision, Decision::Refused);
}

#[test]
fn p12_an_answer_that_saw_the_open_batch_waits_for_that_batch() {
    let log = HeldLog::new();
    let start =
        Start { config: Config { entries_in_flight_max: 1, ..config() }, ..Start::default() };
    let mut node = Node::leading(&log, start);
    log.hold();
    node.op("first", &open(1, 10));
    node.settle();
    let second = node.op("second", &open(2, 5));
    let total = node.op("total", &Op::Total);
    node.settle();
    log.answer_all();
    node.settle();
    assert!(second.is_open() && total.is_open(), "their batch has only just gone out");
    log.answer_all();
    node.settle();
    assert_eq!((second.version(), total.version(), total.body()), (2, 2, "15".to_owned()));
}

#[test]
fn an_answer_waits_until_a_view_shows_it() {
    let log = HeldLog::new();
    let mut node = Node::leading(&log, Start::default());
    node.hold_applies = true;
    let write = node.op("open", &open(1, 10));
    node.settle();
    let total = node.op("total", &Op::Total);
    node.settle();
    assert!(write.is_open() && total.is_open(), "durable, but a view would not show it");
    assert!(node.apply_one());
    node.settle();
    assert_eq!((write.version(), total.version()), (1, 1));
    assert_eq!(balances(&*node.state()).get(&1), Some(&10));
}

#[test]
fn group_commit_gathers_while_appends_are_in_flight() {
    let log = HeldLog::new();
    let mut node = Node::leading(&log, Start::default());
    let claim = node.engine.metrics().entries.get();
    log.hold();
    for number in 0..50 {
        node.op(&format!("op-{number}"), &open(number, 1));
        node.settle();
    }
    assert_eq!(log.held().len(), 2, "two in flight, the others gather");
    log.answer_all();
    node.settle();
    assert_eq!(log.held().len(), 1, "48 transactions are one entry");
    log.answer_all();
    node.settle();
    assert_eq!(node.engine.metrics().entries.get() - claim, 3);
    assert_eq!(node.engine.metrics().applied.get(), 50);
}

#[test]
fn p8_entries_in_flight_and_their_bytes_are_bounded() {
    let log = HeldLog::new();
    let bounded = Config { entries_in_flight_max: 3, batch_bytes: 4_000, ..config() };
    let mut node = Node::leading(&log, Start { config: bounded, ..Start::default() });
    log.hold();
    let asked: Vec<_> = (0..500).map(|n| node.op(&format!("op-{n}"), &open(n, 1))).collect();
    node.settle();
    assert_eq!(log.held().len(), 3);
    let evaluated = node.engine.metrics().evaluated.get();
    assert!(evaluated < 400, "evaluation waits when the open batch is full: {evaluated}");
    let mut largest = 0;
    while !log.held().is_empty() {
        assert!(log.held().len() <= 3);
        largest = largest.max(log.held_bytes().into_iter().max().unwrap());
        log.answer(log.held()[0]);
        node.settle();
    }
    assert!((3_000..4_400).contains(&largest), "a batch goes out when it is full: {largest}");
    assert!(asked.iter().all(|asked| asked.outcome().decision == Decision::Done));
}

#[test]
fn a_transaction_sees_its_own_namespace_only() {
    let log = HeldLog::new();
    let mut node = Node::leading(&log, Start::default());
    let ask = |number| Ask::of(open(1, 10).work("open")).in_namespace(number);
    let (first, other) = (node.submit(ask(1)), node.submit(ask(2)));
    node.settle();
    assert_eq!(first.outcome().decision, Decision::Done);
    assert_eq!(other.outcome().decision, Decision::Done, "the other's account 1 is another");
}

const ASKED: Family = Family { name: "asked", shown: Shown::Counter, about: "" };

const INSTRUMENT: Instrument =
    Instrument { labels: &["name"], families: &[ASKED], source: Source::Counted };

#[test]
fn what_is_counted_is_kept_of_every_outcome_and_of_each_once() {
    let mut node = Node::leading(&HeldLog::new(), Start::default());
    let counting = |ending: fn() -> Ran| -> Work {
        Box::new(move |tx| {
            tx.put::<Accounts>(1, &1)?;
            tx.count(&ASKED, &["a"], 2);
            ending()
        })
    };
    let asks = [
        Ask::of(counting(|| Ok(Vec::new()))).keyed("k"),
        Ask::of(counting(|| Ok(Vec::new()))).keyed("k"),
        Ask::of(counting(|| Err(Stop::Refused(Vec::new())))),
        Ask::of(counting(|| Err(Stop::Aborted(Abort::TooLarge { what: "reads", limit: 1 })))),
        Ask::of(counting(|| panic!("it breaks"))),
        Ask::of(counting(|| Ok(Vec::new()))).in_namespace(7),
    ];
    asks.into_iter().for_each(|ask| drop(node.submit(ask)));
    node.settle();
    let counted = |number| {
        let tallies = node.engine.metrics().tallies.lock();
        let (readings, others) = tallies.read(&INSTRUMENT, Namespace::new(number));
        assert_eq!(others, None);
        readings.into_iter().map(|reading| (reading.names, reading.values)).collect::<Vec<_>>()
    };
    let a = vec!["a".to_owned()];
    assert_eq!(counted(Namespace::DEFAULT.get()), [(a.clone(), vec![4])]);
    assert_eq!(counted(7), [(a, vec![2])]);
}
