//! The bytes of one position: a claim of leadership, its renewal, or a batch of committed
//! transactions.
//!
//! An entry is a fixed little-endian header of [`HEADER_BYTES`] and a body. The header says whose
//! log it is, which valid entry it follows, who wrote it and in which order, and which versions it
//! brings (P2); a checksum covers every byte. This module knows what is well-formed; which
//! well-formed entries *count* is decided by [`crate::reader`], and what a batch's body means by
//! the engine.
//!
//! ```text
//!  0 magic u32        16 length u32         32 log [16]        80 epoch u64
//!  4 format u16       20 count u32          48 nonce [16]      88 sequence u64
//!  6 kind u8          24 feature level u16  64 previous [16]   96 first version u64
//!  7 zero u8          26 zero [6]                             104 log time u64 (µs)
//!  8 checksum u64                                             112 durable u64     120 body …
//! ```
//!
//! The checksum is xxh3-64 of everything from byte 16 on, seeded with bytes 0..8.
//!
//! This is the hot path: [`EntryBuilder`] gathers the body behind room for the header, so that
//! sealing copies nothing, and decoding slices the body out of the bytes that were read.

mod builder;
mod claim;

use bytes::Bytes;
use holdfast_planted::planted;
use thiserror::Error;
use xxhash_rust::xxh3::xxh3_64_with_seed;

pub use builder::EntryBuilder;
pub use claim::{CLAIM_TEXT_BYTES_MAX, Claim};

use crate::epoch::{Epoch, Nonce};
use crate::identity::{Hash, LogId};
use crate::position::Position;

/// The size of an entry's header.
pub const HEADER_BYTES: usize = 120;

/// The newest entry format that this build writes and reads.
pub const ENTRY_FORMAT: u16 = 1;

/// The newest feature level that this build understands (P19).
pub const FEATURE_LEVEL: u16 = 1;

const MAGIC: u32 = u32::from_le_bytes(*b"HFE\x01");
const KIND_CLAIM: u8 = 1;
const KIND_BATCH: u8 = 2;
const KIND_RENEWAL: u8 = 3;

/// What every entry says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryHeader {
    /// The feature level of the partition when it was written.
    pub feature_level: u16,
    /// Whose log it belongs to.
    pub log: LogId,
    /// The hash of the bytes of the valid entry before it; [`Hash::ZERO`] for the first.
    pub previous: Hash,
    /// Its writer's epoch, 1 or more.
    pub epoch: Epoch,
    /// Its writer's nonce.
    pub nonce: Nonce,
    /// Its number within the epoch: 0 for the claim, then 1, 2, 3 …
    pub sequence: u64,
    /// The version of its first transaction; for a claim or a renewal, the version that comes next.
    pub first_version: u64,
    /// How many versions it brings; 0 for a claim and a renewal.
    pub count: u32,
    /// The log time at which it was written, in microseconds since the Unix epoch.
    pub log_time_us: u64,
    /// The last position its writer knew durable when it was written.
    pub durable: Option<Position>,
}

/// What an entry is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Its writer wants to lead.
    Claim(Claim),
    /// Committed transactions, encoded by the engine.
    Batch(Bytes),
    /// Its writer, whose claim counts, says again what it claimed. With a lease of 0 it gives
    /// leadership up: whoever reads this may claim at once.
    Renewal(Claim),
}

/// One entry, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it says of itself.
    pub header: EntryHeader,
    /// What it is for.
    pub body: Body,
}

/// Why bytes are not an entry.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EntryError {
    /// Fewer bytes than a header has.
    #[error("{len} bytes are too few for an entry")]
    TooShort {
        /// How many there are.
        len: usize,
    },
    /// The bytes do not begin as an entry does.
    #[error("not an entry: it begins with {found:#010x}")]
    NotAnEntry {
        /// The first four bytes.
        found: u32,
    },
    /// A newer Holdfast wrote it.
    #[error("entry format {found}; this build reads {ENTRY_FORMAT}")]
    UnsupportedFormat {
        /// The format found.
        found: u16,
    },
    /// The header tells another length than the bytes have.
    #[error("an entry of {declared} bytes came as {found}")]
    WrongLength {
        /// What the header says.
        declared: u32,
        /// What there is.
        found: usize,
    },
    /// The bytes are not those that were written.
    #[error("the entry's checksum does not match its bytes")]
    WrongChecksum,
    /// The checksum holds, yet no Holdfast writes such an entry.
    #[error("malformed entry: {what}")]
    Malformed {
        /// What is wrong with it.
        what: &'static str,
    },
}

impl Entry {
    /// Whether these bytes, if they are an entry, say who leads: a claim or a renewal.
    pub(crate) fn is_said(bytes: &[u8]) -> bool {
        bytes.len() >= HEADER_BYTES && [KIND_CLAIM, KIND_RENEWAL].contains(&bytes[6])
    }

    /// Reads an entry from the bytes of a position; the body is a slice of them, not a copy.
    ///
    /// # Errors
    /// Any bytes are safe to pass; what is not exactly one entry is refused.
    pub fn decode(bytes: &Bytes) -> Result<Self, EntryError> {
        check_frame(bytes)?;
        let header = decode_header(bytes);
        let body = match bytes[6] {
            KIND_CLAIM => Body::Claim(Claim::decode(&bytes[HEADER_BYTES..])?),
            KIND_BATCH => Body::Batch(bytes.slice(HEADER_BYTES..)),
            KIND_RENEWAL => Body::Renewal(Claim::decode(&bytes[HEADER_BYTES..])?),
            _ => return Err(EntryError::Malformed { what: "unknown kind" }),
        };
        check_header(&header, &body)?;
        Ok(Self { header, body })
    }
}

fn check_frame(bytes: &[u8]) -> Result<(), EntryError> {
    if bytes.len() < HEADER_BYTES {
        return Err(EntryError::TooShort { len: bytes.len() });
    }
    let found = u32_at(bytes, 0);
    if found != MAGIC {
        return Err(EntryError::NotAnEntry { found });
    }
    // The format decides where everything else is, so it is looked at before the checksum. A bit
    // flipped in it is then called unsupported rather than damaged; both stop the reader.
    let format = u16_at(bytes, 4);
    if format != ENTRY_FORMAT {
        return Err(EntryError::UnsupportedFormat { found: format });
    }
    let declared = u32_at(bytes, 16);
    if usize::try_from(declared) != Ok(bytes.len()) {
        return Err(EntryError::WrongLength { declared, found: bytes.len() });
    }
    if checksum(bytes) != u64_at(bytes, 8) && !planted!(BytesNotChecked) {
        return Err(EntryError::WrongChecksum);
    }
    if bytes[7] != 0 || bytes[26..32] != [0; 6] {
        return Err(EntryError::Malformed { what: "reserved bytes are not zero" });
    }
    Ok(())
}

fn check_header(header: &EntryHeader, body: &Body) -> Result<(), EntryError> {
    let malformed = |what| Err(EntryError::Malformed { what });
    if header.epoch == Epoch::NONE {
        return malformed("epoch 0");
    }
    if header.first_version.checked_add(u64::from(header.count)).is_none() {
        return malformed("versions beyond 2^64");
    }
    match body {
        Body::Claim(_) if header.sequence != 0 || header.count != 0 => {
            malformed("a claim that is numbered or brings versions")
        }
        Body::Renewal(_) if header.count != 0 => malformed("a renewal that brings versions"),
        Body::Batch(_) | Body::Renewal(_) if header.sequence == 0 => {
            malformed("a batch or renewal without a number")
        }
        Body::Claim(_) | Body::Batch(_) | Body::Renewal(_) => Ok(()),
    }
}

fn decode_header(bytes: &[u8]) -> EntryHeader {
    EntryHeader {
        feature_level: u16_at(bytes, 24),
        log: LogId::from_bytes(array_at(bytes, 32)),
        nonce: Nonce::from_bytes(array_at(bytes, 48)),
        previous: Hash::from_bytes(array_at(bytes, 64)),
        epoch: Epoch::new(u64_at(bytes, 80)),
        sequence: u64_at(bytes, 88),
        first_version: u64_at(bytes, 96),
        count: u32_at(bytes, 20),
        log_time_us: u64_at(bytes, 104),
        durable: Position::new(u64_at(bytes, 112)),
    }
}

/// Writes the header into the first [`HEADER_BYTES`] of `entry`, whose body is complete.
fn encode_header(entry: &mut [u8], kind: u8, header: &EntryHeader) {
    let length = u32::try_from(entry.len()).expect("no log takes entries of 4 GiB");
    entry[0..4].copy_from_slice(&MAGIC.to_le_bytes());
    entry[4..6].copy_from_slice(&ENTRY_FORMAT.to_le_bytes());
    entry[6] = kind;
    entry[7] = 0;
    entry[16..20].copy_from_slice(&length.to_le_bytes());
    entry[20..24].copy_from_slice(&header.count.to_le_bytes());
    entry[24..26].copy_from_slice(&header.feature_level.to_le_bytes());
    entry[26..32].fill(0);
    entry[32..48].copy_from_slice(&header.log.to_bytes());
    entry[48..64].copy_from_slice(&header.nonce.to_bytes());
    entry[64..80].copy_from_slice(&header.previous.to_bytes());
    entry[80..88].copy_from_slice(&header.epoch.get().to_le_bytes());
    entry[88..96].copy_from_slice(&header.sequence.to_le_bytes());
    entry[96..104].copy_from_slice(&header.first_version.to_le_bytes());
    entry[104..112].copy_from_slice(&header.log_time_us.to_le_bytes());
    let durable = header.durable.map_or(0, Position::get);
    entry[112..120].copy_from_slice(&durable.to_le_bytes());
    let checksum = checksum(entry);
    entry[8..16].copy_from_slice(&checksum.to_le_bytes());
}

fn checksum(entry: &[u8]) -> u64 {
    xxh3_64_with_seed(&entry[16..], u64_at(entry, 0))
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("the slice has N bytes")
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array_at(bytes, at))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array_at(bytes, at))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array_at(bytes, at))
}

#[cfg(test)]
mod tests;
