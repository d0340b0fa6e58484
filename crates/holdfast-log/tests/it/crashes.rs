//! The script is stopped at every single IO, in every way, and so is the open that follows.

use std::sync::{Arc, Mutex, mpsc};

use bytes::Bytes;
use holdfast_log::disk::{Crash, Fault, Io};
use holdfast_log::{Append, FaultDisk, FileLogOptions, Log, Read, Spare, blocking};

use crate::script;
use crate::world::{Contents, POSITIONS_MAX, World, at, open, options};

/// Runs the script with a fault at this IO; `None` if it came through.
fn run_into(io: u64, fault: Fault) -> Option<(FaultDisk, World)> {
    run_into_with(io, fault, &options())
}

fn run_into_with(io: u64, fault: Fault, options: &FileLogOptions) -> Option<(FaultDisk, World)> {
    let disk = FaultDisk::new();
    disk.fail_at(io, fault);
    let world = Arc::new(Mutex::new(World::new()));
    let result = script::run(&disk, options, &world);
    if disk.ios() <= io {
        result.expect("the script passes where nothing fails");
        return None;
    }
    let world = world.lock().unwrap().clone();
    Some((disk, world))
}

/// Opens the log and checks what is found against what is known; then that it stays so whatever
/// happens next, and that the log goes on.
fn check_reopened(disk: &FaultDisk, world: &World) {
    let log = open(disk).unwrap();
    let found = Contents::of(&*log).unwrap();
    world.check(&found);
    drop(log);

    check_goes_on(&disk.kill(), &found);

    // What was shown was durable: a power cut right after opening changes nothing.
    let disk = disk.crash(Crash::Lost);
    let log = open(&disk).unwrap();
    assert_eq!(Contents::of(&*log).unwrap(), found);

    // And it takes appends, at the hole and beyond, that a clean stop keeps.
    let entry = Bytes::from_static(b"after the crash");
    for position in [found.tail, POSITIONS_MAX] {
        let append = blocking::append(&*log, at(position), entry.clone()).unwrap();
        assert_eq!(append, Append::Ok);
    }
    blocking::close(&*log).unwrap();
    drop(log);
    let log = open(&disk).unwrap();
    let after = Contents::of(&*log).unwrap();
    for position in 1..=POSITIONS_MAX {
        if position == found.tail || position == POSITIONS_MAX {
            assert_eq!(*after.at(position), Read::Entry(entry.clone()));
        } else {
            assert_eq!(after.at(position), found.at(position));
        }
    }
}

/// Appends and trims after the open, and loses power before anything else is synced.
fn check_goes_on(disk: &FaultDisk, found: &Contents) {
    let log = open(disk).unwrap();
    let entry = Bytes::from_static(b"the only one left");
    let append = blocking::append(&*log, at(found.tail), entry.clone()).unwrap();
    assert_eq!(append, Append::Ok);
    blocking::trim(&*log, at(found.tail)).unwrap();
    drop(log);
    let log = open(&disk.crash(Crash::Lost)).unwrap();
    let after = Contents::of(&*log).unwrap();
    assert_eq!(after.mark(), found.tail);
    assert_eq!(*after.at(found.tail), Read::Entry(entry));
}

#[test]
fn a_power_cut_at_every_io_loses_nothing_that_was_acknowledged() {
    let mut acked_most = 0;
    let mut io = 0;
    while let Some((disk, world)) = run_into(io, Fault::PowerCut) {
        for crash in [Crash::Kept, Crash::Lost] {
            check_reopened(&disk.crash(crash), &world);
        }
        for seed in 0..6 {
            check_reopened(&disk.crash(Crash::Torn(io * 100 + seed)), &world);
        }
        acked_most = acked_most.max(world.acked_count());
        io += 1;
    }
    assert!(io > 250, "the script has more than {io} IOs");
    assert!(acked_most > 50, "the script acknowledges more than {acked_most} entries");
}

#[test]
fn a_power_cut_at_every_io_of_an_open_changes_nothing() {
    let mut io = 0;
    let mut cuts = 0;
    while let Some((disk, world)) = run_into(io, Fault::PowerCut) {
        for crash in [Crash::Kept, Crash::Lost, Crash::Torn(io)] {
            cuts += cut_every_open(&disk.crash(crash), &world, io);
        }
        io += 1;
    }
    assert!(cuts > 10_000, "{cuts} opens were cut");
}

fn cut_every_open(disk: &FaultDisk, world: &World, seed: u64) -> u64 {
    for at_io in 0.. {
        let disk = disk.kill();
        disk.fail_at(at_io, Fault::PowerCut);
        if open(&disk).is_ok() {
            return at_io;
        }
        let crash = match at_io % 3 {
            0 => Crash::Kept,
            1 => Crash::Lost,
            _ => Crash::Torn(seed * 1000 + at_io),
        };
        let log = open(&disk.crash(crash)).unwrap();
        world.check(&Contents::of(&*log).unwrap());
    }
    unreachable!("an open has finitely many IOs")
}

/// The next process finds everything in the page cache, though it may never reach the disk: that
/// is what makes a failed sync treacherous.
#[test]
fn an_io_error_at_every_io_loses_nothing_that_was_acknowledged() {
    for fault in [Fault::Error, Fault::NoSpace, Fault::LostSync] {
        let mut io = 0;
        while let Some((disk, world)) = run_into(io, fault) {
            check_reopened(&disk.kill(), &world);
            check_reopened(&disk.crash(Crash::Lost), &world);
            check_reopened(&disk.crash(Crash::Torn(io)), &world);
            io += 1;
        }
        assert!(io > 250, "the script has more than {io} IOs");
    }
}

/// With segments prepared ahead two threads write, and a cut catches both somewhere.
#[test]
fn a_power_cut_at_every_io_of_two_threads_loses_nothing_that_was_acknowledged() {
    let options = FileLogOptions { spare: Spare::Ahead, ..options() };
    let mut io = 0;
    while let Some((disk, world)) = run_into_with(io, Fault::PowerCut, &options) {
        check_reopened(&disk.crash(Crash::Lost), &world);
        check_reopened(&disk.crash(Crash::Torn(io)), &world);
        io += 1;
    }
    assert!(io > 250, "the script has more than {io} IOs");
}

/// A process that is killed and started again on the same machine, and only then loses power.
#[test]
fn a_kill_at_every_io_loses_nothing_that_was_acknowledged() {
    let mut io = 0;
    while let Some((disk, world)) = run_into(io, Fault::PowerCut) {
        check_reopened(&disk.kill(), &world);
        io += 1;
    }
}

/// Sends these entries at 1, 2 … in one group, and loses power before it is synced.
fn cut_off_in_a_group(disk: &FaultDisk, entries: &[Bytes]) {
    let log = open(disk).unwrap();
    disk.fail_next(Io::Sync, Fault::PowerCut);
    let (group, entries) = (Arc::clone(&log), entries.to_vec());
    let (answers, answered) = mpsc::channel();
    // A trim of nothing writes nothing; its callback runs on the writer's thread.
    let send = move |_| {
        for (position, bytes) in (1..).zip(entries) {
            let answers = answers.clone();
            let done = move |result: Result<_, _>| answers.send(result.is_ok()).unwrap();
            group.append(at(position), bytes, Box::new(done));
        }
    };
    log.trim(at(1), Box::new(send));
    assert!(answered.iter().all(|is_ok| !is_ok), "nothing is acknowledged");
}

/// A torn group leaves its second record without its first. The first is then sent again, byte for
/// byte, so that the stale record would follow it.
#[test]
fn a_record_that_was_cut_off_does_not_come_back() {
    let [first, second] = [Bytes::from(vec![1; 700]), Bytes::from_static(b"second")];
    let second_record = 4096 + 80 + 704;
    let disk = FaultDisk::new();
    cut_off_in_a_group(&disk, &[first.clone(), second]);
    let mut stale = 0;
    for seed in 0..64 {
        let disk = disk.crash(Crash::Torn(seed));
        let bytes = disk.bytes("000000000001.segment").unwrap();
        let log = open(&disk).unwrap();
        if Contents::of(&*log).unwrap().tail > 1 {
            continue;
        }
        stale += u64::from(bytes[second_record..].starts_with(b"HFR"));
        assert_eq!(blocking::append(&*log, at(1), first.clone()).unwrap(), Append::Ok);
        drop(log);
        let log = open(&disk.crash(Crash::Lost)).unwrap();
        let found = Contents::of(&*log).unwrap();
        assert_eq!((found.tail, found.at(2)), (2, &Read::Empty), "seed {seed}");
    }
    assert!(stale > 3, "only {stale} crashes left the second record alone");
}
