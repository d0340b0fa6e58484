//! Disks that fail, callers that panic, queues that are full: everyone gets an answer.

use std::sync::Arc;
use std::sync::mpsc;

use bytes::Bytes;
use holdfast_log::disk::{Fault, Io};
use holdfast_log::{
    Append, Disk, FaultDisk, FileLog, FileLogOptions, Log, LogError, Position, Read, RealDisk,
    Spare, blocking,
};

use crate::world::{at, open, open_with, options};

fn entry(position: u64) -> Bytes {
    Bytes::from(format!("entry {position}"))
}

fn append(log: &FileLog, position: u64) -> Result<Append, LogError> {
    blocking::append(log, at(position), entry(position))
}

/// Asserts that the log has stopped for everyone, and says why.
fn assert_stopped(log: &FileLog, why: &str) {
    let refusals = [
        append(log, 50).err(),
        blocking::read(log, at(1), 1).err(),
        blocking::tail(log).err(),
        blocking::trim(log, at(1)).err(),
        blocking::close(log).err(),
    ];
    for refusal in refusals {
        let Some(LogError::Stopped { reason }) = &refusal else { panic!("{refusal:?}") };
        assert!(reason.contains(why), "{reason}");
        assert!(refusal.unwrap().is_permanent());
    }
}

/// Keeps the writer's thread busy until the returned sender is dropped or used.
fn hold_the_writer(log: &FileLog, position: u64) -> mpsc::Sender<()> {
    let (release, held) = mpsc::channel::<()>();
    let (entered, inside) = mpsc::channel();
    let done = move |_| {
        entered.send(()).unwrap();
        held.recv().unwrap_err();
    };
    log.append(at(position), entry(position), Box::new(done));
    inside.recv().unwrap();
    release
}

/// Appends without waiting; the answers come in the order in which they are given.
fn send(log: &FileLog, position: u64, answers: &mpsc::Sender<(u64, Result<Append, LogError>)>) {
    let answers = answers.clone();
    let done = move |result| answers.send((position, result)).unwrap();
    log.append(at(position), entry(position), Box::new(done));
}

#[test]
fn what_waits_together_is_synced_together_and_answered_in_order() {
    let log = open_with(&FaultDisk::new(), FileLogOptions { segment_bytes: 1 << 20, ..options() })
        .unwrap();
    let release = hold_the_writer(&log, 1);
    let (answers, answered) = mpsc::channel();
    (2..=101).rev().for_each(|position| send(&log, position, &answers));
    let before = log.stats();
    assert!(before.queued_bytes > 100);
    drop((release, answers));
    let order: Vec<_> =
        answered.iter().map(|(position, result)| (position, result.unwrap())).collect();
    let expected: Vec<_> = (2..=101).rev().map(|position| (position, Append::Ok)).collect();
    assert_eq!(order, expected);
    let after = log.stats();
    assert_eq!((after.syncs - before.syncs, after.appends - before.appends), (1, 100));
    assert_eq!((after.queued_bytes, after.segments), (0, 1));
    assert!(after.records_per_sync() > 40.0 && after.bytes > 100 * 80);
}

#[test]
fn a_failed_sync_stops_the_log_and_acknowledges_nothing() {
    let disk = FaultDisk::new();
    let log = open(&disk).unwrap();
    let release = hold_the_writer(&log, 1);
    let (answers, answered) = mpsc::channel();
    (2..=9).for_each(|position| send(&log, position, &answers));
    disk.fail_next(Io::Sync, Fault::LostSync);
    drop((release, answers));
    for (position, result) in answered {
        let refused = result.unwrap_err();
        let LogError::Stopped { reason } = &refused else { panic!("{position}: {refused}") };
        assert!(reason.contains("syncing 000000000001.segment"), "{reason}");
    }
    assert_stopped(&log, "syncing 000000000001.segment");
    // The directory was given back: the process may open the log again at once.
    let log = open(&disk).unwrap();
    assert_eq!(append(&log, 1).unwrap(), Append::Taken(entry(1)));
}

#[test]
fn a_failed_write_stops_the_log() {
    let disk = FaultDisk::new();
    let log = open(&disk).unwrap();
    disk.fail_next(Io::Write, Fault::Error);
    let refused = append(&log, 1).unwrap_err();
    assert!(matches!(refused, LogError::Stopped { .. }), "{refused}");
    assert_stopped(&log, "writing 000000000001.segment");
}

#[test]
fn a_full_disk_stops_the_log_where_it_needs_a_segment() {
    for spare in [Spare::Ahead, Spare::OnDemand] {
        let disk = FaultDisk::new();
        let log = open_with(&disk, FileLogOptions { spare, ..options() }).unwrap();
        disk.limit_bytes(40_000);
        let mut next = 1;
        let refused = loop {
            match blocking::append(&*log, at(next), Bytes::from(vec![7; 1000])) {
                Ok(append) => assert_eq!(append, Append::Ok),
                Err(refused) => break refused,
            }
            next += 1;
        };
        assert!(matches!(refused, LogError::Stopped { .. }), "{refused}");
        assert!(next > 6, "only {next} fitted");
        assert_stopped(&log, "no space left");
        // With room again, it goes on behind everything that was acknowledged.
        drop(log);
        let log = open_with(&disk.kill(), options()).unwrap();
        assert_eq!(blocking::tail(&*log).unwrap(), at(next));
        assert_eq!(append(&log, next).unwrap(), Append::Ok);
    }
}

#[test]
fn an_error_in_reading_is_told_and_passes() {
    let disk = FaultDisk::new();
    let log = open(&disk).unwrap();
    append(&log, 1).unwrap();
    disk.fail_next(Io::Read, Fault::Error);
    let refused = blocking::read(&*log, at(1), 1).unwrap_err();
    assert!(matches!(refused, LogError::Io { .. }) && !refused.is_permanent(), "{refused}");
    assert_eq!(blocking::read(&*log, at(1), 1).unwrap(), [Read::Entry(entry(1))]);
    disk.fail_next(Io::Read, Fault::Error);
    let refused = append(&log, 1).unwrap_err();
    assert!(matches!(refused, LogError::Io { .. }), "{refused}");
    assert_eq!(append(&log, 2).unwrap(), Append::Ok);
}

#[test]
fn a_directory_is_opened_once() {
    let dir = tempfile::tempdir().unwrap();
    let disk: Arc<dyn Disk> = Arc::new(RealDisk::open(dir.path()).unwrap());
    let options = || FileLogOptions { segment_bytes: 1 << 16, max_entry_bytes: 1000, ..options() };
    let log = FileLog::open(Arc::clone(&disk), options()).unwrap();
    let refused = FileLog::open(Arc::clone(&disk), options()).unwrap_err();
    let LogError::Locked { dir: told, holder } = &refused else { panic!("{refused}") };
    assert_eq!(*holder, Some(std::process::id()));
    assert_eq!(*told, dir.path().display().to_string());
    assert!(refused.to_string().contains(&std::process::id().to_string()), "{refused}");
    drop(log);
    FileLog::open(disk, options()).unwrap();
}

#[test]
fn a_callback_that_panics_stops_the_log_and_nobody_waits_for_ever() {
    let log = open(&FaultDisk::new()).unwrap();
    let release = hold_the_writer(&log, 1);
    log.append(at(2), entry(2), Box::new(|_| panic!("a caller's bug, planned")));
    let (answers, answered) = mpsc::channel();
    (3..=9).for_each(|position| send(&log, position, &answers));
    drop((release, answers));
    for (position, result) in answered {
        let refused = result.unwrap_err();
        assert!(matches!(refused, LogError::Stopped { .. }), "{position}: {refused}");
    }
    assert_stopped(&log, "panicked");
}

#[test]
fn a_reader_that_panics_stops_the_log_and_nobody_waits_for_ever() {
    let disk = FaultDisk::new();
    let log = open(&disk).unwrap();
    append(&log, 1).unwrap();
    log.read(at(1), 1, Box::new(|_| panic!("a caller's bug, planned")));
    let (answers, answered) = mpsc::channel();
    for _ in 0..10 {
        let answers = answers.clone();
        log.read(at(1), 1, Box::new(move |result| answers.send(result).unwrap()));
    }
    drop(answers);
    for result in answered {
        let refused = result.unwrap_err();
        assert!(matches!(refused, LogError::Stopped { .. }), "{refused}");
    }
    assert_stopped(&log, "panicked");
    drop(log);
    assert_eq!(append(&open(&disk).unwrap(), 1).unwrap(), Append::Taken(entry(1)));
}

#[test]
fn a_full_queue_refuses_at_once() {
    let options = FileLogOptions { max_queued_bytes: 1000, ..options() };
    let log = open_with(&FaultDisk::new(), options).unwrap();
    let release = hold_the_writer(&log, 1);
    let (answers, answered) = mpsc::channel();
    (2..=20).for_each(|position| send(&log, position, &answers));
    // The refusals are there although the writer has not moved.
    let (position, refused) = answered.try_recv().unwrap();
    let refused = refused.unwrap_err();
    assert!(matches!(refused, LogError::Overloaded { queued_bytes } if queued_bytes > 500));
    assert!(!refused.is_permanent());
    drop((release, answers));
    let taken = answered.iter().filter(|(_, result)| result.is_ok()).count() as u64;
    assert_eq!(taken, position - 2, "all before the first refusal are done");
}

#[test]
fn dropping_a_log_answers_everyone() {
    let disk = FaultDisk::new();
    let log = open(&disk).unwrap();
    let (answers, answered) = mpsc::channel();
    (1..=50).for_each(|position| send(&log, position, &answers));
    drop((log, answers));
    assert!(answered.iter().all(|(_, result)| result.unwrap() == Append::Ok));
    assert_eq!(blocking::tail(&*open(&disk).unwrap()).unwrap(), at(51));
}

#[test]
fn the_last_handle_may_be_dropped_by_a_callback() {
    let disk = FaultDisk::new();
    let log = open(&disk).unwrap();
    let release = hold_the_writer(&log, 1);
    let (answers, answered) = mpsc::channel();
    let last = Arc::clone(&log);
    let done = move |result| {
        drop(last);
        answers.send(result).unwrap();
    };
    log.append(at(2), entry(2), Box::new(done));
    drop(log);
    drop(release);
    assert_eq!(answered.recv().unwrap().unwrap(), Append::Ok);
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    let refused = |options| {
        let disk: Arc<dyn Disk> = Arc::new(FaultDisk::new());
        let refused = FileLog::open(disk, options).unwrap_err();
        assert!(matches!(refused, LogError::BadOptions { .. }), "{refused}");
    };
    refused(FileLogOptions { segment_bytes: 8192, max_entry_bytes: 4000, ..options() });
    refused(FileLogOptions { segment_bytes: 4 << 30, ..options() });
    refused(FileLogOptions { max_entry_bytes: 5 << 30, ..options() });
}

#[test]
fn segments_are_removed_when_nothing_in_them_is_needed() {
    for spare in [Spare::Ahead, Spare::OnDemand] {
        let disk = FaultDisk::new();
        let log = open_with(&disk, FileLogOptions { spare, ..options() }).unwrap();
        for position in 1..=20 {
            blocking::append(&*log, at(position), Bytes::from(vec![1; 1000])).unwrap();
        }
        let segments = log.stats().segments;
        assert!(segments > 4, "{segments}");
        blocking::trim(&*log, Position::new(21).unwrap()).unwrap();
        assert_eq!(log.stats().segments, 1);
        blocking::close(&*log).unwrap();
        let left = disk.files().iter().filter(|name| name.ends_with(".segment")).count();
        // A housekeeper that was told to quit may leave some, which the next open removes.
        assert!(spare == Spare::Ahead || left == 1, "{left}");
        drop(log);
        drop(open(&disk).unwrap());
        let left = disk.files().iter().filter(|name| name.ends_with(".segment")).count();
        assert_eq!(left, 1);
    }
}

#[test]
fn whoever_is_told_that_the_log_has_ended_may_open_it_again_at_once() {
    let disk = FaultDisk::new();
    let (answers, answered) = mpsc::channel();
    // On the writer's thread, before the call that stopped the log has returned.
    let reopen = |disk: &FaultDisk| {
        let (disk, answers) = (disk.clone(), answers.clone());
        move |is_ok| answers.send((is_ok, open(&disk).is_ok())).unwrap()
    };
    let log = open(&disk).unwrap();
    disk.fail_next(Io::Sync, Fault::Error);
    let then = reopen(&disk);
    log.append(at(1), entry(1), Box::new(move |result| then(result.is_ok())));
    assert_eq!(answered.recv().unwrap(), (false, true));
    drop(log);

    let log = open(&disk).unwrap();
    let then = reopen(&disk);
    log.close(Box::new(move |result| then(result.is_ok())));
    assert_eq!(answered.recv().unwrap(), (true, true));
}

#[test]
fn a_long_read_is_answered_in_one_piece() {
    let log = open(&FaultDisk::new()).unwrap();
    let (answers, answered) = mpsc::channel();
    (1..=700).for_each(|position| send(&log, position, &answers));
    drop(answers);
    assert_eq!(answered.iter().filter(|(_, result)| result.is_ok()).count(), 700);
    let found = blocking::read(&*log, at(1), usize::MAX).unwrap();
    let mut expected: Vec<_> = (1..=700).map(|position| Read::Entry(entry(position))).collect();
    expected.push(Read::Empty);
    assert_eq!(found, expected);
}

#[test]
fn what_waits_together_sees_each_other_in_order() {
    let log = open(&FaultDisk::new()).unwrap();
    append(&log, 1).unwrap();
    let release = hold_the_writer(&log, 2);
    let (answers, answered) = mpsc::channel();
    let (trims, trimmed) = mpsc::channel();
    let trim = |below| {
        let trims = trims.clone();
        log.trim(at(below), Box::new(move |result| trims.send(result.is_ok()).unwrap()));
    };
    send(&log, 3, &answers);
    send(&log, 3, &answers);
    trim(5);
    trim(4);
    trim(3);
    send(&log, 3, &answers);
    send(&log, 2, &answers);
    send(&log, 4, &answers);
    trim(5);
    drop((release, answers));
    let told: Vec<_> = answered.iter().map(|(_, result)| result.unwrap()).collect();
    let taken = Append::Taken(entry(3));
    assert_eq!(told, [Append::Ok, taken, Append::Trimmed, Append::Trimmed, Append::Ok]);
    let trims: Vec<_> = trimmed.iter().take(4).collect();
    assert_eq!(trims, [false, true, true, true]);
    assert_eq!(blocking::tail(&*log).unwrap(), at(5));
    assert_eq!(blocking::read(&*log, at(4), 1).unwrap(), [Read::Trimmed]);
}

#[test]
fn segments_are_removed_while_the_log_goes_on() {
    let disk = FaultDisk::new();
    let log = open_with(&disk, FileLogOptions { spare: Spare::Ahead, ..options() }).unwrap();
    let mut next = 1;
    let mut fill_segments = |count| {
        let begun = log.stats().segments_begun;
        while log.stats().segments_begun < begun + count {
            blocking::append(&*log, at(next), Bytes::from(vec![1; 1000])).unwrap();
            next += 1;
        }
        next
    };
    let end = fill_segments(3);
    assert!(disk.files().contains(&"000000000001.segment".to_owned()));
    blocking::trim(&*log, at(end)).unwrap();
    // The spare for the second roll is made after what was to be removed before it.
    fill_segments(2);
    assert!(!disk.files().contains(&"000000000001.segment".to_owned()), "{:?}", disk.files());
}
