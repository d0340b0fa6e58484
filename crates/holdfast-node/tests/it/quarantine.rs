//! A request that kills the process, in real processes (P21).
//!
//! What cannot be caught cannot be tried in the test's own process: the test runs its own binary
//! again, with [`a_process_that_may_die`] as the one test to run and a directory to run on.

use std::{collections::BTreeMap, path::Path, process::Command, sync::mpsc, time::Duration};

use holdfast_engine::{Asked, Fingerprint, Request, Stopped};
use holdfast_node::QuarantineFile;
use holdfast_state::Namespace;

use crate::data::Data;

const DIRECTORY: &str = "HOLDFAST_TEST_DIRECTORY";
const REQUESTS: &str = "HOLDFAST_TEST_REQUESTS";

/// The request that ends whichever process evaluates it.
const POISON: u8 = 9;

/// One life: what each request was answered, or `None` when the process died.
fn live(data: &Data, requests: &[u8]) -> Option<BTreeMap<u8, String>> {
    let requests: Vec<_> = requests.iter().map(u8::to_string).collect();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "quarantine::a_process_that_may_die", "--ignored", "--nocapture"])
        .env(DIRECTORY, &data.root)
        .env(REQUESTS, requests.join(" "))
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.contains("begun"), "{stdout}");
    let answers = stdout.lines().filter_map(|line| line.strip_prefix("answer ")?.split_once(' '));
    let answers = answers.map(|(number, answer)| (number.parse().unwrap(), answer.to_owned()));
    output.status.success().then(|| answers.collect())
}

#[test]
#[ignore = "other tests run it, as a process of its own"]
fn a_process_that_may_die() {
    let root = std::env::var(DIRECTORY).expect("it is run by other tests");
    let requests = std::env::var(REQUESTS).unwrap();
    let data = Data::at(Path::new(&root));
    let running = data.open().unwrap();
    println!("begun");
    let partition = running.node.partition();
    let (answered, answers) = mpsc::channel();
    let numbers: Vec<u8> = requests.split(' ').map(|number| number.parse().unwrap()).collect();
    for number in numbers.iter().copied() {
        let answered = answered.clone();
        partition.submit(Request {
            namespace: Namespace::DEFAULT,
            asked: Some(Asked { fingerprint: Fingerprint([number; 16]), key: None }),
            deadline_us: None,
            work: Box::new(move |_| {
                if number == POISON {
                    std::process::abort();
                }
                Ok(b"done".to_vec())
            }),
            reply: Box::new(move |answer| answered.send((number, answer)).unwrap()),
        });
    }
    for _ in &numbers {
        let (number, answer) = answers.recv_timeout(Duration::from_secs(20)).unwrap();
        let words = match answer {
            Ok(outcome) => String::from_utf8(outcome.body.to_vec()).unwrap(),
            Err(failure) => failure.to_string(),
        };
        println!("answer {number} {words}");
    }
    assert_eq!(running.node.close(), Stopped::Cleanly);
}

fn refused(answer: &str) -> bool {
    answer.contains("09090909090909090909090909090909 is in quarantine")
}

#[test]
fn p21_the_third_start_refuses_it_and_serves_others_until_an_operator_lets_it_go() {
    let data = Data::new();
    assert_eq!(live(&data, &[POISON]), None);
    assert_eq!(live(&data, &[POISON]), None);
    for _ in 0..2 {
        let answers = live(&data, &[1, POISON, 2]).expect("it lives");
        assert!(refused(&answers[&POISON]), "{answers:?}");
        assert_eq!((&*answers[&1], &*answers[&2]), ("done", "done"));
    }
    let mut file = QuarantineFile::open(&data.root).unwrap();
    assert!(file.clear(Fingerprint([POISON; 16])).unwrap());
    drop(file);
    assert!(live(&data, &[1, 2]).is_some());
    assert_eq!(live(&data, &[POISON]), None, "it was let go");
}

#[test]
fn p21_it_is_found_among_others_and_none_of_them_is_taken_for_it() {
    let data = Data::new();
    let company: Vec<u8> = (1..40).collect();
    let lives = (0..4).map(|_| live(&data, &company)).collect::<Vec<_>>();
    let last = lives.last().unwrap().as_ref().expect("three deaths are enough, wherever it stood");
    for (number, answer) in last {
        if *number == POISON {
            assert!(refused(answer), "{answer}");
        } else {
            assert_eq!(answer, "done", "{number}");
        }
    }
    assert_eq!(lives[..2], [None, None], "it was in a group at least once, or alone twice");
    let file = QuarantineFile::open(&data.root).unwrap();
    assert_eq!(file.suspects().iter().count(), 1, "the others are acquitted");
}
