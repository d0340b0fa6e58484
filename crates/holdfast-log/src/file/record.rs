//! One record of a segment: a header of 80 bytes, and for an entry its bytes.
//!
//! ```text
//!  0 magic u32    8 length u32   16 number u64     32 durable u64    56 previous u64
//!  4 format u16  12 zero u32     24 position u64   40 log file [16]  64 payload check u64
//!  6 kind u8, 7 zero u8                                              72 header check u64
//! ```
//!
//! Records are numbered 1, 2, 3 … through all segments, and chained: `previous` is the header
//! check of the record before, the payload's check is seeded with it, and the header's check covers
//! both. So a record that was written in another place, order or life does not fit. Payloads are
//! padded with zeros to whole words, checked too; hence every header lies on a multiple of 8, and
//! headers beyond a bad record can be found by looking.
//!
//! `durable` is the highest record number that its writer knew to be durable when it wrote this
//! one. It is what tells a tail from damage.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::identity_file::FileId;
use crate::position::Position;

/// The size of a record's header.
pub(super) const HEADER_BYTES: usize = 80;

/// Records begin at multiples of this.
pub(super) const ALIGN: usize = 8;

/// What a record leaves free at the end of its segment: room for a mark, and for the record that
/// says that the log goes on in the next one.
pub(super) const END_RESERVE: u64 = 160;

/// The newest record format that this build writes and reads.
pub(super) const FORMAT: u16 = 1;

const MAGIC: u32 = u32::from_le_bytes(*b"HFR\x01");

/// What a record is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An entry and its position.
    Entry,
    /// The log was closed here: what was asked for is durable.
    Seal,
    /// Nothing but the durable mark; written after each sync, before the answers.
    Mark,
    /// Positions below this one are given up; the payload is the first segment still needed.
    Trim,
    /// The log goes on in the next segment, which exists.
    Continue,
}

impl Kind {
    fn to_byte(self) -> u8 {
        match self {
            Self::Entry => 1,
            Self::Seal => 2,
            Self::Mark => 3,
            Self::Trim => 4,
            Self::Continue => 5,
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        [Self::Entry, Self::Seal, Self::Mark, Self::Trim, Self::Continue]
            .into_iter()
            .find(|kind| kind.to_byte() == byte)
    }
}

/// What stands in a record's header, checks aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) kind: Kind,
    /// Its place in the physical order: 1, 2, 3 …
    pub(super) number: u64,
    /// For an entry its position, for a trim the mark, else `None`.
    pub(super) position: Option<Position>,
    /// The highest record number known durable when this was written.
    pub(super) durable: u64,
    pub(super) identity: FileId,
    /// The header check of the record before.
    pub(super) previous: u64,
}

/// A record's header as it was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReadHeader {
    pub(super) record: Record,
    /// The size of the payload, without padding.
    pub(super) length: u32,
    payload_check: u64,
    /// What the next record has as `previous`.
    pub(super) check: u64,
}

/// Why there is no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRecord {
    /// All zero, or beyond the end: nothing was written here.
    Blank,
    /// Something that is not a record, or no longer.
    Bad(&'static str),
    /// A record of a newer format.
    Format(u16),
}

/// The size of a record with this payload, padding included; `None` if no header can say so.
pub(super) fn size_of_record(payload_bytes: usize) -> Option<u64> {
    let length = u32::try_from(payload_bytes).ok()?;
    Some(u64::from(length).next_multiple_of(ALIGN as u64) + HEADER_BYTES as u64)
}

/// Appends a record to `buffer` and gives its header check.
pub(super) fn encode(buffer: &mut Vec<u8>, record: &Record, payload: &[u8]) -> u64 {
    let start = buffer.len();
    let length = u32::try_from(payload.len()).expect("entries are far below 4 GiB");
    buffer.resize(start + HEADER_BYTES, 0);
    buffer.extend_from_slice(payload);
    buffer.resize(buffer.len().next_multiple_of(ALIGN), 0);
    let (header, padded) = buffer[start..].split_at_mut(HEADER_BYTES);
    header[0..4].copy_from_slice(&MAGIC.to_le_bytes());
    header[4..6].copy_from_slice(&FORMAT.to_le_bytes());
    header[6] = record.kind.to_byte();
    header[8..12].copy_from_slice(&length.to_le_bytes());
    header[16..24].copy_from_slice(&record.number.to_le_bytes());
    let position = record.position.map_or(0, Position::get);
    header[24..32].copy_from_slice(&position.to_le_bytes());
    header[32..40].copy_from_slice(&record.durable.to_le_bytes());
    header[40..56].copy_from_slice(&record.identity.to_bytes());
    header[56..64].copy_from_slice(&record.previous.to_le_bytes());
    let payload_check = xxh3_64_with_seed(padded, record.previous);
    header[64..72].copy_from_slice(&payload_check.to_le_bytes());
    let check = xxh3_64(&header[..72]);
    header[72..80].copy_from_slice(&check.to_le_bytes());
    check
}

/// Reads the header at the start of `bytes`.
pub(super) fn decode_header(bytes: &[u8]) -> Result<ReadHeader, NoRecord> {
    let Some(header) = bytes.first_chunk::<HEADER_BYTES>() else { return Err(NoRecord::Blank) };
    if header.iter().all(|byte| *byte == 0) {
        return Err(NoRecord::Blank);
    }
    if u32::from_le_bytes(part(header, 0)) != MAGIC {
        return Err(NoRecord::Bad("no record begins here"));
    }
    let check = u64::from_le_bytes(part(header, 72));
    if xxh3_64(&header[..72]) != check {
        return Err(NoRecord::Bad("the record header's checksum does not match"));
    }
    let format = u16::from_le_bytes(part(header, 4));
    if format != FORMAT {
        return Err(NoRecord::Format(format));
    }
    let Some(kind) = Kind::from_byte(header[6]) else {
        return Err(NoRecord::Bad("a record of an unknown kind"));
    };
    let record = Record {
        kind,
        number: u64::from_le_bytes(part(header, 16)),
        position: Position::new(u64::from_le_bytes(part(header, 24))),
        durable: u64::from_le_bytes(part(header, 32)),
        identity: FileId::from_bytes(part(header, 40)),
        previous: u64::from_le_bytes(part(header, 56)),
    };
    let length = u32::from_le_bytes(part(header, 8));
    let payload_check = u64::from_le_bytes(part(header, 64));
    Ok(ReadHeader { record, length, payload_check, check })
}

impl ReadHeader {
    /// The size of the record, padding included.
    pub(super) fn size(&self) -> usize {
        self.padded_payload() + HEADER_BYTES
    }

    fn padded_payload(&self) -> usize {
        self.payload_len().next_multiple_of(ALIGN)
    }

    /// The size of the payload, without padding.
    pub(super) fn payload_len(&self) -> usize {
        usize::try_from(self.length).expect("a usize has 32 bits or more")
    }

    /// The payload of the record that begins with this header and whose bytes these are.
    pub(super) fn payload<'a>(&self, bytes: &'a [u8]) -> Result<&'a [u8], NoRecord> {
        let Some(padded) = bytes.get(HEADER_BYTES..self.size()) else {
            return Err(NoRecord::Bad("the record is longer than its segment"));
        };
        if xxh3_64_with_seed(padded, self.record.previous) != self.payload_check {
            return Err(NoRecord::Bad("the record's checksum does not match"));
        }
        Ok(&padded[..self.payload_len()])
    }
}

fn part<const N: usize>(header: &[u8; HEADER_BYTES], at: usize) -> [u8; N] {
    header[at..at + N].try_into().expect("the slice has N bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            kind: Kind::Entry,
            number: 7,
            position: Position::new(5),
            durable: 4,
            identity: FileId::from_bytes([3; 16]),
            previous: 0x1234,
        }
    }

    #[test]
    fn a_record_comes_back_and_every_changed_bit_is_noticed() {
        let mut bytes = Vec::new();
        let check = encode(&mut bytes, &record(), b"hello");
        assert_eq!(u64::try_from(bytes.len()).unwrap(), size_of_record(5).unwrap());
        let header = decode_header(&bytes).unwrap();
        assert_eq!((header.record, header.check), (record(), check));
        assert_eq!(header.payload(&bytes).unwrap(), b"hello");
        for at in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[at / 8] ^= 1 << (at % 8);
            let noticed = decode_header(&bad).and_then(|header| header.payload(&bad).map(|_| ()));
            assert!(noticed.is_err(), "bit {at}");
        }
    }

    #[test]
    fn the_format_is_fixed() {
        let mut bytes = Vec::new();
        encode(&mut bytes, &record(), b"hello");
        let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, include_str!("../../tests/fixtures/record-format-1.hex").trim());
    }

    #[test]
    fn zeros_are_blank_and_a_newer_format_is_named() {
        assert_eq!(decode_header(&[0; 100]).unwrap_err(), NoRecord::Blank);
        assert_eq!(decode_header(&[1; 79]).unwrap_err(), NoRecord::Blank);
        let mut bytes = Vec::new();
        encode(&mut bytes, &record(), b"");
        bytes[4] = 2;
        let check = xxh3_64(&bytes[..72]);
        bytes[72..80].copy_from_slice(&check.to_le_bytes());
        assert_eq!(decode_header(&bytes).unwrap_err(), NoRecord::Format(2));
    }
}
