//! A byte of a cleanly stopped instance changes: the state is the same, or opening refuses and says
//! which file is damaged and where. Nothing else.

use holdfast_log::{FaultDisk, disk::Crash};

use crate::{
    history::rows,
    instance::{must_open, open},
    node::Clock,
    toy::Op,
};

/// A cleanly stopped instance with snapshots and a trimmed log, and what its state was.
fn stopped_cleanly(clock: &Clock) -> (FaultDisk, Vec<(bytes::Bytes, bytes::Bytes)>) {
    let disk = FaultDisk::new();
    let mut node = must_open(&disk, 1, clock);
    for account in 0..70u64 {
        node.keyed(&format!("k-{account}"), &Op::Open { account, balance: 5 });
        if account % 3 == 0 {
            node.settle();
        }
    }
    node.settle();
    assert!(node.engine.metrics().snapshots.get() >= 2);
    let state = rows(&*node.state());
    node.stop();
    node.close().unwrap();
    (disk, state)
}

/// What became of opening with one byte changed.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Same,
    Refused,
}

fn open_spoiled(
    disk: &FaultDisk,
    clock: &Clock,
    reference: &[(bytes::Bytes, bytes::Bytes)],
    (file, offset, mask): (&str, u64, u8),
) -> Found {
    let spoiled = disk.crash(Crash::Kept);
    spoiled.flip(file, offset, mask);
    match open(&spoiled, 2, clock) {
        Ok(node) => {
            assert!(node.led.is_some());
            assert!(
                rows(&*node.state()) == reference,
                "{file} at {offset} ^ {mask:02x}: another state"
            );
            Found::Same
        }
        Err(reason) => {
            let name = file.strip_prefix("log-").unwrap_or_else(|| {
                panic!("{file} at {offset} is a snapshot's, the older one does: {reason}")
            });
            assert!(
                reason.contains(name) && (reason.contains("byte") || reason.contains("format")),
                "{file} at {offset} ^ {mask:02x}: {reason}"
            );
            Found::Refused
        }
    }
}

/// SplitMix64.
fn roll(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Flips random bits all over the files.
fn flip_at_random(count: usize, seed: u64) {
    let clock = Clock::new();
    let (disk, reference) = stopped_cleanly(&clock);
    let files: Vec<(String, u64)> = disk
        .files()
        .into_iter()
        .map(|name| (name.clone(), disk.bytes(&name).unwrap().len() as u64))
        .filter(|(_, length)| *length > 0)
        .collect();
    let mut state = seed;
    let mut refused = 0;
    for _ in 0..count {
        let (file, length) = &files[usize::try_from(roll(&mut state)).unwrap() % files.len()];
        let flipped = (&**file, roll(&mut state) % length, 1 << (roll(&mut state) % 8));
        if open_spoiled(&disk, &clock, &reference, flipped) == Found::Refused {
            refused += 1;
        }
    }
    assert!(refused > 0 && refused < count, "{refused} of {count} refused");
}

#[test]
fn random_bits_all_over_the_files() {
    flip_at_random(400, 1);
}

#[test]
#[ignore = "the long version"]
fn two_thousand_random_bits() {
    flip_at_random(2_000, 2);
}

#[test]
fn every_byte_at_the_beginning_of_every_file() {
    let clock = Clock::new();
    let (disk, reference) = stopped_cleanly(&clock);
    for file in disk.files() {
        let length = disk.bytes(&file).unwrap().len() as u64;
        for offset in 0..length.min(128) {
            open_spoiled(&disk, &clock, &reference, (&file, offset, 0x41));
        }
    }
}

#[test]
fn every_byte_of_the_last_entries_of_the_log() {
    let clock = Clock::new();
    let (disk, reference) = stopped_cleanly(&clock);
    let files = disk.files();
    let newest = files.iter().rfind(|name| name.ends_with(".segment")).unwrap();
    let bytes = disk.bytes(newest).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap() as u64;
    for offset in end - 400..=end {
        open_spoiled(&disk, &clock, &reference, (newest, offset, 0x80));
    }
}

#[test]
fn a_lost_file_is_noticed() {
    let clock = Clock::new();
    let (disk, reference) = stopped_cleanly(&clock);
    for file in disk.files() {
        let spoiled = disk.crash(Crash::Kept);
        spoiled.lose(&file);
        match open(&spoiled, 2, &clock) {
            Ok(node) => {
                assert!(file.starts_with("snapshots-"), "{file} was lost unnoticed");
                assert!(rows(&*node.state()) == reference, "{file}");
            }
            Err(reason) => assert!(file.starts_with("log-"), "{file}: {reason}"),
        }
    }
}
