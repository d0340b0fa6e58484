//! The power goes at every single IO operation: of the log, of snapshots, and of recovery itself.
//!
//! A script of requests, duplicates, refusals, timers, rolls, snapshots and trims runs until the
//! disk ends it. What is found afterwards must hold all that was acknowledged, and retrying every
//! request under its key must give exactly one effect each.

use holdfast_engine::{Answer, Decision, Outcome};
use holdfast_log::{
    FaultDisk,
    disk::{Crash, Fault},
};

use crate::{
    history::rows,
    instance::{must_open, open},
    node::{Clock, Node, Pending},
    toy::{Op, balances, effects},
};

/// A step of the script.
enum Step {
    /// Asks all of these together.
    Ask(Vec<(&'static str, Op)>),
    Pass(u64),
}

const SECOND_US: u64 = 1_000_000;

/// Money that the script brings into the world.
const OPENED: i64 = 600;

fn script() -> Vec<Step> {
    let open = |account, balance| Op::Open { account, balance };
    let pay = |from, to, amount| Op::Transfer { from, to, amount };
    let hold = |from, amount, for_us| Op::Hold { from, amount, for_us };
    let mut steps = vec![
        Step::Ask(vec![("o1", open(1, 100)), ("o2", open(2, 200)), ("o3", open(3, 300))]),
        Step::Ask(vec![("p1", pay(1, 2, 60))]),
        Step::Ask(vec![("p1", pay(1, 2, 60)), ("r1", pay(1, 2, 60)), ("p2", pay(2, 3, 10))]),
        Step::Ask(vec![("h1", hold(3, 50, SECOND_US)), ("h2", hold(2, 20, 3 * SECOND_US))]),
        Step::Pass(SECOND_US),
        Step::Ask(vec![("p3", pay(3, 1, 5)), ("p3", pay(3, 1, 5))]),
        Step::Ask(vec![("p4", pay(1, 3, 1)), ("r2", pay(9, 1, 1)), ("p5", pay(2, 1, 2))]),
        Step::Pass(SECOND_US),
        Step::Ask(vec![("p6", pay(3, 2, 30))]),
        Step::Ask(vec![("p1", pay(1, 2, 60)), ("p7", pay(2, 3, 31))]),
        Step::Pass(2 * SECOND_US),
        Step::Ask(vec![("p8", pay(1, 2, 3)), ("o1", open(1, 100)), ("r3", open(2, 5))]),
        Step::Ask(vec![("h3", hold(1, 4, SECOND_US))]),
        Step::Ask(vec![("p9", pay(2, 1, 7)), ("p10", pay(3, 1, 7))]),
        Step::Ask(vec![("r1", pay(1, 2, 60)), ("p11", pay(3, 2, 9)), ("p12", pay(1, 3, 2))]),
        Step::Pass(SECOND_US),
        Step::Ask(vec![("p13", pay(1, 2, 3)), ("p14", pay(2, 3, 3))]),
    ];
    let more = ["q1", "q2", "q3", "q4", "q5", "q6", "q7", "q8", "q9", "q10", "q11", "q12", "q13"];
    steps.extend(more.map(|key| Step::Ask(vec![(key, pay(2, 3, 1)), ("p2", pay(2, 3, 10))])));
    steps
}

/// What a client knows.
#[derive(Default)]
struct Client {
    asked: Vec<(&'static str, Op, Pending)>,
}

impl Client {
    /// Runs the script until its end or the partition's.
    fn run(&mut self, node: &mut Node) {
        for step in script() {
            match step {
                Step::Pass(us) => node.pass_us(us),
                Step::Ask(ops) => {
                    for (key, op) in ops {
                        let pending = node.keyed(key, &op);
                        self.asked.push((key, op, pending));
                    }
                    node.settle();
                }
            }
            if node.stopped.is_some() {
                return;
            }
        }
    }

    fn acknowledged(&self) -> usize {
        self.asked.iter().filter(|(.., pending)| matches!(pending.answer(), Some(Ok(_)))).count()
    }

    /// Asks everything again, under the same keys, of the partition that was found.
    fn audit(&self, disk: &FaultDisk, clock: &Clock) {
        let mut node = must_open(disk, 1_000, clock);
        for (key, op, pending) in &self.asked {
            let again = node.keyed(key, op);
            node.settle();
            if let Some(Ok(first)) = pending.answer() {
                same(key, &first, &again.outcome());
            }
            let done = u64::from(again.outcome().decision == Decision::Done);
            assert_eq!(effects(&*node.state(), key), done, "{key} has one effect");
        }
        for _ in 0..10 {
            node.pass_us(SECOND_US);
        }
        let balances = balances(&*node.state());
        assert_eq!(balances.get(&0).copied().unwrap_or(0), 0, "every hold was given back once");
        let opened = self.asked.iter().any(|(key, ..)| *key == "o3");
        let expected = if opened { OPENED } else { 0 };
        assert_eq!(balances.values().sum::<i64>(), expected, "no money is made or lost");
        let before = rows(&*node.state());
        node.stop();
        node.close().unwrap();
        assert_eq!(rows(&*must_open(disk, 1_001, clock).state()), before);
    }
}

fn same(key: &str, first: &Outcome, again: &Outcome) {
    assert!(again.replayed, "{key} was acknowledged as {} and is not known", first.version);
    assert_eq!(
        (first.decision, &first.body, first.version, first.time),
        (again.decision, &again.body, again.version, again.time),
        "{key}"
    );
}

/// Runs the script with one fault; gives what the client knows and the disk as it is then.
fn run_with(fault: Option<(u64, Fault)>) -> (Client, FaultDisk, Clock) {
    let (disk, clock) = (FaultDisk::new(), Clock::new());
    if let Some((io, fault)) = fault {
        disk.fail_at(io, fault);
    }
    let mut client = Client::default();
    if let Ok(mut node) = open(&disk, 1, &clock) {
        client.run(&mut node);
        if node.stopped.is_none() {
            node.stop();
        }
        // With the power off nothing more is written, and that is what is looked at.
        drop(node.close());
    }
    (client, disk, clock)
}

const CRASHES: [Crash; 3] = [Crash::Kept, Crash::Lost, Crash::Torn(77)];

/// How many operations the script takes, and that it does what it is meant to.
fn ios_of_the_script() -> u64 {
    let (client, disk, _) = run_with(None);
    assert_eq!(client.acknowledged(), client.asked.len());
    let names = disk.files();
    assert!(names.iter().filter(|name| name.starts_with("snapshots-")).count() == 2, "{names:?}");
    assert!(!names.contains(&"log-000000000001.segment".to_owned()), "trimmed: {names:?}");
    disk.ios()
}

#[test]
fn the_power_goes_at_every_io() {
    let ios = ios_of_the_script();
    assert!(ios >= 150, "the script has {ios} operations");
    let (mut acknowledged, mut cut) = (0, 0);
    for io in 0..ios {
        let (client, disk, clock) = run_with(Some((io, Fault::PowerCut)));
        // The log's thread gathers as it comes to it: a run may take fewer operations.
        assert!(disk.is_off() || disk.ios() <= io, "the power did not go at {io}");
        cut += u64::from(disk.is_off());
        assert!(client.acknowledged() >= acknowledged / 2, "more and more is acknowledged");
        acknowledged = acknowledged.max(client.acknowledged());
        for crash in CRASHES {
            client.audit(&disk.crash(crash), &clock);
        }
    }
    assert!(acknowledged > 25);
    assert!(cut >= ios * 9 / 10, "the power went at {cut} of {ios} operations");
}

#[test]
fn the_power_goes_again_at_every_io_of_recovery() {
    const FIRST_CRASHES: u64 = 40;
    let ios = ios_of_the_script();
    for index in 0..FIRST_CRASHES {
        let io = ios * (2 * index + 1) / (2 * FIRST_CRASHES);
        let (client, disk, clock) = run_with(Some((io, Fault::PowerCut)));
        for first in [Crash::Lost, Crash::Torn(io)] {
            let crashed = disk.crash(first);
            for again in 0.. {
                let recovering = crashed.crash(Crash::Kept);
                recovering.fail_at(again, Fault::PowerCut);
                let led = open(&recovering, 2, &clock).is_ok_and(|node| node.led.is_some());
                let undisturbed = !recovering.is_off();
                assert!(led || !undisturbed, "at {io}, then at {again}");
                let second = if again % 2 == 0 { Crash::Lost } else { Crash::Torn(again) };
                client.audit(&recovering.crash(second), &clock);
                if undisturbed {
                    break;
                }
            }
        }
    }
}

#[test]
fn every_operation_fails_once_and_what_was_acknowledged_is_found_again() {
    let ios = ios_of_the_script();
    let mut stopped = 0;
    for fault in [Fault::LostSync, Fault::NoSpace, Fault::Error] {
        for io in 0..ios {
            let (client, disk, clock) = run_with(Some((io, fault)));
            let mut failed = false;
            for (key, _, pending) in &client.asked {
                let answer: Answer = pending.answer().expect("everyone is answered");
                failed |= answer.is_err();
                assert!(!(failed && answer.is_ok()), "{key} was acknowledged after a failure");
            }
            stopped += u64::from(failed);
            client.audit(
                &disk.crash(if io % 2 == 0 { Crash::Lost } else { Crash::Torn(io) }),
                &clock,
            );
        }
    }
    assert!(stopped > ios, "most failures end the partition: {stopped}");
}
