//! A segment: a file of fixed size, with a header of one page and records behind it.
//!
//! A segment gets its name only when its header is complete and durable, so a named segment always
//! has a good header: a bad one is damage, never a torn creation. Before that it is the *spare*:
//! zeros over its whole length, synced, so that appending to it changes no metadata and an
//! `fdatasync` writes the data alone.
//!
//! The header says where the segment stands in the log, so that a missing or foreign one is
//! noticed, and repeats what the segments before it said last: the trim mark and the first segment
//! still needed. The newest segment therefore always knows the mark, whatever was removed.

use std::io;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::identity_file::FileId;
use crate::disk::{Disk, DiskFile};
use crate::error::LogError;
use crate::position::Position;

/// The size of a segment's header: a page, so that no append ever writes to the header's sectors.
pub(super) const HEADER_BYTES: u64 = 4096;

/// What the next segment is called until it is needed.
pub(super) const SPARE_NAME: &str = "spare.tmp";

const HEADER_LEN: usize = 4096;
const USED_BYTES: usize = 88;
const FORMAT: u16 = 1;
const MAGIC: [u8; 4] = *b"HFS\x01";
const SUFFIX: &str = ".segment";
const DIGITS: usize = 12;

/// How much of a spare is written and synced at a time: little enough that an append's sync that
/// comes in between does not have to wait for long.
const ZEROS_BYTES: usize = 1 << 20;

/// Where a segment stands in its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    pub(super) identity: FileId,
    /// 1, 2, 3 …
    pub(super) number: u64,
    /// The size of the file.
    pub(super) length: u64,
    /// The number of its first record.
    pub(super) first_record: u64,
    /// The header check of the record before that; 0 for record 1.
    pub(super) previous: u64,
    /// The highest record number known durable when the segment was begun.
    pub(super) durable: u64,
    /// The trim mark when the segment was begun.
    pub(super) mark: Position,
    /// The first segment still needed then.
    pub(super) first_segment: u64,
}

/// The name of a segment.
pub(super) fn name(number: u64) -> String {
    format!("{number:0DIGITS$}{SUFFIX}")
}

/// The number of the segment of this name; `None` if it is not one.
pub(super) fn number_of(file: &str) -> Option<u64> {
    let number = file.strip_suffix(SUFFIX)?.parse().ok()?;
    (number > 0 && name(number) == file).then_some(number)
}

/// Makes a spare: zeros over the whole length, synced. `Ok(None)` if `go_on` said to leave off.
pub(super) fn prepare(
    disk: &dyn Disk,
    length: u64,
    go_on: impl Fn() -> bool,
) -> io::Result<Option<Arc<dyn DiskFile>>> {
    let file = disk.create(SPARE_NAME)?;
    write_zeros(&*file, 0, length, || if go_on() { file.sync_data() } else { Ok(()) })?;
    Ok(go_on().then_some(file))
}

/// Writes zeros from `from` to `to`, calling `between` after each piece.
pub(super) fn write_zeros(
    file: &dyn DiskFile,
    from: u64,
    to: u64,
    between: impl Fn() -> io::Result<()>,
) -> io::Result<()> {
    let piece_of = |rest| usize::try_from(rest).map_or(ZEROS_BYTES, |rest| rest.min(ZEROS_BYTES));
    let zeros = vec![0; piece_of(to.saturating_sub(from))];
    let mut at = from;
    while at < to {
        let piece = piece_of(to - at);
        file.write_at(at, &zeros[..piece])?;
        between()?;
        at += piece as u64;
    }
    Ok(())
}

/// Turns the spare into the segment that `header` describes, durably.
pub(super) fn begin(
    disk: &dyn Disk,
    spare: &dyn DiskFile,
    header: &SegmentHeader,
) -> Result<(), LogError> {
    let name = name(header.number);
    let begin = || {
        spare.write_at(0, &header.encode())?;
        spare.sync_data()?;
        disk.rename(SPARE_NAME, &name)?;
        disk.sync_dir()
    };
    begin().map_err(LogError::io(format!("beginning {name}")))
}

impl SegmentHeader {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![0; HEADER_LEN];
        bytes[0..4].copy_from_slice(&MAGIC);
        bytes[4..6].copy_from_slice(&FORMAT.to_le_bytes());
        bytes[16..32].copy_from_slice(&self.identity.to_bytes());
        let numbers = [
            self.number,
            self.length,
            self.first_record,
            self.previous,
            self.durable,
            self.mark.get(),
            self.first_segment,
        ];
        for (bytes, number) in bytes[32..USED_BYTES].chunks_exact_mut(8).zip(numbers) {
            bytes.copy_from_slice(&number.to_le_bytes());
        }
        let check = check(&bytes);
        bytes[8..16].copy_from_slice(&check.to_le_bytes());
        bytes
    }

    /// Reads the header of segment `number` of this log from the start of the segment's bytes,
    /// which are all there are.
    pub(super) fn decode(segment: &[u8], number: u64, identity: FileId) -> Result<Self, LogError> {
        let damaged = |offset: u64, what: &str| LogError::Damaged {
            file: name(number),
            offset,
            what: what.to_owned(),
        };
        let Some(bytes) = segment.get(..HEADER_LEN) else {
            return Err(damaged(0, "the segment is shorter than its header"));
        };
        if bytes[0..4] != MAGIC || bytes[8..16] != check(bytes).to_le_bytes() {
            return Err(damaged(0, "the segment header's checksum does not match"));
        }
        let found = u16::from_le_bytes([bytes[4], bytes[5]]);
        if found != FORMAT {
            let file = name(number);
            return Err(LogError::UnsupportedFormat { file, found, supported: FORMAT });
        }
        let header = Self::decode_fields(bytes)
            .ok_or_else(|| damaged(0, "the segment header has a trim mark of 0"))?;
        if header.identity != identity {
            return Err(damaged(16, "the segment belongs to another log"));
        }
        if header.number != number {
            return Err(damaged(32, "the segment has another segment's name"));
        }
        if header.length != segment.len() as u64 {
            return Err(damaged(40, "the segment's file has another length"));
        }
        Ok(header)
    }

    fn decode_fields(bytes: &[u8]) -> Option<Self> {
        let number_at = |at: usize| {
            u64::from_le_bytes(bytes[at..at + 8].try_into().expect("the slice has 8 bytes"))
        };
        Some(Self {
            identity: FileId::from_bytes(bytes[16..32].try_into().expect("16 bytes")),
            number: number_at(32),
            length: number_at(40),
            first_record: number_at(48),
            previous: number_at(56),
            durable: number_at(64),
            mark: Position::new(number_at(72))?,
            first_segment: number_at(80),
        })
    }
}

fn check(header: &[u8]) -> u64 {
    let seed = u64::from_le_bytes(header[0..8].try_into().expect("the slice has 8 bytes"));
    xxh3_64_with_seed(&header[16..HEADER_LEN], seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exact_and_sort_by_number() {
        assert_eq!(name(17), "000000000017.segment");
        assert_eq!(number_of("000000000017.segment"), Some(17));
        for foreign in ["17.segment", "000000000000.segment", "+00000000017.segment", "x"] {
            assert_eq!(number_of(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_header_comes_back_and_every_changed_byte_is_noticed() {
        let identity = FileId::from_bytes([5; 16]);
        let header = SegmentHeader {
            identity,
            number: 3,
            length: 8192,
            first_record: 100,
            previous: 77,
            durable: 98,
            mark: Position::new(40).unwrap(),
            first_segment: 2,
        };
        let mut bytes = header.encode();
        bytes.resize(8192, 0);
        assert_eq!(SegmentHeader::decode(&bytes, 3, identity).unwrap(), header);
        for at in 0..HEADER_LEN {
            let mut bad = bytes.clone();
            bad[at] ^= 0x10;
            assert!(SegmentHeader::decode(&bad, 3, identity).is_err(), "byte {at}");
        }
        let another = FileId::from_bytes([6; 16]);
        assert!(SegmentHeader::decode(&bytes, 3, another).is_err());
        assert!(SegmentHeader::decode(&bytes, 4, identity).is_err());
        assert!(SegmentHeader::decode(&bytes[..8000], 3, identity).is_err());
    }
    #[test]
    fn a_newer_format_is_named_as_such() {
        let identity = FileId::from_bytes([5; 16]);
        let mut bytes = vec![0; HEADER_LEN];
        bytes[0..4].copy_from_slice(&MAGIC);
        bytes[4] = 2;
        let check = check(&bytes);
        bytes[8..16].copy_from_slice(&check.to_le_bytes());
        let refused = SegmentHeader::decode(&bytes, 3, identity).unwrap_err();
        assert!(matches!(refused, LogError::UnsupportedFormat { found: 2, .. }), "{refused}");
    }
}
