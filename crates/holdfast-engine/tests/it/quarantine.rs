//! What may have killed the process is evaluated alone, then not at all (P21).

use std::sync::{Arc, Mutex};

use holdfast_engine::{Config, Failure, Fingerprint, Quarantine, Suspects, Witness};
use holdfast_log::LogError;
use holdfast_state::{
    Abort, Namespace, Read as _, Scan, Table as _, Tx, key::after_prefix, row::Row as _,
    table::stored_key, timer::Timers,
};

use crate::{
    held::HeldLog,
    node::{Ask, Node, Pending, Start, config},
    toy::{Accounts, Op, balances},
};

/// What is named now, and every group that was.
#[derive(Clone, Debug, Default)]
struct Notes(Arc<Mutex<Noted>>);

#[derive(Debug, Default)]
struct Noted {
    now: Vec<Fingerprint>,
    groups: Vec<Vec<Fingerprint>>,
}

impl Witness for Notes {
    fn evaluating(&mut self, fingerprints: &[Fingerprint]) {
        let mut notes = self.0.lock().unwrap();
        notes.now = fingerprints.to_vec();
        if !fingerprints.is_empty() {
            notes.groups.push(fingerprints.to_vec());
        }
    }

    fn remember(&mut self, _: &Suspects) {}
}

impl Notes {
    fn now(&self) -> Vec<Fingerprint> {
        self.0.lock().unwrap().now.clone()
    }

    /// The groups that were named since this was last asked.
    fn groups(&self) -> Vec<Vec<Fingerprint>> {
        std::mem::take(&mut self.0.lock().unwrap().groups)
    }

    fn suspecting(&self, suspects: &[(u8, u32)]) -> Quarantine {
        let suspects = suspects.iter().map(|(number, deaths)| (print(*number), *deaths));
        Quarantine::new(Suspects::remembered(suspects), Box::new(self.clone()))
    }
}

fn print(number: u8) -> Fingerprint {
    Fingerprint([number; 16])
}

fn prints(groups: &[&[u8]]) -> Vec<Vec<Fingerprint>> {
    groups.iter().map(|group| group.iter().copied().map(print).collect()).collect()
}

fn open(number: u8) -> Ask {
    let open = Op::Open { account: u64::from(number), balance: 1 };
    Ask::of(open.work(&number.to_string())).known_as(number)
}

fn submit_all(node: &mut Node, numbers: std::ops::Range<u8>) -> Vec<Pending> {
    numbers.map(|number| node.submit(open(number))).collect()
}

#[test]
fn p21_a_suspect_is_evaluated_alone_and_acquitted_and_one_in_quarantine_never_runs() {
    let (log, notes) = (HeldLog::new(), Notes::default());
    let quarantine = notes.suspecting(&[(3, 1), (5, 2)]);
    let mut node = Node::leading(&log, Start { quarantine, ..Start::default() });
    let asked = submit_all(&mut node, 1..9);
    node.settle();
    assert_eq!(notes.groups(), prints(&[&[1, 2], &[3], &[4], &[6, 7, 8]]));
    for (number, asked) in (1..9).zip(&asked) {
        if number == 5 {
            assert_eq!(asked.failure(), Failure::Quarantined { fingerprint: print(5) });
        } else {
            assert_eq!(asked.body(), format!("opened {number}"));
        }
    }
    assert_eq!(balances(&*node.state()).len(), 7);
    assert_eq!(node.engine.metrics().quarantined.get(), 1);
    submit_all(&mut node, 1..9);
    node.settle();
    assert_eq!(notes.groups(), prints(&[&[1, 2, 3, 4], &[6, 7, 8]]), "3 has survived");
}

#[test]
fn p21_nothing_is_named_any_more_when_an_entry_is_sent_or_nothing_runs() {
    let (log, notes) = (HeldLog::new(), Notes::default());
    // Batches so small that a group is evaluated in pieces.
    let small = Config { batch_bytes: 400, ..config() };
    let quarantine = notes.suspecting(&[]);
    let mut node = Node::leading(&log, Start { config: small, quarantine, ..Start::default() });
    log.hold();
    let asked = submit_all(&mut node, 1..40);
    while node.turn() || !log.held().is_empty() {
        assert_eq!(notes.now(), []);
        log.answer_all();
    }
    assert!(asked.iter().all(|asked| !asked.is_open()), "what was taken out is evaluated");
    assert_eq!(balances(&*node.state()).len(), 39);
    assert!(notes.groups().iter().all(|group| group.len() <= 16));
}

#[test]
fn what_was_taken_out_and_not_evaluated_is_refused_when_the_partition_stops() {
    let (log, notes) = (HeldLog::new(), Notes::default());
    let small = Config { batch_bytes: 400, ..config() };
    let quarantine = notes.suspecting(&[]);
    let mut node = Node::leading(&log, Start { config: small, quarantine, ..Start::default() });
    log.hold();
    let asked = submit_all(&mut node, 1..40);
    node.turn();
    let failed = log.held()[0];
    log.fail(failed, LogError::Stopped { reason: "a test's will".to_owned() });
    node.settle();
    assert!(asked.iter().all(|asked| asked.answer().is_some_and(|answer| answer.is_err())));
    let unavailable = |asked: &&Pending| matches!(asked.failure(), Failure::Unavailable { .. });
    assert!(asked.iter().filter(unavailable).count() > 30);
}

fn count_up(tx: &mut Tx<'_>, payload: &[u8]) -> Result<(), Abort> {
    let number = u64::parse(payload).expect("the test wrote it");
    let runs = tx.get::<Accounts>(number)?.unwrap_or(0);
    tx.put::<Accounts>(number, &(runs + 1))
}

#[test]
fn p21_a_timer_in_quarantine_stays_where_it_is_and_the_others_fire() {
    let (log, notes) = (HeldLog::new(), Notes::default());
    let handlers = || Config { timers: vec![("count", count_up.into())], ..config() };
    let quarantine = notes.suspecting(&[]);
    let start = Start { config: handlers(), quarantine, ..Start::default() };
    let clock = start.clock.clone();
    let mut node = Node::leading(&log, start);
    node.work(Box::new(|tx| {
        for number in 1..=3u64 {
            tx.arm_timer(tx.now().plus_us(1_000), "count", &number)?;
        }
        Ok(Vec::new())
    }));
    node.settle();
    log.hold();
    node.pass_us(1_000);
    let fired = notes.groups().concat();
    assert_eq!(fired.len(), 3, "timers are named like everyone else");
    node.kill();
    let log = HeldLog::over(log.entries());
    let suspects = Suspects::remembered([(fired[1], 2)]);
    let quarantine = Quarantine::new(suspects, Box::new(notes));
    let start = Start { config: handlers(), quarantine, clock, seed: 2, ..Start::default() };
    let mut node = Node::leading(&log, start);
    node.pass_us(1_000_000);
    assert_eq!(balances(&*node.state()).into_keys().collect::<Vec<_>>(), [1, 3]);
    assert_eq!(node.engine.metrics().quarantined.get(), 1);
    let all = after_prefix(&stored_key(Namespace::SYSTEM, Timers::ID, &())).unwrap();
    let from = stored_key(Namespace::SYSTEM, Timers::ID, &());
    assert_eq!(node.state().scan(&from, &all, Scan::up(9)).unwrap().len(), 1, "it is parked");
}
