//! Looking at the data of a stopped server.

use holdfast_log::Step;
use holdfast_node::{Offline, OpenError};
use holdfast_state::{Namespace, Read as _};

use crate::data::Data;

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
