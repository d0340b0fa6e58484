//! A disk store against a map: random batches, snapshots held over write-backs
//! and merges, reopened at random points.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use holdfast_state::{
    DiskOptions, DiskStore, Mark, Scan, Snapshot, Source, Store, StoreError, Version, disk::Upkeep,
};
use proptest::prelude::*;

use crate::disk_world::{Change, Rows, Transaction, all, apply, mark_fits, place, replay, tiny};

#[derive(Clone, Debug)]
enum Step {
    Apply(Vec<Transaction>),
    TakeSnapshot,
    /// Of what is written back.
    TakeWrittenBack,
    DropSnapshot,
    Persist,
    /// Drop and open again; the store may have forgotten what was not persisted.
    Reopen,
    Scan {
        from: Vec<u8>,
        to: Vec<u8>,
        limit: usize,
    },
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![Just(0_u8), Just(1), Just(9), Just(255)];
    let short = prop::collection::vec(byte.clone(), 0..4);
    let long = prop::collection::vec(byte, 0..3).prop_map(|end| [&[5; 39][..], &end].concat());
    prop_oneof![3 => short, 1 => long]
}

fn change() -> impl Strategy<Value = Change> {
    let value = (any::<u8>(), 0_usize..200).prop_map(|(byte, length)| vec![byte; length]);
    prop_oneof![
        12 => (key(), value).prop_map(|(key, value)| Change::Put(key, value)),
        4 => key().prop_map(Change::Delete),
        1 => (key(), key()).prop_map(|(from, to)| Change::DeleteRange(from, to)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    // Large ones are applied piece by piece.
    let length = prop_oneof![9 => 0_usize..6, 1 => 30..100_usize];
    let transaction = length.prop_flat_map(|length| prop::collection::vec(change(), length));
    prop_oneof![
        12 => prop::collection::vec(transaction, 1..8).prop_map(Step::Apply),
        2 => Just(Step::TakeSnapshot),
        2 => Just(Step::TakeWrittenBack),
        1 => Just(Step::DropSnapshot),
        2 => Just(Step::Persist),
        1 => Just(Step::Reopen),
        4 => (key(), key(), 0_usize..9).prop_map(|(from, to, limit)| Step::Scan { from, to, limit }),
    ]
}

/// A store, what it must hold, and what it held after each batch.
struct Pair {
    dir: tempfile::TempDir,
    store: Option<DiskStore>,
    now: Rows,
    history: BTreeMap<Version, Rows>,
    persisted: Version,
    /// Of what was written back when that was looked at last.
    written_back: Version,
    snapshots: Vec<(Arc<dyn Snapshot>, Rows)>,
}

impl Pair {
    fn new() -> Self {
        let dir = place();
        let store = Some(DiskStore::open(dir.path(), &tiny()).unwrap());
        let history = BTreeMap::from([(Version::ZERO, Rows::new())]);
        let (now, snapshots) = (Rows::new(), Vec::new());
        let (persisted, written_back) = (Version::ZERO, Version::ZERO);
        Self { dir, store, now, history, persisted, written_back, snapshots }
    }

    fn store(&mut self) -> &mut DiskStore {
        self.store.as_mut().unwrap()
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Apply(transactions) => {
                apply(self.store(), transactions);
                replay(&mut self.now, transactions);
                let version = self.store().mark().version;
                self.history.insert(version, self.now.clone());
            }
            Step::TakeSnapshot => {
                let snapshot = self.store().snapshots().latest();
                self.snapshots.push((snapshot, self.now.clone()));
            }
            Step::TakeWrittenBack => self.take_written_back(),
            Step::DropSnapshot => drop(self.snapshots.pop()),
            Step::Persist => {
                self.store().persist().unwrap();
                self.persisted = self.store().mark().version;
                self.take_written_back();
                assert_eq!(self.written_back, self.persisted);
            }
            Step::Reopen => self.reopen(),
            Step::Scan { from, to, limit } => {
                check_scan(self.store.as_ref().unwrap(), &self.now, from, to, *limit);
                for (snapshot, rows) in &self.snapshots {
                    check_scan(&**snapshot, rows, from, to, *limit);
                }
            }
        }
    }

    /// Takes what is written back: a state between two batches, and never an earlier one than before.
    fn take_written_back(&mut self) {
        let snapshot = self.store().snapshots().written_back();
        let mark = snapshot.mark();
        assert!(mark_fits(mark), "{mark:?}");
        assert!(mark.version >= self.written_back.max(self.persisted), "{mark:?}");
        self.written_back = mark.version;
        let rows = self.history.get(&mark.version).expect("a version between batches").clone();
        check_all(&*snapshot, &rows);
        self.snapshots.push((snapshot, rows));
    }

    fn reopen(&mut self) {
        self.snapshots.clear();
        self.store = None;
        self.store = Some(DiskStore::open(self.dir.path(), &tiny()).unwrap());
        let mark = self.store().mark();
        assert!(
            mark.version >= self.persisted.max(self.written_back),
            "forgot what was written back"
        );
        assert!(mark_fits(&mark), "{mark:?}");
        self.now = self.history.get(&mark.version).expect("a version between batches").clone();
        self.history.retain(|version, _| *version <= mark.version);
    }

    fn check(&self) {
        let store = self.store.as_ref().unwrap();
        check_all(store, &self.now);
        for (snapshot, rows) in &self.snapshots {
            check_all(&**snapshot, rows);
            let pairs = snapshot.pairs().map(Result::unwrap);
            let pairs: Vec<_> = pairs.map(|(key, value)| (key.to_vec(), value.to_vec())).collect();
            assert!(pairs.is_sorted(), "{pairs:?}");
            assert_eq!(&Rows::from_iter(pairs), rows);
        }
    }
}

fn check_all(source: &(impl Source + ?Sized), rows: &Rows) {
    assert_eq!(&all(source).unwrap(), rows);
    for (key, value) in rows {
        assert_eq!(source.get(key).unwrap().as_deref(), Some(&value[..]), "{key:?}");
        let absent = [key, &[3][..]].concat();
        assert_eq!(source.get(&absent).unwrap(), None);
    }
}

fn check_scan(source: &(impl Source + ?Sized), rows: &Rows, from: &[u8], to: &[u8], limit: usize) {
    let within = |key: &[u8]| from <= key && key < to;
    let wanted: Vec<_> = rows.iter().filter(|(key, _)| within(key)).collect();
    let plain = |found: Vec<(Bytes, Bytes)>| -> Vec<_> {
        found.into_iter().map(|(key, value)| (key.to_vec(), value.to_vec())).collect()
    };
    let copy = |(key, value): &(&Vec<u8>, &Vec<u8>)| ((*key).clone(), (*value).clone());
    let up: Vec<_> = wanted.iter().take(limit).map(copy).collect();
    assert_eq!(plain(source.scan(from, to, Scan::up(limit)).unwrap()), up);
    let down: Vec<_> = wanted.iter().rev().take(limit).map(copy).collect();
    assert_eq!(plain(source.scan(from, to, Scan::down(limit)).unwrap()), down);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]
    #[test]
    fn is_a_map_that_many_look_at(steps in prop::collection::vec(step(), 1..90)) {
        let mut pair = Pair::new();
        for step in &steps {
            pair.take(step);
        }
        pair.check();
        pair.take(&Step::Persist);
        pair.check();
        pair.take(&Step::Reopen);
        pair.check();
    }
}

fn put(key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Change {
    Change::Put(key.into(), value.into())
}

#[test]
fn a_snapshot_reads_on_from_another_thread_while_the_writer_goes_on() {
    let dir = place();
    let mut store = DiskStore::open(dir.path(), &tiny()).unwrap();
    let rows: Vec<_> = (0..50_u8).map(|key| put([key], [0; 50])).collect();
    apply(&mut store, &[rows]);
    let snapshot = store.snapshots().latest();
    let expected = all(&*snapshot).unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut reads = 0;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) || reads == 0 {
                assert_eq!(all(&*snapshot).unwrap(), expected);
                reads += 1;
            }
        });
        for round in 1..200_u8 {
            let rows = (0..50_u8).map(|key| put([key, round], [round; 50]));
            let over = (0..50_u8).map(|key| put([key], [round; 50]));
            apply(&mut store, &[rows.chain(over).collect()]);
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        reader.join().unwrap();
    });
}

#[test]
fn a_deleted_range_gives_its_space_back() {
    let dir = place();
    let options = DiskOptions { memtable_bytes: 64 << 10, ..tiny() };
    let mut store = DiskStore::open(dir.path(), &options).unwrap();
    for block in 0..40_u8 {
        let rows = (0..100_u8).map(|key| put([1, block, key], [7; 100])).collect();
        apply(&mut store, &[rows]);
    }
    apply(&mut store, &[vec![put([0], [1]), put([2], [2])]]);
    store.persist().unwrap();
    let full = size(dir.path());
    let held = store.snapshots().latest();
    apply(&mut store, &[vec![Change::DeleteRange(vec![1], vec![2])]]);
    let kept = Rows::from([(vec![0], vec![1]), (vec![2], vec![2])]);
    assert_eq!(all(&store).unwrap(), kept);
    store.persist().unwrap();
    assert_eq!(all(&store).unwrap(), kept);
    assert_eq!(all(&*held).unwrap().len(), 4002, "who looks at the past still sees it");
    drop(held);
    // Reclaiming happens between merges, and every write-back asks for one.
    let reclaimed = (0..1000).any(|_| {
        store.persist().unwrap();
        size(dir.path()) < full / 10
    });
    assert!(reclaimed, "{full} bytes before, {} after", size(dir.path()));
    assert_eq!(all(&store).unwrap(), kept);
}

fn size(dir: &std::path::Path) -> u64 {
    let sizes = std::fs::read_dir(dir).unwrap().filter_map(Result::ok).map(|entry| {
        let path = entry.path();
        // A merge may remove a file between the listing and the look.
        if path.is_dir() { size(&path) } else { entry.metadata().map_or(0, |meta| meta.len()) }
    });
    sizes.sum()
}

#[test]
fn without_threads_whoever_applies_writes_back_and_merges() {
    let dir = place();
    let options = DiskOptions { upkeep: Upkeep::Inline, ..tiny() };
    let mut store = DiskStore::open(dir.path(), &options).unwrap();
    let mut expected = Rows::new();
    for round in 1..=200_u8 {
        let rows = (0..20_u8).map(|key| put([key, round % 7], [round; 50])).collect::<Vec<_>>();
        replay(&mut expected, std::slice::from_ref(&rows));
        apply(&mut store, &[rows]);
    }
    assert_eq!(all(&store).unwrap(), expected);
    drop(store);
    // What fills no table is not written back, everything else is by the time `apply` returns.
    let mut store = DiskStore::open(dir.path(), &options).unwrap();
    assert!((190..=200).contains(&store.mark().version.get()), "{:?}", store.mark());
    assert!(mark_fits(&store.mark()));
    store.persist().unwrap();
    assert!(size(dir.path()) < 100 << 10, "merged: {}", size(dir.path()));
}

#[test]
fn is_made_from_sorted_rows_only() {
    let dir = place();
    let row = |key: &'static str| Ok((Bytes::from(key), Bytes::from_static(b"v")));
    let mark = Mark { version: Version::new(7), checkpoint: crate::disk_world::checkpoint(7) };
    let store = DiskStore::create_from(dir.path(), &tiny(), [row(""), row("a"), row("b")], &mark);
    let store = store.unwrap();
    assert_eq!((store.mark(), all(&store).unwrap().len()), (mark.clone(), 3));
    drop(store);
    let store = DiskStore::open(dir.path(), &tiny()).unwrap();
    assert_eq!((store.mark(), all(&store).unwrap().len()), (mark.clone(), 3));
    drop(store);
    let unsorted = DiskStore::create_from(dir.path(), &tiny(), [row("b"), row("a")], &mark);
    assert!(matches!(unsorted.unwrap_err(), StoreError::Doubt { .. }));
    let store = DiskStore::open(dir.path(), &tiny()).unwrap();
    assert_eq!(store.mark(), Mark::default(), "a store that was not finished is none");
}

#[test]
fn one_at_a_time_but_a_new_one_beside_old_snapshots() {
    let dir = place();
    let mut store = DiskStore::open(dir.path(), &tiny()).unwrap();
    apply(&mut store, &[vec![put("k", "old")]]);
    let used = DiskStore::open(dir.path(), &tiny());
    assert!(matches!(used.unwrap_err(), StoreError::Io { .. }));
    store.persist().unwrap();
    let snapshot = store.snapshots().latest();
    drop(store);
    let used = DiskStore::open(dir.path(), &tiny());
    assert!(matches!(used.unwrap_err(), StoreError::Io { .. }), "the snapshot holds the tree");
    let fresh = DiskStore::create_from(dir.path(), &tiny(), [], &Mark::default()).unwrap();
    drop(snapshot);
    assert_eq!(all(&fresh).unwrap(), Rows::new());
}
