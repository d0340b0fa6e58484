//! Bytes that change, files that vanish: every open ends in the same contents or in a refusal that
//! names the place.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use holdfast_log::disk::{Crash, Fault, Io};
use holdfast_log::{Append, FaultDisk, Log, LogError, Read, blocking};

use crate::script;
use crate::world::{Contents, World, at, open, options};

/// A log of several segments, closed.
fn closed_log() -> (FaultDisk, Contents) {
    let disk = FaultDisk::new();
    script::run(&disk, &options(), &Arc::new(Mutex::new(World::new()))).unwrap();
    let log = open(&disk).unwrap();
    let contents = Contents::of(&*log).unwrap();
    blocking::close(&*log).unwrap();
    drop(log);
    (disk.kill(), contents)
}

/// A log of a process that was killed when it had nothing left to do.
fn killed_log() -> (FaultDisk, Contents) {
    let disk = FaultDisk::new();
    let log = open(&disk).unwrap();
    for position in 1..=20 {
        let bytes = Bytes::from(vec![position; 100 + usize::from(position) * 8]);
        let position = u64::from(position);
        assert_eq!(blocking::append(&*log, at(position), bytes).unwrap(), Append::Ok);
    }
    let contents = Contents::of(&*log).unwrap();
    drop(log);
    (disk.kill(), contents)
}

fn open_and_read(disk: &FaultDisk) -> Result<Contents, LogError> {
    Contents::of(&*open(disk)?)
}

/// Flips a byte and asserts that it is either without consequence or found.
fn check_flip(disk: &FaultDisk, name: &str, offset: u64, mask: u8, contents: &Contents) -> bool {
    let spoiled = disk.kill();
    spoiled.flip(name, offset, mask);
    match open_and_read(&spoiled) {
        Ok(found) => {
            assert_eq!(found, *contents, "{name} {offset} {mask:#x}");
            false
        }
        Err(LogError::Damaged { file, offset: told, .. }) => {
            assert_eq!(file, name, "{name} {offset} {mask:#x}");
            assert!(told <= offset, "{name} {offset} {mask:#x} was said to be at {told}");
            true
        }
        Err(other) => panic!("{name} {offset} {mask:#x}: {other}"),
    }
}

fn flip_many(disk: &FaultDisk, contents: &Contents) {
    let (mut flips, mut found) = (0_u64, 0_u64);
    for name in disk.files() {
        let len = disk.bytes(&name).unwrap().len() as u64;
        // Every byte of the headers' fields, and every so many of the rest.
        let dense = 0..len.min(100);
        let sparse = (100..len).step_by(11);
        for offset in dense.chain(sparse) {
            let mask = 1 << (offset % 8);
            flips += 1;
            found += u64::from(check_flip(disk, &name, offset, mask, contents));
        }
    }
    assert!(flips > 1500, "{flips} flips");
    assert!(found > flips / 4, "{found} of {flips} were found");
}

#[test]
fn a_flipped_bit_in_a_closed_log_is_harmless_or_found() {
    let (disk, contents) = closed_log();
    assert!(disk.files().len() > 3, "{:?}", disk.files());
    flip_many(&disk, &contents);
}

/// The mark that follows each sync makes up for the seal that is missing.
#[test]
fn a_flipped_bit_in_a_killed_log_is_harmless_or_found() {
    let (disk, contents) = killed_log();
    flip_many(&disk, &contents);
}

/// A power cut may take the mark that proves the last group durable. Then damage to that group, and
/// to nothing else, looks like a tail: until the next answer, which carries a proof.
#[test]
fn a_flip_after_a_power_cut_costs_at_most_the_last_group_and_nothing_once_more_was_answered() {
    let disk = FaultDisk::new();
    let log = open(&disk).unwrap();
    let append = |log: &dyn Log, position: u64| {
        let bytes = Bytes::from(format!("entry {position}"));
        assert_eq!(blocking::append(log, at(position), bytes).unwrap(), Append::Ok);
    };
    (1..=5).for_each(|position| append(&*log, position));
    let cut = disk.crash(Crash::Lost);
    drop(log);
    let contents = open_and_read(&cut.kill()).unwrap();
    let more = cut.kill();
    let log = open(&more).unwrap();
    append(&*log, 6);
    let more = more.crash(Crash::Lost);
    drop(log);
    let segment = disk.files().into_iter().find(|name| name != "identity").unwrap();
    let (mut lost, mut found) = (0, 0);
    // Records begin behind 4 KiB of header.
    for offset in 4_096..5_120 {
        let flipped = |disk: &FaultDisk| {
            let spoiled = disk.kill();
            spoiled.flip(&segment, offset, 1 << (offset % 8));
            open_and_read(&spoiled)
        };
        match flipped(&cut) {
            Ok(told) if told.tail == 5 => {
                assert_eq!(told.held[..4], contents.held[..4], "{offset}");
                lost += 1;
            }
            Ok(told) => assert_eq!(told, contents, "{offset}"),
            Err(LogError::Damaged { .. }) => found += 1,
            Err(other) => panic!("{offset}: {other}"),
        }
        match flipped(&more) {
            Ok(told) => assert_eq!(told.held[..5], contents.held[..5], "{offset}"),
            Err(LogError::Damaged { .. }) => {}
            Err(other) => panic!("{offset}: {other}"),
        }
    }
    assert!(lost > 0 && found > 0, "{lost} looked like a tail, {found} like damage");
}

#[test]
fn every_byte_of_every_record_header_counts() {
    let (disk, contents) = closed_log();
    let mut headers = 0;
    for name in disk.files() {
        let bytes = disk.bytes(&name).unwrap();
        let starts = (0..bytes.len()).step_by(8).filter(|at| bytes[*at..].starts_with(b"HFR\x01"));
        for start in starts.map(|at| at as u64) {
            headers += 1;
            for offset in start..start + 80 {
                check_flip(&disk, &name, offset, 0x80, &contents);
            }
        }
    }
    assert!(headers > 10, "{headers} records");
}

#[test]
fn a_missing_file_is_found() {
    let (disk, _) = closed_log();
    for name in disk.files() {
        let spoiled = disk.kill();
        spoiled.lose(&name);
        let refused = open_and_read(&spoiled).unwrap_err();
        let LogError::Damaged { file, .. } = &refused else { panic!("{refused}") };
        assert_eq!(*file, name);
    }
    let spoiled = disk.kill();
    disk.files().iter().filter(|name| *name != "identity").for_each(|name| spoiled.lose(name));
    let refused = open_and_read(&spoiled).unwrap_err();
    assert!(matches!(refused, LogError::Damaged { .. }), "{refused}");
}

#[test]
fn a_file_of_another_length_is_found() {
    let (disk, _) = closed_log();
    for name in disk.files() {
        for change in [-1, 1] {
            let spoiled = disk.kill();
            let mut bytes = disk.bytes(&name).unwrap();
            bytes.resize(bytes.len().checked_add_signed(change).unwrap(), 0);
            spoiled.plant(&name, &bytes);
            let refused = open_and_read(&spoiled).unwrap_err();
            let LogError::Damaged { file, .. } = &refused else { panic!("{refused}") };
            assert_eq!(*file, name);
        }
    }
}

#[test]
fn files_of_another_log_and_foreign_files_are_refused() {
    let (disk, contents) = closed_log();
    let other = FaultDisk::new();
    // The other disk draws the same identities; the second one differs.
    other.fail_next(Io::Name, Fault::Error);
    open(&other).unwrap_err();
    let world = Arc::new(Mutex::new(World::new()));
    script::run(&other, &options(), &world).unwrap();
    for name in disk.files() {
        let spoiled = disk.kill();
        spoiled.plant(&name, &other.bytes(&name).unwrap());
        let refused = open_and_read(&spoiled).unwrap_err();
        assert!(matches!(refused, LogError::Damaged { .. }), "{name}: {refused}");
    }
    let spoiled = disk.kill();
    spoiled.plant("notes.txt", b"");
    let refused = open_and_read(&spoiled).unwrap_err();
    assert!(matches!(&refused, LogError::ForeignFile { file } if file == "notes.txt"), "{refused}");
    spoiled.lose("notes.txt");
    assert_eq!(open_and_read(&spoiled).unwrap(), contents, "nothing was changed by refusing");
}

#[test]
fn a_byte_that_changes_while_the_log_is_open_is_found_by_the_read() {
    let (disk, _) = killed_log();
    let log = open(&disk).unwrap();
    disk.flip("000000000001.segment", 4096 + 80 + 50, 1);
    let refused = blocking::read(&*log, at(1), 1).unwrap_err();
    let LogError::Damaged { file, offset, .. } = &refused else { panic!("{refused}") };
    assert_eq!((file.as_str(), *offset), ("000000000001.segment", 4096));
    let refused = blocking::append(&*log, at(1), Bytes::new()).unwrap_err();
    assert!(matches!(refused, LogError::Damaged { .. }), "{refused}");
    blocking::read(&*log, at(2), 1).unwrap();
}

/// The newest segment's header knows only older trims: if its end is damaged, its last trim may be
/// lost, and the segments that this one removed must not be reported as missing.
#[test]
fn damage_behind_a_removed_segment_is_reported_where_it_is() {
    let disk = FaultDisk::new();
    let log = open(&disk).unwrap();
    for position in 1..=9 {
        blocking::append(&*log, at(position), Bytes::from(vec![1; 1000])).unwrap();
    }
    blocking::trim(&*log, at(10)).unwrap();
    blocking::close(&*log).unwrap();
    drop(log);
    let newest = disk.files().into_iter().find(|name| name.ends_with(".segment")).unwrap();
    assert_eq!(newest, "000000000003.segment");
    let contents = open_and_read(&disk.kill()).unwrap();
    let disk = disk.kill();
    assert!(check_flip(&disk, &newest, 4096, 1, &contents));
}

/// Two histories that part after their first entry, with records of the same sizes and numbers.
fn forked_logs() -> [FaultDisk; 2] {
    let disk = FaultDisk::new();
    let log = open(&disk).unwrap();
    blocking::append(&*log, at(1), Bytes::from(vec![0; 1000])).unwrap();
    blocking::close(&*log).unwrap();
    drop(log);
    let fork = disk.kill();
    let disks = [fork.kill(), fork.kill()];
    for (disk, byte) in disks.iter().zip(1..) {
        let log = open(disk).unwrap();
        for position in 2..=6 {
            blocking::append(&*log, at(position), Bytes::from(vec![byte; 1000])).unwrap();
        }
        blocking::close(&*log).unwrap();
    }
    disks
}

#[test]
fn records_and_segments_of_a_forked_history_do_not_fit() {
    let [ours, theirs] = forked_logs();
    for name in ["000000000001.segment", "000000000002.segment"] {
        let spoiled = ours.kill();
        spoiled.plant(name, &theirs.bytes(name).unwrap());
        let refused = open_and_read(&spoiled).unwrap_err();
        let LogError::Damaged { file, .. } = &refused else { panic!("{refused}") };
        assert_eq!(file, "000000000002.segment");
    }
    // One good record of theirs, its own checks intact, among ours.
    let name = "000000000001.segment";
    let (mut bytes, other) = (ours.bytes(name).unwrap(), theirs.bytes(name).unwrap());
    let differs = (0..bytes.len()).find(|index| bytes[*index] != other[*index]).unwrap();
    let second = (differs..bytes.len()).find(|index| other[*index..].starts_with(b"HFR")).unwrap();
    let third =
        (second + 8..bytes.len()).find(|index| other[*index..].starts_with(b"HFR")).unwrap();
    let next = (third + 8..bytes.len()).find(|index| other[*index..].starts_with(b"HFR")).unwrap();
    bytes[third..next].copy_from_slice(&other[third..next]);
    let spoiled = ours.kill();
    spoiled.plant(name, &bytes);
    let refused = open_and_read(&spoiled).unwrap_err();
    let LogError::Damaged { file, offset, .. } = &refused else { panic!("{refused}") };
    assert_eq!((file.as_str(), *offset), (name, third as u64));
}

#[test]
fn reading_on_finds_nothing_else_where_a_log_was_cut() {
    let (disk, contents) = killed_log();
    let last = disk.files().into_iter().rfind(|name| name.ends_with(".segment")).unwrap();
    let bytes = disk.bytes(&last).unwrap();
    let mark = (0..bytes.len()).rfind(|index| bytes[*index..].starts_with(b"HFR")).unwrap();
    // Without the last mark nothing proves the last entry, and it is good: it stays.
    disk.flip(&last, mark as u64, 1);
    let found = open_and_read(&disk).unwrap();
    assert_eq!(found, contents);
    assert!(matches!(found.at(20), Read::Entry(_)));
}
