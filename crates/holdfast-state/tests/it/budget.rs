//! What a transaction may use, and that one which wants more leaves no trace.

use bytes::Bytes;
use holdfast_state::{
    Abort, Batch, BatchBuilder, Budget, LogTime, MemoryStore, Namespace, Overlay, Read, Scan,
    Store, Tx, TxContext, Version,
};

const KEYS: u8 = 20;
const VALUE: [u8; 10] = [7; 10];

fn store() -> MemoryStore {
    let mut builder = BatchBuilder::default();
    builder.begin(0);
    (0..KEYS).for_each(|key| builder.put(&[key], &VALUE));
    builder.commit();
    let bytes = builder.into_bytes().into();
    let batch = Batch { first: Version::new(1), count: 1, time: LogTime::ZERO, bytes };
    let mut store = MemoryStore::new();
    store.apply(&batch, Bytes::new()).unwrap();
    store
}

/// Runs the work under a budget; if it is aborted, nothing may be left of it.
fn run<T>(budget: Budget, work: impl FnOnce(&mut Tx<'_>) -> Result<T, Abort>) -> Result<T, Abort> {
    let (store, mut overlay, mut batch) = (store(), Overlay::default(), BatchBuilder::default());
    let context = TxContext {
        version: Version::new(2),
        now: LogTime::ZERO,
        entry_time: LogTime::ZERO,
        namespace: Namespace::DEFAULT,
        seed: 1,
        budget,
    };
    let mut tx = Tx::begin(&store, &mut overlay, &mut batch, context);
    let result = work(&mut tx);
    if result.is_ok() {
        assert!(tx.commit() || batch.is_empty());
    } else {
        drop(tx);
        assert!(overlay.is_empty());
        assert_eq!((batch.count(), batch.len()), (0, 0));
    }
    result
}

const fn too_large(what: &'static str, limit: usize) -> Abort {
    Abort::TooLarge { what, limit }
}

#[test]
fn writes_are_counted() {
    let budget = Budget { writes_max: 3, ..Budget::default() };
    let writes = |count: u8| {
        run(budget, |tx| {
            (0..count).try_for_each(|key| match key % 3 {
                0 => tx.put_stored(&[key], &[]),
                1 => tx.delete_stored(&[key]),
                _ => tx.delete_range_stored(&[key], &[key + 1]),
            })
        })
    };
    assert_eq!(writes(3), Ok(()));
    assert_eq!(writes(4), Err(too_large("writes", 3)));
}

#[test]
fn written_bytes_are_counted_over_all_writes() {
    let budget = Budget { write_bytes_max: 100, ..Budget::default() };
    let puts = |count: u8, size: usize| {
        run(budget, |tx| (0..count).try_for_each(|key| tx.put_stored(&[key], &vec![0; size])))
    };
    assert_eq!(puts(1, 90), Ok(()));
    assert_eq!(puts(1, 100), Err(too_large("bytes written", 100)));
    assert_eq!(puts(4, 15), Ok(()));
    assert_eq!(puts(8, 15), Err(too_large("bytes written", 100)));
}

#[test]
fn what_was_taken_back_no_longer_counts() {
    let budget = Budget { writes_max: 2, write_bytes_max: 60, ..Budget::default() };
    let result = run(budget, |tx| {
        for _ in 0..5 {
            tx.put_stored(&[1], &[0; 20])?;
            tx.put_stored(&[2], &[0; 20])?;
            tx.rollback();
        }
        tx.put_stored(&[3], &[0; 20])
    });
    assert_eq!(result, Ok(()));
}

#[test]
fn reads_and_scanned_rows_are_counted() {
    let budget = Budget { reads_max: 5, ..Budget::default() };
    let gets = |count: u8| {
        run(budget, |tx| (0..count).try_for_each(|key| tx.get_stored(&[key]).map(drop)))
    };
    assert_eq!(gets(5), Ok(()));
    assert_eq!(gets(6), Err(too_large("reads", 5)));
    let scan = |limit| run(budget, |tx| tx.scan_stored(&[0], &[KEYS], Scan::up(limit)));
    assert_eq!(scan(4).map(|rows| rows.len()), Ok(4));
    assert_eq!(scan(5).unwrap_err(), too_large("reads", 5));
    assert_eq!(scan(usize::MAX).unwrap_err(), too_large("reads", 5));
}

#[test]
fn read_bytes_are_counted() {
    let budget = Budget { read_bytes_max: 33, ..Budget::default() };
    let scan = |limit| run(budget, |tx| tx.scan_stored(&[0], &[KEYS], Scan::up(limit)));
    assert_eq!(scan(3).map(|rows| rows.len()), Ok(3));
    assert_eq!(scan(4).unwrap_err(), too_large("bytes read", 33));
    let gets = |count: u8| {
        run(budget, |tx| (0..count).try_for_each(|key| tx.get_stored(&[key]).map(drop)))
    };
    assert_eq!(gets(3), Ok(()));
    assert_eq!(gets(4), Err(too_large("bytes read", 33)));
}

#[test]
fn timers_are_writes() {
    let budget = Budget { writes_max: 1, ..Budget::default() };
    let arm = |count: u64| {
        run(budget, |tx| {
            let due = |n| LogTime::from_us(n);
            (0..count).try_for_each(|n| tx.arm_timer(due(n), "some.timer", &n).map(drop))
        })
    };
    assert_eq!(arm(1), Ok(()));
    assert_eq!(arm(2), Err(too_large("writes", 1)));
}
