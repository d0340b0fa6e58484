//! What a log says of the engine under it, for claims to record.
//!
//! An engine can be exchanged under a log by mistake: an old primary comes back writable beside the
//! standby that was promoted, a dump is restored into another database. The log alone knows how to
//! tell its servers apart, and only what was written with the entries survives whoever wrote them. So
//! a log that can tell gives a few bytes, every claim and renewal carries those of the moment, a
//! reader's state keeps the latest, and the log is asked whether it can be what they speak of
//! ([`Log::is_where`]). To everyone else they are bytes.

use std::fmt;

use bytes::Bytes;

use crate::entry::{Body, Entry};
use crate::error::LogError;
use crate::log::{Append, Log, Read};

/// The most bytes of a [`Provenance`].
pub const PROVENANCE_BYTES_MAX: usize = 32;

/// Which of the servers that could pretend to hold a log it was on: opaque, at most
/// [`PROVENANCE_BYTES_MAX`] bytes, none where a log has nothing to tell.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Provenance {
    len: u8,
    /// Zero beyond `len`.
    bytes: [u8; PROVENANCE_BYTES_MAX],
}

impl Provenance {
    /// Of a log that has nothing to tell, and before the first claim.
    pub const NONE: Self = Self { len: 0, bytes: [0; PROVENANCE_BYTES_MAX] };

    /// These bytes; `None` if they are more than [`PROVENANCE_BYTES_MAX`].
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let mut provenance = Self::NONE;
        provenance.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        provenance.len = u8::try_from(bytes.len()).ok()?;
        Some(provenance)
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// Whether it tells nothing.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.len == 0
    }

    /// What the claim or renewal in these bytes records; nothing if they are neither.
    fn recorded_in(bytes: &Bytes) -> Self {
        if !Entry::is_said(bytes) {
            return Self::NONE;
        }
        match Entry::decode(bytes).map(|entry| entry.body) {
            Ok(Body::Claim(claim) | Body::Renewal(claim)) => claim.provenance,
            // Bytes that are no entry are for the reader to refuse.
            Ok(Body::Batch(_)) | Err(_) => Self::NONE,
        }
    }
}

impl fmt::Debug for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Provenance(")?;
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        write!(f, ")")
    }
}

/// What was read, if the log can be where the claims in it were written.
///
/// # Errors
/// What [`Log::is_where`] says of the first that speaks of another server.
pub fn checked_reads(log: &dyn Log, reads: Vec<Read>) -> Result<Vec<Read>, LogError> {
    for read in &reads {
        if let Read::Entry(bytes) = read {
            log.is_where(&Provenance::recorded_in(bytes))?;
        }
    }
    Ok(reads)
}

/// What became of an append, if the log can be where the claim that was there first was written.
///
/// # Errors
/// As [`checked_reads`].
pub fn checked_append(log: &dyn Log, append: Append) -> Result<Append, LogError> {
    if let Append::Taken(bytes) = &append {
        log.is_where(&Provenance::recorded_in(bytes))?;
    }
    Ok(append)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_and_too_many_are_refused() {
        for len in [0, 1, PROVENANCE_BYTES_MAX] {
            let bytes = vec![7; len];
            let provenance = Provenance::new(&bytes).unwrap();
            assert_eq!((provenance.as_bytes(), provenance.is_none()), (&bytes[..], len == 0));
        }
        assert_eq!(Provenance::new(&[7; PROVENANCE_BYTES_MAX + 1]), None);
        assert_eq!(Provenance::new(&[]), Some(Provenance::NONE));
        assert_eq!(format!("{:?}", Provenance::new(&[1, 0xab]).unwrap()), "Provenance(01ab)");
    }

    #[test]
    fn what_is_no_claim_records_nothing() {
        for bytes in [&b""[..], b"any bytes", &[1; 200]] {
            assert!(Provenance::recorded_in(&Bytes::copy_from_slice(bytes)).is_none());
        }
    }
}
