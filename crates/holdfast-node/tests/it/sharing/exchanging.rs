//! Whoever leads exchanges the snapshots while another node restores one.

use std::{
    fmt, io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use holdfast_engine::SnapshotKeeper;
use holdfast_log::{
    RealDisk,
    disk::{Disk, DiskFile, Locking},
};
use holdfast_node::{
    LogPlace, OpenError,
    data_dir::DataDir,
    recovery::{Places, Recovered, recover},
};

use super::{World, comes_to_lead, work_until_trimmed};
use crate::data::Running;

/// A directory of snapshots that are no longer there when they are opened, a number of times.
struct Exchanging {
    disk: RealDisk,
    times: AtomicUsize,
    exchange: Box<dyn Fn() + Send + Sync>,
}

impl fmt::Debug for Exchanging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchanging").finish_non_exhaustive()
    }
}

impl Disk for Exchanging {
    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let less = |times: usize| times.checked_sub(1);
        if self.times.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok() {
            (self.exchange)();
        }
        self.disk.open(name)
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.create(name)
    }

    fn list(&self) -> io::Result<Vec<String>> {
        self.disk.list()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.remove(name)
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.disk.sync_dir()
    }

    fn lock(&self) -> io::Result<Locking> {
        self.disk.lock()
    }

    fn fresh_id(&self) -> io::Result<[u8; 16]> {
        self.disk.fresh_id()
    }

    fn location(&self) -> String {
        self.disk.location()
    }
}

/// Snapshots that are there now.
fn snapshots(world: &World) -> Vec<String> {
    let disk = RealDisk::open(world.path("snapshots")).unwrap();
    SnapshotKeeper::new(Arc::new(disk)).list().unwrap()
}

/// Works until none of the snapshots is there that are there now; how many accounts there are then.
fn exchange(world: &World, leader: &Running, mut count: usize) -> usize {
    let before = snapshots(world);
    while snapshots(world).iter().any(|name| before.contains(name)) {
        leader.work(count..count + 1);
        count += 1;
    }
    count
}

/// What an empty node begins with while its leader exchanges the snapshots so often.
fn restored(times: usize) -> Result<Recovered, OpenError> {
    let world = Arc::new(World::new());
    let leader = Arc::new(world.start("a"));
    comes_to_lead(&leader);
    let count = AtomicUsize::new(work_until_trimmed(&world, &leader));
    let (exchanged, works) = (Arc::clone(&world), Arc::clone(&leader));
    let disk = Exchanging {
        disk: RealDisk::open(world.path("snapshots")).unwrap(),
        times: AtomicUsize::new(times),
        exchange: Box::new(move || {
            let now = exchange(&exchanged, &works, count.load(Ordering::SeqCst));
            count.store(now, Ordering::SeqCst);
        }),
    };
    let keeper = SnapshotKeeper::shared(Arc::new(disk), "b");
    let dir = DataDir::open_or_create(&world.path("b")).unwrap();
    let places = Places { log: LogPlace::Shared, snapshots: world.path("snapshots") };
    let recovered = recover(&dir, &keeper, &world.log.reopen(), &places);
    assert_eq!(leader.node.close(), holdfast_engine::Stopped::Cleanly);
    recovered
}

#[test]
fn p16_a_node_takes_the_newer_snapshot_when_the_one_it_restores_is_removed() {
    let recovered = restored(1).unwrap();
    assert!(recovered.store.mark().version.get() > 1);
    let newest = recovered.kept.first().expect("it is from a snapshot").mark.version;
    assert_eq!(recovered.store.mark().version, newest);
}

#[test]
fn p16_a_node_that_always_comes_too_late_says_so_in_the_end() {
    let refused = restored(usize::MAX).map(drop).unwrap_err();
    assert!(matches!(refused, OpenError::NoState { .. }), "{refused}");
    assert!(refused.to_string().contains("the log that nodes share was trimmed"), "{refused}");
}
