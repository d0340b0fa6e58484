//! Looking at the data of a stopped server.

use std::fs;

use holdfast_log::Step;
use holdfast_node::{Offline, OpenError, Reach};
use holdfast_state::{Namespace, Read as _};

use crate::data::{Data, damage, files};

#[test]
fn it_sees_all_that_is_durable_and_changes_nothing() {
    let data = Data::new();
    let running = data.open().unwrap();
    running.work(0..10);
    running.close();
    for _ in 0..2 {
        let mut offline = Offline::open(&data.root).unwrap();
        let mut versions = 0;
        offline.replay(|batch| versions += batch.count).unwrap();
        assert_eq!(versions, 19);
        assert_eq!(offline.namespaces().unwrap(), [Namespace::DEFAULT]);
        let view = offline.view(Namespace::DEFAULT);
        assert_eq!(view.version().get(), 19);
        assert!(view.now().as_us() > 0);
        let account = view.get::<holdfast_ledger::row::Accounts>("account-9").unwrap();
        assert!(account.is_some());
        let (mut claims, mut batches) = (0, 0);
        offline
            .walk(|inspected| {
                match inspected.step {
                    Step::Claim(..) => claims += 1,
                    Step::Batch(..) => batches += 1,
                    Step::Renewal(..) => panic!("nobody else may lead"),
                    Step::Dead(_) => panic!("nobody else wrote"),
                }
                true
            })
            .unwrap();
        assert_eq!(claims, 1);
        assert!(batches > 0);
        offline.close().unwrap();
    }
    data.open().unwrap().check(10);
}

#[test]
fn a_running_server_and_an_empty_directory_are_refused() {
    let data = Data::new();
    let nothing = Offline::open(&data.root).map(drop);
    assert!(matches!(nothing, Err(OpenError::NoData { .. })), "{nothing:?}");
    let running = data.open().unwrap();
    let busy = Offline::open(&data.root).map(drop);
    assert!(matches!(busy, Err(OpenError::InUse { .. })), "{busy:?}");
    running.close();
}

#[test]
fn a_trimmed_log_is_read_from_the_oldest_snapshot_on() {
    let data = Data::trimming();
    let running = data.open().unwrap();
    let mut count = 0;
    while running.node.partition().metrics().snapshots.get() < 3 {
        running.work(count..count + 1);
        count += 1;
    }
    running.close();
    let mut offline = Offline::open(&data.root).unwrap();
    let base = offline.base().unwrap().expect("the log's beginning is gone");
    let mut next = base.mark().version.next();
    assert!(next.get() > 1);
    offline
        .replay(|batch| {
            assert_eq!(batch.first, next);
            next = next.plus(u64::from(batch.count));
        })
        .unwrap();
    assert_eq!(offline.view(Namespace::DEFAULT).version().next(), next);
}

/// Data whose log was trimmed three times, and what of it was archived.
fn archived() -> (Data, Vec<std::path::PathBuf>) {
    let data = Data::trimming().archiving();
    let archive = data.archive.clone().unwrap();
    let in_archive = || {
        let mut files = files(&archive);
        files.retain(|file| file.extension().is_some_and(|extension| extension == "hfa"));
        files
    };
    let running = data.open().unwrap();
    let mut count = 0;
    while in_archive().len() < 3 {
        running.work(count..count + 1);
        count += 1;
    }
    running.close();
    (data, in_archive())
}

/// What the replay shows: the first version and the last.
fn replayed(offline: &mut Offline) -> Result<(u64, u64), OpenError> {
    let (mut first, mut next) = (None, 0);
    offline.replay(|batch| {
        first = first.or(Some(batch.first.get()));
        assert!(next == 0 || next == batch.first.get(), "without a hole");
        next = batch.first.get() + u64::from(batch.count);
    })?;
    Ok((first.unwrap(), next - 1))
}

#[test]
fn p18_what_was_trimmed_is_read_from_the_archive() {
    let (data, _) = archived();
    let archive = data.archive.clone().unwrap();
    let mut without = Offline::open(&data.root).unwrap();
    let Reach::Snapshot { version, archive: None } = without.reach().clone() else {
        panic!("it is trimmed: {}", without.reach());
    };
    let (first, last) = replayed(&mut without).unwrap();
    assert_eq!(first, version.get() + 1);
    without.close().unwrap();
    let mut with = Offline::open(&data.root).unwrap().with_archive(&archive).unwrap();
    assert!(matches!(with.reach(), Reach::Archive(_)), "{}", with.reach());
    assert!(with.base().unwrap().is_none());
    assert_eq!(replayed(&mut with).unwrap(), (1, last));
    with.close().unwrap();
}

#[test]
fn p18_a_damaged_archive_is_named_and_one_with_a_hole_is_not_used() {
    let (data, files) = archived();
    let archive = data.archive.clone().unwrap();
    let open = || Offline::open(&data.root).unwrap().with_archive(&archive).unwrap();
    let good = fs::read(&files[1]).unwrap();
    damage(&files[1], good.len() / 2);
    let error = replayed(&mut open()).unwrap_err();
    assert!(matches!(error, OpenError::Archive(_)), "{error}");
    let name = files[1].file_name().unwrap().to_str().unwrap();
    assert!(error.to_string().contains(name), "{error}");
    for (missing, why) in [(1, "has a hole after position"), (0, "does not go back to position 1")]
    {
        fs::remove_file(&files[missing]).unwrap();
        let mut offline = open();
        assert!(offline.reach().to_string().contains(why), "{}", offline.reach());
        assert!(replayed(&mut offline).unwrap().0 > 1);
        assert!(offline.base().unwrap().is_some());
    }
    let nowhere = archive.join("nowhere");
    let refused = Offline::open(&data.root).unwrap().with_archive(&nowhere).map(drop);
    assert!(matches!(refused, Err(OpenError::Io { .. })), "{refused:?}");
    assert!(!nowhere.exists());
}

#[test]
fn p18_an_archive_of_another_log_does_not_fit() {
    let (one, _) = archived();
    let (other, _) = archived();
    let archive = other.archive.as_ref().unwrap();
    let mut mixed = Offline::open(&one.root).unwrap().with_archive(archive).unwrap();
    let refused = replayed(&mut mixed);
    assert!(matches!(refused, Err(OpenError::OtherArchive { .. })), "{refused:?}");
}
