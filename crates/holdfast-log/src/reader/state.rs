//! Everything a reader knows, and its bytes in a snapshot.
//!
//! The bytes have a fixed size and a format number; the snapshot that carries them checksums them
//! (P16), so decoding only guards against what no reader can have written.

use thiserror::Error;

use crate::epoch::{Epoch, Nonce};
use crate::identity::{Hash, LogId};
use crate::position::Position;
use crate::provenance::{PROVENANCE_BYTES_MAX, Provenance};

const FORMAT: u16 = 1;

/// Where a reader stands: what the valid entries below `next_position` amount to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReaderState {
    /// Whose log this is; `None` before the first valid claim.
    pub identity: Option<LogId>,
    /// The latest valid claim's epoch; [`Epoch::NONE`] before the first.
    pub epoch: Epoch,
    /// The latest valid claim's nonce; all zero before the first.
    pub nonce: Nonce,
    /// The number of the last valid entry within that epoch; 0 right after the claim.
    pub sequence: u64,
    /// The hash of the last valid entry; [`Hash::ZERO`] before the first.
    pub hash: Hash,
    /// The position to be fed next.
    pub next_position: Position,
    /// The version that the next transaction has; 1 to begin with.
    pub next_version: u64,
    /// The latest log time seen in a valid entry, in microseconds since the Unix epoch.
    pub log_time_us: u64,
    /// The highest feature level seen in a valid entry; 0 before the first.
    pub feature_level: u16,
    /// The lease in the latest valid claim or renewal, in milliseconds; 0 before the first, and
    /// when it was given up.
    pub lease_ms: u64,
    /// Where that stands in the log; `None` before the first. Who leads is said there.
    pub said_at: Option<Position>,
    /// What it recorded of the server that the log was on.
    pub provenance: Provenance,
}

/// Why bytes are not a reader's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StateError {
    /// Another number of bytes than [`ReaderState::ENCODED_BYTES`].
    #[error("a reader's state has {} bytes, not {found}", ReaderState::ENCODED_BYTES)]
    WrongLength {
        /// How many there are.
        found: usize,
    },
    /// A newer Holdfast wrote it.
    #[error("a reader's state of format {found}; this build reads {FORMAT}")]
    UnsupportedFormat {
        /// The format found.
        found: u16,
    },
    /// No reader has such a state.
    #[error("malformed reader's state: {what}")]
    Malformed {
        /// What is wrong with it.
        what: &'static str,
    },
}

impl Default for ReaderState {
    /// Before position 1.
    fn default() -> Self {
        Self {
            identity: None,
            epoch: Epoch::NONE,
            nonce: Nonce::default(),
            sequence: 0,
            hash: Hash::ZERO,
            next_position: Position::first(),
            next_version: 1,
            log_time_us: 0,
            feature_level: 0,
            lease_ms: 0,
            said_at: None,
            provenance: Provenance::NONE,
        }
    }
}

impl ReaderState {
    /// The size of an encoded state.
    pub const ENCODED_BYTES: usize = 120 + PROVENANCE_BYTES_MAX;

    /// Its bytes: little-endian, fixed size.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::ENCODED_BYTES] {
        let mut bytes = [0; Self::ENCODED_BYTES];
        bytes[0..2].copy_from_slice(&FORMAT.to_le_bytes());
        bytes[2..4].copy_from_slice(&self.feature_level.to_le_bytes());
        bytes[4] = u8::from(self.identity.is_some());
        let identity = self.identity.map_or([0; 16], LogId::to_bytes);
        bytes[8..24].copy_from_slice(&identity);
        bytes[24..40].copy_from_slice(&self.nonce.to_bytes());
        bytes[40..56].copy_from_slice(&self.hash.to_bytes());
        bytes[56..64].copy_from_slice(&self.epoch.get().to_le_bytes());
        bytes[64..72].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[72..80].copy_from_slice(&self.next_position.get().to_le_bytes());
        bytes[80..88].copy_from_slice(&self.next_version.to_le_bytes());
        bytes[88..96].copy_from_slice(&self.log_time_us.to_le_bytes());
        bytes[96..104].copy_from_slice(&self.lease_ms.to_le_bytes());
        let said_at = self.said_at.map_or(0, Position::get);
        bytes[104..112].copy_from_slice(&said_at.to_le_bytes());
        let provenance = self.provenance.as_bytes();
        bytes[112] = u8::try_from(provenance.len()).expect("its bound is below 256");
        bytes[120..120 + provenance.len()].copy_from_slice(provenance);
        bytes
    }

    /// Reads a state back.
    ///
    /// # Errors
    /// For bytes that [`ReaderState::encode`] cannot have made.
    pub fn decode(bytes: &[u8]) -> Result<Self, StateError> {
        let wrong_length = StateError::WrongLength { found: bytes.len() };
        let format = bytes.first_chunk().map(|format| u16::from_le_bytes(*format));
        match format.ok_or(wrong_length)? {
            FORMAT if bytes.len() == Self::ENCODED_BYTES => {}
            FORMAT => return Err(wrong_length),
            found => return Err(StateError::UnsupportedFormat { found }),
        }
        let malformed = |what| StateError::Malformed { what };
        let identity = match bytes[4..8] {
            [0, 0, 0, 0] => None,
            [1, 0, 0, 0] => Some(LogId::from_bytes(part(bytes, 8))),
            _ => return Err(malformed("flags")),
        };
        let known = bytes[120..].split_at_checked(usize::from(bytes[112]));
        let known = known.filter(|_| bytes[113..120] == [0; 7]);
        let known = known.filter(|(_, rest)| rest.iter().all(|byte| *byte == 0));
        let provenance = known.and_then(|(known, _)| Provenance::new(known));
        Ok(Self {
            identity,
            feature_level: u16::from_le_bytes(part(bytes, 2)),
            nonce: Nonce::from_bytes(part(bytes, 24)),
            hash: Hash::from_bytes(part(bytes, 40)),
            epoch: Epoch::new(u64_at(bytes, 56)),
            sequence: u64_at(bytes, 64),
            next_position: Position::new(u64_at(bytes, 72)).ok_or(malformed("position 0"))?,
            next_version: u64_at(bytes, 80),
            log_time_us: u64_at(bytes, 88),
            lease_ms: u64_at(bytes, 96),
            said_at: Position::new(u64_at(bytes, 104)),
            provenance: provenance.ok_or(malformed("what is known of the server"))?,
        })
    }
}

fn part<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("the slice has N bytes")
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(part(bytes, at))
}
