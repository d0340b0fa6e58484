//! A snapshot as a stream: read back it is what was written, and whatever is done
//! to its bytes, no pair comes out that did not go in and the end is an error.

use std::sync::Arc;

use bytes::Bytes;
use holdfast_state::{
    Mark, MemoryStore, Snapshot, Store, Version,
    snapshot::{SnapshotError, SnapshotHeader, read, write},
};
use proptest::prelude::*;

type Pair = (Bytes, Bytes);

fn snapshot_of(pairs: &[Pair]) -> Arc<dyn Snapshot> {
    snapshot_at(42, pairs)
}

fn snapshot_at(version: u64, pairs: &[Pair]) -> Arc<dyn Snapshot> {
    let checkpoint = Bytes::from_static(b"checkpoint");
    let mark = Mark { version: Version::new(version), checkpoint };
    MemoryStore::from_pairs(pairs.iter().cloned(), mark).snapshots().latest()
}

fn header_of(snapshot: &dyn Snapshot) -> SnapshotHeader {
    SnapshotHeader { mark: snapshot.mark().clone(), meta: Bytes::from_static(b"meta") }
}

fn written(pairs: &[Pair]) -> Vec<u8> {
    written_at(42, pairs)
}

fn written_at(version: u64, pairs: &[Pair]) -> Vec<u8> {
    let snapshot = snapshot_at(version, pairs);
    let mut bytes = Vec::new();
    write(&*snapshot, &header_of(&*snapshot), &mut bytes).unwrap();
    bytes
}

/// The pairs that come out, and the error if it ends in one.
fn read_all(bytes: &[u8]) -> (Vec<Pair>, Option<SnapshotError>) {
    let mut pairs = Vec::new();
    match read(bytes) {
        Err(error) => (pairs, Some(error)),
        Ok((_, reader)) => {
            for pair in reader {
                match pair {
                    Ok(pair) => pairs.push(pair),
                    Err(error) => return (pairs, Some(error)),
                }
            }
            (pairs, None)
        }
    }
}

/// Damaged bytes end in an error, and yield at most true pairs, from the first on.
fn assert_refused(bytes: &[u8], truth: &[Pair], what: &str) {
    let (pairs, error) = read_all(bytes);
    assert!(error.is_some(), "{what}: read as if whole");
    assert!(truth.starts_with(&pairs), "{what}: pairs that were never written");
}

fn pair(key: &str, value: Vec<u8>) -> Pair {
    (Bytes::copy_from_slice(key.as_bytes()), value.into())
}

fn small() -> Vec<Pair> {
    vec![
        pair("\0\0\0\u{1}a", vec![]),
        pair("\0\0\0\u{1}b", vec![1]),
        pair("\0\0\0\u{1}c", vec![0; 40]),
    ]
}

/// Several frames of pairs.
fn large() -> Vec<Pair> {
    (0..5_u8).map(|n| pair(&format!("key {n}"), vec![n; 200_000])).collect()
}

/// Where each frame lies: after the 8 bytes of the format, 13 bytes of head each.
fn frames(bytes: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut at = 8;
    let mut found = Vec::new();
    while at < bytes.len() {
        let length = u32::from_le_bytes(bytes[at + 1..at + 5].try_into().unwrap());
        let end = at + 13 + usize::try_from(length).unwrap();
        found.push(at..end);
        at = end;
    }
    found
}

#[test]
fn every_flipped_bit_is_noticed() {
    let (truth, bytes) = (small(), written(&small()));
    assert_eq!(read_all(&bytes).0, truth);
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert_refused(&damaged, &truth, &format!("bit {bit}"));
    }
}

#[test]
fn every_byte_replaced_is_noticed() {
    let (truth, bytes) = (small(), written(&small()));
    for at in 0..bytes.len() {
        for byte in [0x00, 0xFF, bytes[at].wrapping_add(1)] {
            let mut damaged = bytes.clone();
            damaged[at] = byte;
            if damaged != bytes {
                assert_refused(&damaged, &truth, &format!("byte {at} = {byte}"));
            }
        }
    }
}

#[test]
fn every_truncation_and_addition_is_noticed() {
    let (truth, bytes) = (small(), written(&small()));
    for length in 0..bytes.len() {
        assert_refused(&bytes[..length], &truth, &format!("cut to {length}"));
    }
    for more in [&[0_u8][..], b"HFSNAP", &bytes] {
        assert_refused(&[&bytes, more].concat(), &truth, "something appended");
    }
}

#[test]
fn frames_left_out_repeated_or_swapped_are_noticed() {
    let (truth, bytes) = (large(), written(&large()));
    let frames = frames(&bytes);
    assert!(frames.len() >= 4, "a header, several frames of pairs, an end");
    let rebuilt = |order: &[usize]| {
        let mut stream = bytes[..8].to_vec();
        order.iter().for_each(|frame| stream.extend_from_slice(&bytes[frames[*frame].clone()]));
        stream
    };
    let all: Vec<usize> = (0..frames.len()).collect();
    assert_eq!(rebuilt(&all), bytes);
    for frame in 0..frames.len() {
        let without: Vec<usize> = all.iter().copied().filter(|other| *other != frame).collect();
        assert_refused(&rebuilt(&without), &truth, &format!("without frame {frame}"));
        let mut twice = all.clone();
        twice.insert(frame, frame);
        assert_refused(&rebuilt(&twice), &truth, &format!("frame {frame} twice"));
        for other in 0..frame {
            let mut swapped = all.clone();
            swapped.swap(frame, other);
            assert_refused(&rebuilt(&swapped), &truth, &format!("{frame} and {other} swapped"));
        }
    }
}

/// Frames are chained from the header on, which says of what version this is. Only
/// a stream of the same version with other pairs, which no log makes, could lend
/// its first frame of pairs; even that ends in an error.
#[test]
fn a_frame_of_another_snapshot_is_noticed() {
    let truth = small();
    let mut other = small();
    other[1].1 = Bytes::from_static(&[2]);
    let ours = written(&truth);
    for (version, refused_at_once) in [(41, true), (42, false)] {
        let theirs = written_at(version, &other);
        assert_eq!(ours.len(), theirs.len());
        for frame in frames(&ours) {
            let mut mixed = ours.clone();
            mixed[frame.clone()].copy_from_slice(&theirs[frame]);
            if mixed != ours && refused_at_once {
                assert_refused(&mixed, &truth, "a frame of another version's snapshot");
            } else if mixed != ours {
                assert!(read_all(&mixed).1.is_some(), "a frame of another snapshot");
            }
        }
    }
}

#[test]
fn a_later_format_is_refused_as_such() {
    let mut bytes = written(&small());
    bytes[6] += 1;
    assert!(matches!(read_all(&bytes).1, Some(SnapshotError::Format)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_was_written_is_read(
        rows in prop::collection::btree_map(
            prop::collection::vec(any::<u8>(), 1..6),
            prop_oneof![
                9 => prop::collection::vec(any::<u8>(), 0..50),
                1 => (0..300_000_usize).prop_map(|length| vec![5; length]),
            ],
            0..40,
        )
    ) {
        let pairs: Vec<Pair> =
            rows.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        let bytes = written(&pairs);
        let snapshot = snapshot_of(&pairs);
        let (header, _) = read(&bytes[..]).unwrap();
        prop_assert_eq!(header, header_of(&*snapshot));
        let (found, error) = read_all(&bytes);
        prop_assert!(error.is_none(), "{:?}", error);
        prop_assert_eq!(&found, &pairs);
        // The same state makes the same bytes, however it came to be.
        prop_assert_eq!(written(&found), bytes);
    }
}
