//! Snapshots: what may be trimmed, what is kept, and that a bad one costs nothing (P16).

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use holdfast_engine::{Config, Event, SnapshotKeeper, engine::checkpoint_of, snapshots::KeepError};
use holdfast_log::{
    Disk, FaultDisk, MemoryLog, ReaderState,
    disk::{DiskFile, Fault, Io, Locking},
};
use holdfast_state::{MemoryStore, Snapshot};

use crate::{
    disks::Directory,
    held::HeldLog,
    history::rows,
    instance::{keeper, must_open},
    node::{Clock, Node, Start, config},
    toy::Op,
};

fn state_of(snapshot: &dyn Snapshot) -> ReaderState {
    checkpoint_of(snapshot.mark()).unwrap().unwrap()
}

fn open(account: u64) -> Op {
    Op::Open { account, balance: 10 }
}

/// A leader that wants to keep a snapshot after every entry.
fn eager() -> (MemoryLog, Node) {
    let memory = MemoryLog::new();
    let config = Config { snapshot_bytes: 1, ..config() };
    let node = Node::leading(&HeldLog::over(&memory), Start { config, ..Start::default() });
    (memory, node)
}

#[test]
fn p16_the_log_is_trimmed_below_the_older_of_the_last_two_verified_snapshots_only() {
    let (_, mut node) = eager();
    let mut kept = Vec::new();
    for account in 0..12 {
        node.op("op", &open(account));
        node.settle();
        let snapshot = node.keep.pop().expect("it wants a snapshot");
        let during = node.op("meanwhile", &open(100 + account));
        node.settle();
        assert!(node.keep.is_empty() && !during.is_open(), "one at a time");
        let before = node.trims.len();
        if account % 4 == 3 {
            node.handle(Event::SnapshotFailed("the disk is full".to_owned()));
            node.settle();
            assert_eq!(node.trims.len(), before, "a failure permits nothing");
            continue;
        }
        kept.push(state_of(&*snapshot).next_position);
        node.handle(Event::SnapshotKept(state_of(&*snapshot)));
        node.settle();
        if let [.., older, _] = kept[..] {
            assert_eq!(node.trims.last(), Some(&older));
            assert!(node.trimmed.is_ok());
        } else {
            assert!(node.trims.is_empty(), "there is only one");
        }
    }
    assert_eq!(node.trims.len(), 8);
}

#[test]
fn p16_after_a_restart_the_first_new_snapshot_permits_a_trim_below_the_one_found() {
    let (memory, mut node) = eager();
    node.op("a", &open(1));
    node.settle();
    let found = node.keep.pop().unwrap();
    let state = state_of(&*found);
    node.kill();
    let store = MemoryStore::from_pairs(rows(&*found), found.mark().clone());
    let start = Start {
        config: Config { snapshot_bytes: 1, ..config() },
        store: Box::new(store),
        seed: 2,
        newest_snapshot: Some(state.next_position),
        ..Start::default()
    };
    let mut node = Node::leading(&HeldLog::over(&memory), start);
    node.op("b", &open(2));
    node.settle();
    let next = node.keep.pop().unwrap();
    node.handle(Event::SnapshotKept(state_of(&*next)));
    node.settle();
    assert_eq!(node.trims, [state.next_position]);
}

#[test]
fn p16_a_snapshot_holds_applied_state_only_and_where_the_log_goes_on() {
    let memory = MemoryLog::new();
    let config = Config { snapshot_bytes: 1, entries_in_flight_max: 8, ..config() };
    let log = HeldLog::over(&memory);
    let mut node = Node::leading(&log, Start { config, ..Start::default() });
    log.hold();
    for account in 0..4 {
        node.op("op", &open(account));
        node.settle();
    }
    log.answer(2);
    log.answer(3);
    node.settle();
    let snapshot = node.keep.pop().unwrap();
    assert_eq!(snapshot.mark().version.get(), 2);
    let state = state_of(&*snapshot);
    assert_eq!((state.next_version, state.next_position.get(), state.sequence), (3, 4, 2));
    assert_eq!(crate::toy::balances(&*snapshot).len(), 2);
}

/// Writes a snapshot of a new version.
fn write(disk: &FaultDisk, node: &mut Node, account: u64) -> Result<String, KeepError> {
    node.op("op", &open(account));
    node.settle();
    keeper(disk).write(&*node.state()).map(|kept| kept.file)
}

fn flip(disk: &FaultDisk, file: &str) {
    let name = format!("snapshots-{file}");
    let middle = disk.bytes(&name).unwrap().len() / 2;
    disk.flip(&name, middle as u64, 1);
}

#[test]
fn p16_the_newest_two_good_ones_are_kept_and_a_bad_one_does_not_count() {
    let disk = FaultDisk::new();
    let mut node = Node::leading(&HeldLog::new(), Start::default());
    let files: Vec<String> = (0..4).map(|n| write(&disk, &mut node, n).unwrap()).collect();
    assert_eq!(keeper(&disk).list().unwrap(), [files[3].clone(), files[2].clone()]);
    flip(&disk, &files[3]);
    let next = write(&disk, &mut node, 9).unwrap();
    assert_eq!(keeper(&disk).list().unwrap(), [next, files[2].clone()], "the good older one stays");
}

#[test]
fn p16_a_snapshot_that_does_not_read_back_is_not_kept() {
    let disk = FaultDisk::new();
    let mut node = Node::leading(&HeldLog::new(), Start::default());
    let good: Vec<String> = (0..2).map(|n| write(&disk, &mut node, n).unwrap()).collect();
    let ios = disk.ios();
    write(&disk, &mut node, 2).unwrap();
    let needed = disk.ios() - ios;
    for fault in [Fault::Error, Fault::NoSpace, Fault::LostSync] {
        for io in 0..needed {
            disk.fail_at(disk.ios() + io, fault);
            let written = write(&disk, &mut node, 100 + disk.ios());
            let found = keeper(&disk).list().unwrap();
            let good = found.iter().filter(|file| keeper(&disk).verify(file).is_ok()).count();
            assert!(good >= 2, "{fault:?} at {io}: {written:?}, {found:?}");
        }
    }
    assert!(!keeper(&disk).list().unwrap().contains(&good[0]));
}

/// A disk that writes something else than it was given, once it is told to.
#[derive(Debug)]
struct Lying {
    inner: Arc<dyn Disk>,
    from_now_on: Arc<AtomicBool>,
}

#[derive(Debug)]
struct LyingFile {
    inner: Arc<dyn DiskFile>,
    from_now_on: Arc<AtomicBool>,
}

impl DiskFile for LyingFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.inner.read_at(offset, buffer)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut bytes = bytes.to_vec();
        let last = bytes.len() - 1;
        bytes[last] ^= u8::from(self.from_now_on.load(Ordering::SeqCst));
        self.inner.write_at(offset, &bytes)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.inner.sync_data()
    }

    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }
}

impl Disk for Lying {
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let from_now_on = Arc::clone(&self.from_now_on);
        Ok(Arc::new(LyingFile { inner: self.inner.create(name)?, from_now_on }))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.inner.open(name)
    }

    fn list(&self) -> io::Result<Vec<String>> {
        self.inner.list()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.inner.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.inner.remove(name)
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.inner.sync_dir()
    }

    fn lock(&self) -> io::Result<Locking> {
        self.inner.lock()
    }

    fn fresh_id(&self) -> io::Result<[u8; 16]> {
        self.inner.fresh_id()
    }

    fn location(&self) -> String {
        self.inner.location()
    }
}

#[test]
fn p16_what_the_disk_did_not_write_as_it_was_given_is_noticed_before_it_counts() {
    let lies = Arc::new(AtomicBool::new(false));
    let inner = Directory::of(&FaultDisk::new(), "snapshots-");
    let keeper = SnapshotKeeper::new(Arc::new(Lying { inner, from_now_on: Arc::clone(&lies) }));
    let mut node = Node::leading(&HeldLog::new(), Start::default());
    let mut write = |account| {
        node.op("op", &open(account));
        node.settle();
        keeper.write(&*node.state()).map(|kept| kept.file)
    };
    let good = [write(1).unwrap(), write(2).unwrap()];
    lies.store(true, Ordering::SeqCst);
    assert!(matches!(write(3), Err(KeepError::Bad { .. })));
    lies.store(false, Ordering::SeqCst);
    let next = write(4).unwrap();
    assert_eq!(keeper.list().unwrap(), [next, good[1].clone()]);
}

#[test]
fn after_the_end_nothing_follows_a_snapshot_either() {
    let (_, mut node) = eager();
    for account in 0..2 {
        node.op("op", &open(account));
        node.settle();
        let snapshot = node.keep.pop().unwrap();
        if account == 1 {
            node.stop();
        }
        node.handle(Event::SnapshotKept(state_of(&*snapshot)));
        node.settle();
    }
    assert!(node.trims.is_empty());
}

#[test]
fn p16_a_damaged_newest_snapshot_falls_back_to_the_older_and_the_log() {
    let disk = FaultDisk::new();
    let clock = Clock::new();
    let mut node = must_open(&disk, 1, &clock);
    for account in 0..60 {
        node.keyed(&format!("k-{account}"), &open(account));
        node.settle();
    }
    assert!(node.trims.len() >= 2, "the log was trimmed: {:?}", node.trims);
    let before = rows(&*node.state());
    node.close().unwrap();
    let files = keeper(&disk).list().unwrap();
    assert_eq!(files.len(), 2);
    flip(&disk, &files[0]);
    let mut node = must_open(&disk, 2, &clock);
    assert_eq!(rows(&*node.state()), before);
    for account in 60..120 {
        node.keyed(&format!("k-{account}"), &open(account));
        node.settle();
    }
    let before = rows(&*node.state());
    node.close().unwrap();
    let node = must_open(&disk, 3, &clock);
    assert_eq!(rows(&*node.state()), before);
}

#[test]
fn p16_a_snapshot_that_has_turned_out_bad_backs_no_trim() {
    let disk = FaultDisk::new();
    let mut node = Node::leading(&HeldLog::new(), Start::default());
    let mut write = |keeper: &SnapshotKeeper, account| {
        node.op("op", &open(account));
        node.settle();
        keeper.write(&*node.state()).unwrap()
    };
    let earlier = keeper(&disk);
    let kept = [write(&earlier, 1), write(&earlier, 2)];
    flip(&disk, &kept[1].file);
    // Whoever leads next remembers that one as the newest, and finds it bad when it writes its own.
    let later = keeper(&disk);
    write(&later, 3);
    let backs = |at: usize| later.backs(kept[at].state.next_position).unwrap();
    assert_eq!((backs(0), backs(1)), (true, false));
}

#[test]
fn a_disk_error_while_a_snapshot_is_kept_does_not_stop_the_partition() {
    let disk = FaultDisk::new();
    let clock = Clock::new();
    let mut node = must_open(&disk, 1, &clock);
    let for_snapshots = FaultDisk::new();
    node.keeper = Some(keeper(&for_snapshots));
    let mut last = 0;
    for account in 0..120 {
        if account == 10 {
            for_snapshots.fail_next(Io::Name, Fault::NoSpace);
        }
        let asked = node.op("op", &open(account));
        node.settle();
        assert!(asked.version() > last);
        last = asked.version();
    }
    assert!(node.engine.metrics().snapshots.get() >= 2);
    assert_eq!(keeper(&for_snapshots).list().unwrap().len(), 2);
}
