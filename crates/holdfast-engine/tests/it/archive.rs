//! Entries that are trimmed are in the archive first, byte for byte, or nothing is trimmed (P18).

use bytes::Bytes;
use holdfast_engine::{Archive, ArchiveError, archive::Range};
use holdfast_log::{
    Disk as _, FaultDisk, Log, MemoryLog, Position, Read, blocking,
    disk::{Crash, Fault},
};

use crate::{
    disks::Directory,
    held::HeldLog,
    node::{Node, Start},
    toy::Op,
};

pub(crate) fn archive(disk: &FaultDisk) -> Archive {
    Archive::new(Directory::of(disk, "archive-"))
}

/// A log with a claim at position 1 and `count` entries after it.
fn log(count: u64) -> MemoryLog {
    log_of(1, count)
}

/// Another seed makes another log.
fn log_of(seed: u64, count: u64) -> MemoryLog {
    let memory = MemoryLog::new();
    let start = Start { seed, ..Start::default() };
    let mut node = Node::leading(&HeldLog::over(&memory), start);
    for account in 0..count {
        node.op("op", &Op::Open { account, balance: 10 });
        node.settle();
    }
    memory
}

fn at(position: u64) -> Position {
    Position::new(position).unwrap()
}

fn trim(log: &MemoryLog, below: u64) {
    blocking::trim(log, at(below)).unwrap();
}

/// Entries of the log from `from` to its end.
fn logged(log: &dyn Log, from: u64) -> Vec<(Position, Bytes)> {
    let reads = blocking::read(log, at(from), usize::MAX).unwrap();
    let entries = reads.into_iter().map_while(|read| match read {
        Read::Entry(bytes) => Some(bytes),
        Read::Empty | Read::Trimmed => None,
    });
    entries.enumerate().map(|(n, bytes)| (at(from + n as u64), bytes)).collect()
}

/// All that is in the archive, if all of it is good.
pub(crate) fn archived(disk: &FaultDisk) -> Result<Vec<(Position, Bytes)>, ArchiveError> {
    let mut found = Vec::new();
    for range in archive(disk).ranges()? {
        found.extend(archive(disk).entries(range)?.collect::<Result<Vec<_>, _>>()?);
    }
    Ok(found)
}

fn ranges(disk: &FaultDisk) -> Vec<(u64, u64)> {
    let ranges = archive(disk).ranges().unwrap();
    ranges.iter().map(|range| (range.first.get(), range.last.get())).collect()
}

#[test]
fn p18_what_is_trimmed_is_in_the_archive_byte_for_byte() {
    let (log, disk) = (log(20), FaultDisk::new());
    let all = logged(&log, 1);
    assert_eq!(all.len(), 21);
    for below in [2, 9, 9, 21] {
        archive(&disk).take(&log, at(below)).unwrap();
        assert_eq!(archived(&disk).unwrap(), all[..usize::try_from(below).unwrap() - 1]);
        trim(&log, below);
    }
    assert_eq!(ranges(&disk), [(1, 1), (2, 8), (9, 20)]);
}

#[test]
fn p18_an_archive_that_fails_at_any_operation_holds_only_whole_files_and_goes_on() {
    let log = log(12);
    let all = logged(&log, 1);
    let ios = {
        let disk = FaultDisk::new();
        archive(&disk).take(&log, at(6)).unwrap();
        disk.ios()
    };
    for fault in [Fault::Error, Fault::NoSpace, Fault::LostSync] {
        for io in 0..ios {
            for crash in [Crash::Kept, Crash::Lost, Crash::Torn(7)] {
                let disk = FaultDisk::new();
                disk.fail_at(io, fault);
                let taken = archive(&disk).take(&log, at(6));
                let disk = disk.crash(crash);
                let found = archived(&disk).unwrap();
                assert!(taken.is_err() || found == all[..5], "{fault:?} at {io}, {crash:?}");
                assert!(found.is_empty() || found == all[..5], "{fault:?} at {io}, {crash:?}");
                archive(&disk).take(&log, at(9)).unwrap();
                assert_eq!(archived(&disk).unwrap(), all[..8], "{fault:?} at {io}, {crash:?}");
            }
        }
    }
}

#[test]
fn p18_a_crash_between_archive_and_trim_archives_nothing_twice() {
    let (log, disk) = (log(12), FaultDisk::new());
    let all = logged(&log, 1);
    archive(&disk).take(&log, at(6)).unwrap();
    let disk = disk.crash(Crash::Lost);
    for below in [4, 6] {
        archive(&disk).take(&log, at(below)).unwrap();
        assert_eq!(ranges(&disk), [(1, 5)]);
    }
    archive(&disk).take(&log, at(8)).unwrap();
    assert_eq!(ranges(&disk), [(1, 5), (6, 7)]);
    assert_eq!(archived(&disk).unwrap(), all[..7]);
}

#[test]
fn p18_each_damaged_byte_is_noticed_and_its_file_named() {
    let (log, disk) = (log(3), FaultDisk::new());
    archive(&disk).take(&log, at(4)).unwrap();
    let file = Range { first: at(1), last: at(3) }.file();
    let name = format!("archive-{file}");
    for offset in 0..disk.bytes(&name).unwrap().len() as u64 {
        disk.flip(&name, offset, 1);
        let error = archived(&disk).unwrap_err();
        assert!(matches!(error, ArchiveError::Bad { .. }), "{offset}: {error}");
        assert!(error.to_string().contains(&file), "{offset}: {error}");
        disk.flip(&name, offset, 1);
    }
    assert!(archived(&disk).is_ok());
    for other in [Range { first: at(2), last: at(4) }, Range { first: at(1), last: at(4) }] {
        let renamed = FaultDisk::new();
        renamed.plant(&format!("archive-{}", other.file()), &disk.bytes(&name).unwrap());
        assert!(matches!(archived(&renamed), Err(ArchiveError::Bad { .. })));
    }
    disk.plant(&format!("archive-{}", Range { first: at(3), last: at(4) }.file()), b"");
    assert!(matches!(archived(&disk), Err(ArchiveError::Strange { .. })), "it overlaps");
}

#[test]
fn p18_an_archive_of_another_log_or_of_another_past_is_refused() {
    let (one, disk) = (log(6), FaultDisk::new());
    archive(&disk).take(&one, at(5)).unwrap();
    let before = archived(&disk).unwrap();
    for trimmed in [1, 5] {
        // As long, with the same beginning of the archive still there or not.
        let other = log_of(2, 9);
        trim(&other, trimmed);
        let refused = archive(&disk).take(&other, at(8));
        assert!(matches!(refused, Err(ArchiveError::OtherHistory { .. })), "{refused:?}");
    }
    assert_eq!(archived(&disk).unwrap(), before);
}

#[test]
fn p18_an_archive_that_comes_late_or_was_off_for_a_while_shows_what_it_never_had() {
    let (log, disk) = (log(40), FaultDisk::new());
    trim(&log, 7);
    archive(&disk).take(&log, at(7)).unwrap();
    assert_eq!(ranges(&disk), []);
    archive(&disk).take(&log, at(12)).unwrap();
    trim(&log, 30);
    archive(&disk).take(&log, at(35)).unwrap();
    assert_eq!(ranges(&disk), [(7, 11), (30, 34)]);
    assert_eq!(archived(&disk).unwrap().len(), 10);
}

#[test]
fn two_do_not_write_to_one_archive() {
    let (log, disk) = (log(3), FaultDisk::new());
    let held = disk.lock().unwrap();
    let refused = archive(&disk).take(&log, at(3));
    assert!(matches!(refused, Err(ArchiveError::Busy { .. })), "{refused:?}");
    drop(held);
    archive(&disk).take(&log, at(3)).unwrap();
}
