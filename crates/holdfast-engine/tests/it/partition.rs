//! The real driver on its real threads: few tests, each of something that only threads can break.

use std::{
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use holdfast_engine::{
    Answer, Asked, Config, Failure, Fingerprint, Origin, Partition, Parts, Phase, Quarantine,
    Request, SnapshotKeeper, Stopped,
};
use holdfast_log::{
    FaultDisk, FileLog, FileLogOptions, Log, LogError, MemoryLog, Spare,
    disk::{Crash, Disk, Fault, Io, SlowDisk},
};
use holdfast_state::{MemoryStore, Namespace, Read as _, Scan};

use crate::{
    archive::{archive, archived},
    disks::Directory,
    held::HeldLog,
    history::history,
    instance::keeper,
    node::config,
    toy::{Accounts, Op, effects},
};

/// Nothing that these tests wait for takes longer.
const LIMIT: Duration = Duration::from_secs(20);

fn start(log: Arc<dyn Log>, seed: u64, config: Config) -> Partition {
    let store = Box::new(MemoryStore::new());
    let parts = Parts {
        log,
        store,
        origin: Origin::Kept,
        snapshots: None,
        archive: None,
        kept: Vec::new(),
        leader: None,
        seed,
        quarantine: Quarantine::default(),
    };
    Partition::start(config, parts).unwrap()
}

fn request(name: &str, op: &Op, reply: impl FnOnce(Answer) + Send + 'static) -> Request {
    let fingerprint = Fingerprint([1; 16]);
    Request {
        namespace: Namespace::DEFAULT,
        asked: Some(Asked { fingerprint, key: Some(name.into()) }),
        deadline_us: None,
        work: op.work(name),
        reply: Box::new(reply),
    }
}

/// Asks, and waits for the answer.
fn ask(partition: &Partition, name: &str, op: &Op) -> Answer {
    let (answer, wait) = mpsc::channel();
    partition.submit(request(name, op, move |given| answer.send(given).unwrap()));
    wait.recv_timeout(LIMIT).expect("an answer in time")
}

fn open(account: u64) -> Op {
    Op::Open { account, balance: 100 }
}

#[test]
fn many_threads_at_once_get_dense_versions_and_views_show_what_was_answered() {
    let disk = FaultDisk::new();
    let log = FileLog::open(Directory::of(&disk, "log-"), FileLogOptions::default()).unwrap();
    let partition = Arc::new(start(Arc::new(log), 1, config()));
    for account in 0..4 {
        ask(&partition, &format!("open-{account}"), &open(account)).unwrap();
    }
    let versions = Arc::new(Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for thread in 0..4u64 {
            let (partition, versions) = (Arc::clone(&partition), Arc::clone(&versions));
            scope.spawn(move || {
                for number in 0..200 {
                    let op = Op::Transfer { from: thread, to: (thread + 1) % 4, amount: 0 };
                    let outcome = ask(&partition, &format!("{thread}-{number}"), &op).unwrap();
                    let view = partition.view(Namespace::DEFAULT);
                    assert!(view.version() >= outcome.version, "a view shows what was answered");
                    versions.lock().unwrap().push(outcome.version.get());
                }
            });
        }
    });
    let mut versions = versions.lock().unwrap().clone();
    versions.sort_unstable();
    assert_eq!(versions, (5..=804).collect::<Vec<_>>());
    let view = partition.view(Namespace::DEFAULT);
    let total: i64 = view.scan::<Accounts>(&(), Scan::up(10)).unwrap().iter().map(|f| f.row).sum();
    assert_eq!(total, 400);
    partition.stop();
    assert_eq!(partition.join(), Stopped::Cleanly);
}

#[test]
fn every_request_is_answered_once_although_the_partition_ends_under_them() {
    for round in 0..30u64 {
        let memory = MemoryLog::new();
        let log = HeldLog::over(&memory);
        let partition = Arc::new(start(Arc::new(log.clone()), round + 1, config()));
        ask(&partition, "first", &open(1)).unwrap();
        log.hold();
        let (answers, answered) = mpsc::channel();
        let submit = |number: u64| {
            let answers = answers.clone();
            let reply = move |answer: Answer| answers.send((number, answer)).unwrap();
            partition.submit(request(&number.to_string(), &open(number), reply));
        };
        std::thread::scope(|scope| {
            scope.spawn(|| (10..400).for_each(submit));
            while log.held().is_empty() {
                std::thread::yield_now();
            }
            log.fail(log.held()[0], LogError::Stopped { reason: "a test's".to_owned() });
        });
        assert!(matches!(partition.join(), Stopped::Failed(_)));
        (400..410).for_each(submit);
        let mut numbers: Vec<u64> = (10..410)
            .map(|_| {
                let (number, answer) = answered.recv_timeout(LIMIT).expect("each is answered");
                assert!(matches!(
                    answer,
                    Err(Failure::OutcomeUnknown { .. } | Failure::Unavailable { .. })
                ));
                number
            })
            .collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (10..410).collect::<Vec<_>>());
    }
}

#[test]
fn a_sync_that_fails_stops_the_partition_and_reopening_finds_all_that_was_acknowledged() {
    for fault in [Fault::LostSync, Fault::Error, Fault::NoSpace] {
        let disk = FaultDisk::new();
        let options = || FileLogOptions {
            segment_bytes: 64 << 10,
            max_entry_bytes: 16 << 10,
            spare: Spare::OnDemand,
            ..FileLogOptions::default()
        };
        let log = |disk| FileLog::open(Directory::of(disk, "log-"), options());
        let partition = start(Arc::new(log(&disk).unwrap()), 1, config());
        for account in 0..20 {
            ask(&partition, &format!("k-{account}"), &open(account)).unwrap();
        }
        disk.fail_next(if fault == Fault::NoSpace { Io::Write } else { Io::Sync }, fault);
        let mut later = (20..30).map(|account| {
            ask(&partition, &format!("k-{account}"), &open(account)).expect_err("not after it")
        });
        assert!(later.any(|failure| matches!(failure, Failure::OutcomeUnknown { .. })));
        let Stopped::Failed(reason) = partition.join() else { panic!("it fails") };
        assert!(reason.contains("planned") && reason.contains("segment"), "{reason}");
        assert_eq!(partition.phase(), Phase::Stopped(Stopped::Failed(reason)));
        let again = disk.crash(Crash::Lost);
        let partition = start(Arc::new(log(&again).unwrap()), 2, config());
        for account in 0..30 {
            let outcome = ask(&partition, &format!("k-{account}"), &open(account)).unwrap();
            assert_eq!(outcome.replayed, account < 20, "{fault:?} {account}");
        }
        partition.stop();
        assert_eq!(partition.join(), Stopped::Cleanly);
    }
}

#[test]
fn a_full_disk_stops_the_partition_and_room_lets_it_go_on() {
    let disk = FaultDisk::new();
    let options = || FileLogOptions {
        segment_bytes: 64 << 10,
        max_entry_bytes: 16 << 10,
        ..FileLogOptions::default()
    };
    let log = |disk| FileLog::open(Directory::of(disk, "log-"), options()).unwrap();
    let partition = start(Arc::new(log(&disk)), 1, config());
    disk.limit_bytes(200 << 10);
    let mut acknowledged = 0;
    let failure = loop {
        match ask(&partition, &format!("k-{acknowledged}"), &open(acknowledged)) {
            Ok(_) => acknowledged += 1,
            Err(failure) => break failure,
        }
    };
    assert!(acknowledged > 50, "{acknowledged}");
    assert!(failure.to_string().contains("no space"), "{failure}");
    assert!(matches!(partition.join(), Stopped::Failed(_)));
    let again = disk.kill();
    let partition = start(Arc::new(log(&again)), 2, config());
    for account in 0..acknowledged {
        let outcome = ask(&partition, &format!("k-{account}"), &open(account)).unwrap();
        assert!(outcome.replayed);
    }
    ask(&partition, "new", &open(1_000_000)).unwrap();
    partition.stop();
    assert_eq!(partition.join(), Stopped::Cleanly);
}

#[test]
fn snapshots_are_kept_and_the_log_is_trimmed_while_it_serves() {
    let disk = FaultDisk::new();
    let options = FileLogOptions {
        segment_bytes: 64 << 10,
        max_entry_bytes: 16 << 10,
        ..FileLogOptions::default()
    };
    let log: Arc<dyn Log> = Arc::new(FileLog::open(Directory::of(&disk, "log-"), options).unwrap());
    let parts = Parts {
        log: Arc::clone(&log),
        store: Box::new(MemoryStore::new()),
        origin: Origin::Kept,
        snapshots: Some(keeper(&disk)),
        archive: None,
        kept: Vec::new(),
        leader: None,
        seed: 1,
        quarantine: Quarantine::default(),
    };
    let config = Config { snapshot_bytes: 4_000, ..config() };
    let partition = Partition::start(config, parts).unwrap();
    let trimmed = || {
        let first = holdfast_log::Position::first();
        let found = holdfast_log::blocking::read(&*log, first, 1).unwrap();
        found == [holdfast_log::Read::Trimmed]
    };
    let mut number = 0;
    while !(trimmed() && partition.metrics().snapshots.get() >= 3) {
        ask(&partition, &format!("k-{number}"), &open(number)).unwrap();
        number += 1;
        assert!(number < 100_000, "it is trimmed sooner or later");
    }
    partition.stop();
    assert_eq!(partition.join(), Stopped::Cleanly);
}

#[test]
fn p18_nothing_is_trimmed_before_it_is_archived() {
    let disk = FaultDisk::new();
    let log = MemoryLog::new();
    let parts = Parts {
        log: Arc::new(log.clone()),
        store: Box::new(MemoryStore::new()),
        origin: Origin::Kept,
        snapshots: Some(keeper(&FaultDisk::new())),
        archive: Some(archive(&disk)),
        kept: Vec::new(),
        leader: None,
        seed: 1,
        quarantine: Quarantine::default(),
    };
    let mark = || {
        let trimmed = |at: &u64| {
            let at = holdfast_log::Position::new(*at).unwrap();
            holdfast_log::blocking::read(&log, at, 1).unwrap() == [holdfast_log::Read::Trimmed]
        };
        (1..).find(|at| !trimmed(at)).unwrap()
    };
    let held = disk.lock().unwrap();
    let config = Config { snapshot_bytes: 1, ..config() };
    let partition = Partition::start(config, parts).unwrap();
    let mut number = 0;
    let mut work_until = |done: &dyn Fn() -> bool| {
        while !done() {
            ask(&partition, &format!("k-{number}"), &open(number)).unwrap();
            number += 1;
            assert!(number < 100_000, "it comes to that sooner or later");
            let trimmed = mark() - 1;
            assert!(archived(&disk).unwrap().len() as u64 >= trimmed);
        }
    };
    work_until(&|| partition.metrics().snapshots.get() >= 6);
    assert_eq!(mark(), 1, "the archive cannot be written");
    drop(held);
    disk.fail_next(Io::Sync, Fault::NoSpace);
    work_until(&|| mark() > 10);
    let first_trim = mark();
    work_until(&|| mark() > first_trim);
    partition.stop();
    assert_eq!(partition.join(), Stopped::Cleanly);
    let positions: Vec<u64> = archived(&disk).unwrap().iter().map(|(at, _)| at.get()).collect();
    assert_eq!(positions, (1..=positions.len() as u64).collect::<Vec<_>>(), "without a hole");
}

#[test]
fn a_snapshot_being_written_does_not_outlive_its_partition() {
    let disk = FaultDisk::new();
    let slow: Arc<dyn Disk> =
        Arc::new(SlowDisk::new(Directory::of(&disk, "snapshots-"), Duration::from_millis(200)));
    let parts = Parts {
        log: Arc::new(MemoryLog::new()),
        store: Box::new(MemoryStore::new()),
        origin: Origin::Kept,
        snapshots: Some(SnapshotKeeper::new(Arc::clone(&slow))),
        archive: None,
        kept: Vec::new(),
        leader: None,
        seed: 1,
        quarantine: Quarantine::default(),
    };
    let partition = Partition::start(Config { snapshot_bytes: 1, ..config() }, parts).unwrap();
    ask(&partition, "one", &open(1)).unwrap();
    while disk.files().is_empty() {
        std::thread::yield_now();
    }
    partition.stop();
    assert_eq!(partition.join(), Stopped::Cleanly);
    assert_eq!(Arc::strong_count(&slow), 1, "nobody else has the directory");
}

#[test]
fn stop_refuses_new_requests_finishes_old_ones_and_seals_the_log() {
    let memory = MemoryLog::new();
    let log = HeldLog::over(&memory);
    let partition = start(Arc::new(log.clone()), 1, config());
    ask(&partition, "first", &open(1)).unwrap();
    log.hold();
    let (answers, answered) = mpsc::channel();
    for number in 2..50 {
        let answers = answers.clone();
        let reply = move |answer: Answer| answers.send(answer).unwrap();
        partition.submit(request(&number.to_string(), &open(number), reply));
    }
    partition.stop();
    let late = ask(&partition, "late", &open(77)).unwrap_err();
    assert!(matches!(late, Failure::Unavailable { .. }), "{late}");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while partition.phase() == Phase::Leading {
                log.answer_all();
                std::thread::yield_now();
            }
        });
        assert_eq!(partition.join(), Stopped::Cleanly);
    });
    for _ in 2..50 {
        answered.recv_timeout(LIMIT).unwrap().unwrap();
    }
    let told = history(&memory);
    assert_eq!((told.changes.len(), effects(&told.store, "late")), (49, 0));
    let closed = holdfast_log::blocking::tail(&log);
    assert!(matches!(closed, Err(LogError::Closed)));
}

#[test]
fn the_handle_refuses_at_once_when_the_queue_before_it_is_full() {
    let log = HeldLog::new();
    let bounded = Config { waiting_max: 20, batch_bytes: 500, ..config() };
    let partition = start(Arc::new(log.clone()), 1, bounded);
    ask(&partition, "first", &open(1)).unwrap();
    log.hold();
    let (answers, answered) = mpsc::channel();
    for number in 0..2_000u64 {
        let answers = answers.clone();
        let reply = move |answer: Answer| answers.send(answer).unwrap();
        partition.submit(request(&number.to_string(), &open(number + 10), reply));
    }
    let refused = answered.recv_timeout(LIMIT).unwrap();
    assert_eq!(refused, Err(Failure::Overloaded), "although the log stands still");
    std::thread::scope(|scope| {
        let pump = scope.spawn(|| {
            while partition.phase() == Phase::Leading {
                log.answer_all();
                std::thread::yield_now();
            }
        });
        let rest: Vec<Answer> = (1..2_000).map(|_| answered.recv_timeout(LIMIT).unwrap()).collect();
        assert!(rest.iter().any(Result::is_ok), "what was admitted is finished");
        assert!(rest.iter().all(|answer| matches!(answer, Ok(_) | Err(Failure::Overloaded))));
        partition.stop();
        pump.join().unwrap();
    });
    assert_eq!(partition.join(), Stopped::Cleanly);
}

#[test]
fn requests_before_a_busy_evaluator_are_bounded_and_none_is_forgotten_when_it_dies() {
    let bounded = Config { waiting_max: 20, ..config() };
    let partition = start(Arc::new(MemoryLog::new()), 1, bounded);
    ask(&partition, "first", &open(1)).unwrap();
    let (entered, wait_for_entry) = mpsc::channel();
    let (release, wait_for_release) = mpsc::channel::<()>();
    // A reply runs on the partition's thread: nothing is taken out of the inbox meanwhile.
    partition.submit(request("holds it up", &Op::Total, move |_| {
        entered.send(()).unwrap();
        wait_for_release.recv_timeout(LIMIT).unwrap();
        std::panic::resume_unwind(Box::new("a caller's bug"));
    }));
    wait_for_entry.recv_timeout(LIMIT).unwrap();
    let (answers, answered) = mpsc::channel();
    for number in 0..50u64 {
        let answers = answers.clone();
        let reply = move |answer: Answer| answers.send(answer).unwrap();
        partition.submit(request(&number.to_string(), &open(number + 10), reply));
    }
    let at_once: Vec<Answer> = answered.try_iter().collect();
    assert_eq!(at_once, vec![Err(Failure::Overloaded); 30]);
    release.send(()).unwrap();
    for _ in 0..20 {
        let answer = answered.recv_timeout(LIMIT).expect("nobody is forgotten");
        assert!(matches!(answer, Err(Failure::Unavailable { .. })));
    }
    assert!(matches!(partition.join(), Stopped::Failed(_)));
}

#[test]
fn a_reply_or_a_transaction_that_panics_does_not_take_the_process_along() {
    let partition = start(Arc::new(MemoryLog::new()), 1, config());
    let (answer, wait) = mpsc::channel();
    partition.submit(Request {
        work: Box::new(|_| std::panic::resume_unwind(Box::new("x"))),
        ..request("panics", &Op::Total, move |given| answer.send(given).unwrap())
    });
    assert!(matches!(wait.recv_timeout(LIMIT).unwrap(), Err(Failure::Panicked { .. })));
    ask(&partition, "after", &open(1)).unwrap();
    partition.submit(request("reply", &Op::Total, |_| std::panic::resume_unwind(Box::new("x"))));
    let Stopped::Failed(reason) = partition.join() else { panic!("it ends") };
    assert!(reason.contains("a bug of ours"), "{reason}");
    let after = ask(&partition, "too late", &open(2)).unwrap_err();
    assert!(matches!(after, Failure::Unavailable { .. }));
}
