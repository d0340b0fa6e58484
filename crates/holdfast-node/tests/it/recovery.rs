//! Which state a node begins with, and when it does not begin at all.

use std::{fs, sync::Arc};

use holdfast_engine::Stopped;
use holdfast_ledger::row::Accounts;
use holdfast_node::OpenError;
use holdfast_state::{
    Namespace, Scan, Source as _, Store as _, Table as _,
    disk::{DiskOptions, DiskStore},
    table::stored_key,
};

use crate::data::{Data, copy, damage, files};

#[test]
fn what_was_done_is_there_after_a_restart() {
    let data = Data::new();
    for round in 1..4 {
        let running = data.open().unwrap();
        running.work((round - 1) * 10..round * 10);
        running.check(round * 10);
        running.close();
    }
    data.open().unwrap().check(30);
}

#[test]
fn without_its_state_a_node_reads_the_log() {
    let data = Data::new();
    let running = data.open().unwrap();
    running.work(0..30);
    running.close();
    fs::remove_dir_all(data.part("state")).unwrap();
    data.open().unwrap().check(30);
}

#[test]
fn a_second_process_is_refused_and_told_by_whom() {
    let data = Data::new();
    let running = data.open().unwrap();
    let Err(OpenError::InUse { dir, holder }) = data.open().map(drop) else { panic!("refused") };
    assert_eq!((dir, holder), (data.root.clone(), Some(std::process::id())));
    let message = OpenError::InUse { dir: data.root.clone(), holder }.to_string();
    assert!(message.contains(&format!("in use by process {}", std::process::id())), "{message}");
    running.close();
    data.open().unwrap();
}

#[test]
fn a_state_that_was_damaged_is_never_served() {
    let data = Data::new();
    let running = data.open().unwrap();
    running.work(0..20);
    running.close();
    let good = tempfile::tempdir().unwrap();
    copy(&data.root, good.path());
    let state = files(&good.path().join("partition-0/state"));
    assert!(!state.is_empty());
    for file in state {
        let bytes = usize::try_from(fs::metadata(&file).unwrap().len()).unwrap();
        let within = data.root.join(file.strip_prefix(good.path()).unwrap());
        for at in [0, bytes / 3, bytes / 2, bytes.saturating_sub(1)] {
            if at < bytes {
                fs::remove_dir_all(&data.root).unwrap();
                copy(good.path(), &data.root);
                damage(&within, at);
                let running = data.open().unwrap();
                let watching = running.runtime.spawn(Arc::clone(&running.node).watch_over());
                running.check(20);
                running.close();
                drop(watching);
            }
        }
    }
}

#[test]
fn state_that_is_not_what_its_leader_said_is_rebuilt_although_every_checksum_is_right() {
    let data = Data::new().digesting(4);
    let running = data.open().unwrap();
    running.work(0..10);
    running.close();
    let (elsewhere, options) = (tempfile::tempdir().unwrap(), DiskOptions::default());
    copy(&data.part("state"), elsewhere.path());
    let running = data.open().unwrap();
    running.work(10..20);
    running.close();
    // The state of ten, with another balance in one row, under the log of twenty.
    let early = DiskStore::open(elsewhere.path(), &options).unwrap();
    let (mark, mut rows) = (early.mark(), early.scan(&[], &[0xFF; 8], Scan::up(10_000)).unwrap());
    drop(early);
    let key = stored_key(Namespace::DEFAULT, Accounts::ID, &"account-0");
    let wrong = rows.iter_mut().find(|(found, _)| *found == key).unwrap();
    let mut row = wrong.1.to_vec();
    *row.last_mut().unwrap() ^= 1;
    wrong.1 = row.into();
    fs::remove_dir_all(data.part("state")).unwrap();
    let rows = rows.into_iter().map(Ok);
    drop(DiskStore::create_from(&data.part("state"), &options, rows, &mark).unwrap());

    let running = data.open().unwrap();
    let begun = running.node.partition();
    let watching = running.runtime.spawn(Arc::clone(&running.node).watch_over());
    let Err(Stopped::StateInDoubt(what)) = running.runtime.block_on(begun.leading()) else {
        panic!("the log's digests say otherwise");
    };
    assert!(what.contains("another digest"), "{what}");
    while Arc::ptr_eq(&begun, &running.node.partition()) {
        std::thread::yield_now();
    }
    running.check(20);
    running.close();
    drop(watching);
}

/// A data directory with two snapshots and a log that begins after position 1; and how many accounts
/// it took.
fn trimmed() -> (Data, usize) {
    let data = Data::trimming();
    let running = data.open().unwrap();
    let mut count = 0;
    while running.node.partition().metrics().snapshots.get() < 3 {
        running.work(count..count + 1);
        count += 1;
    }
    running.work(count..count + 5);
    running.close();
    assert_eq!(data.snapshots().len(), 2);
    // What is opened from here on takes no snapshots of its own.
    (data.without_snapshots(), count + 5)
}

#[test]
fn without_its_state_a_node_begins_with_a_snapshot_that_is_good() {
    let (data, count) = trimmed();
    fs::remove_dir_all(data.part("state")).unwrap();
    let running = data.open().unwrap();
    running.check(count);
    running.close();
    // The newest is damaged: the one before it will do.
    fs::remove_dir_all(data.part("state")).unwrap();
    let [newest, older] = &data.snapshots()[..] else { panic!("two are kept") };
    damage(newest, usize::try_from(fs::metadata(newest).unwrap().len() / 2).unwrap());
    let running = data.open().unwrap();
    running.check(count);
    running.close();
    // Both are damaged: there is nothing to begin with.
    fs::remove_dir_all(data.part("state")).unwrap();
    damage(older, usize::try_from(fs::metadata(older).unwrap().len() / 2).unwrap());
    let refused = data.open().map(drop).unwrap_err();
    let OpenError::NoState { reasons, .. } = &refused else { panic!("{refused}") };
    assert_eq!(reasons.len(), 2, "{refused}");
    for file in [newest, older] {
        let name = file.file_name().unwrap().to_str().unwrap();
        assert!(refused.to_string().contains(name), "{refused}");
    }
}

#[test]
fn a_log_that_lost_its_tail_is_refused() {
    let data = Data::new();
    let running = data.open().unwrap();
    running.work(0..5);
    running.close();
    let earlier = tempfile::tempdir().unwrap();
    copy(&data.part("log"), earlier.path());
    let running = data.open().unwrap();
    running.work(5..30);
    running.close();
    fs::remove_dir_all(data.part("log")).unwrap();
    copy(earlier.path(), &data.part("log"));
    let refused = data.open().map(drop).unwrap_err();
    assert!(matches!(refused, OpenError::LostTail { .. }), "{refused}");
    let log = data.part("log").display().to_string();
    assert!(refused.to_string().contains(&log), "{refused}");
}

#[test]
fn the_state_of_another_log_is_refused() {
    let (data, other) = (Data::new(), Data::new());
    for data in [&data, &other] {
        let running = data.open().unwrap();
        running.work(0..10);
        running.close();
    }
    fs::remove_dir_all(data.part("state")).unwrap();
    copy(&other.part("state"), &data.part("state"));
    let refused = data.open().map(drop).unwrap_err();
    assert!(matches!(refused, OpenError::OtherLog { .. }), "{refused}");
}

#[test]
fn a_damaged_log_is_refused_by_name_and_place() {
    let data = Data::new();
    let running = data.open().unwrap();
    running.work(0..10);
    running.close();
    let segment = files(&data.part("log"))
        .into_iter()
        .max_by_key(|file| fs::read(file).unwrap().iter().filter(|byte| **byte != 0).count())
        .unwrap();
    damage(&segment, 5_000);
    let refused = data.open().map(drop).unwrap_err();
    assert!(matches!(refused, OpenError::Log { .. }), "{refused}");
    let name = segment.file_name().unwrap().to_str().unwrap();
    assert!(refused.to_string().contains(name), "{refused}");
}
