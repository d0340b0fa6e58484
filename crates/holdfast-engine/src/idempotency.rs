//! Whoever asks twice gets one effect.
//!
//! The outcome of a request with an idempotency key is stored in the
//! transaction that it is the outcome of, a refusal's as its only write (P13).
//! Records are filed by the time at which they were written, in buckets of half
//! the retention, so that forgetting a bucket is one fact (P20). A record is kept
//! for at least the retention, and at most one and a half times as long.

use holdfast_planted::planted;
use holdfast_state::{Abort, LogTime, Namespace, Read, Stop, Table, TableId, Tx, Version};
use minicbor::bytes::ByteVec;

use crate::request::{Decision, Fingerprint};

/// Format of [`Fingerprint`]s: part of the record, so that a release which
/// computes them otherwise does not take a repeated request for another one.
const FINGERPRINT_FORMAT: u8 = 1;

/// Stored outcomes by key.
#[derive(Debug)]
pub struct Records;

impl Table for Records {
    const ID: TableId = TableId(0x0002);
    const NAME: &'static str = "engine.idempotency";
    /// Bucket, namespace, key. In the system's namespace, so that one range holds
    /// a bucket of all namespaces.
    type Key<'k> = (u32, u32, &'k str);
    type Row = Record;
}

/// A stored outcome.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct Record {
    /// [`FINGERPRINT_FORMAT`] when it was written.
    #[n(0)]
    format: u8,
    #[n(1)]
    fingerprint: ByteVec,
    /// The version the answer carried.
    #[n(2)]
    pub version: Version,
    /// When it was evaluated.
    #[n(3)]
    pub time: LogTime,
    #[n(4)]
    refused: bool,
    /// What the transaction returned.
    #[n(5)]
    pub body: ByteVec,
}

impl Record {
    /// How the request ended.
    #[must_use]
    pub const fn decision(&self) -> Decision {
        if self.refused { Decision::Refused } else { Decision::Done }
    }

    /// Was it the same request?
    #[must_use]
    pub fn is_of(&self, fingerprint: Fingerprint) -> bool {
        // Of another format nothing can be said; the key decides, as it names the same intent.
        self.format != FINGERPRINT_FORMAT || self.fingerprint[..] == fingerprint.0
    }
}

/// Where records are filed, and which of them there are.
#[derive(Clone, Copy, Debug)]
pub struct Filing {
    bucket_us: u64,
    /// No record is in an earlier bucket.
    oldest: u32,
}

/// The shortest bucket, in microseconds. Buckets are numbered from 1970 on in 32 bits,
/// which seconds fit until 2106.
const BUCKET_US_MIN: u64 = 1_000_000;

/// Buckets that may hold records not older than the retention: the present one,
/// and those that began within the retention.
const BUCKETS_KEPT: u32 = 3;

impl Filing {
    /// Files records so that they are kept for `retention_us`, or longer if that is
    /// less than two seconds; `oldest` is the earliest bucket in the state, if it has any.
    #[must_use]
    pub fn new(retention_us: u64, oldest: Option<u32>) -> Self {
        let bucket_us = (retention_us / 2).max(BUCKET_US_MIN);
        Self { bucket_us, oldest: oldest.unwrap_or(u32::MAX) }
    }

    fn bucket(&self, time: LogTime) -> u32 {
        u32::try_from(time.as_us() / self.bucket_us).expect("buckets are a second or longer")
    }

    fn first_kept(&self, time: LogTime) -> u32 {
        self.bucket(time).saturating_sub(BUCKETS_KEPT - 1)
    }

    /// The record under a key, newest bucket first.
    ///
    /// # Errors
    /// Those of the store.
    pub fn find(
        &self,
        state: &impl Read,
        namespace: Namespace,
        key: &str,
    ) -> Result<Option<Record>, Abort> {
        let now = state.now();
        for bucket in (self.oldest.max(self.first_kept(now))..=self.bucket(now)).rev() {
            let stored = holdfast_state::table::stored_key(
                Namespace::SYSTEM,
                Records::ID,
                &(bucket, namespace.get(), key),
            );
            if let Some(record) = state.get_row::<Records>(&stored)? {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    /// Writes the record of an outcome.
    ///
    /// # Errors
    /// When the transaction has no room left for it.
    pub fn record(
        &mut self,
        tx: &mut Tx<'_>,
        (namespace, key, fingerprint): (Namespace, &str, Fingerprint),
        decision: Decision,
        body: &[u8],
    ) -> Result<(), Stop<Vec<u8>>> {
        let record = Record {
            format: FINGERPRINT_FORMAT,
            fingerprint: fingerprint.0.to_vec().into(),
            version: tx.version(),
            time: tx.now(),
            refused: decision == Decision::Refused,
            body: body.to_vec().into(),
        };
        let bucket = self.bucket(tx.now());
        self.oldest = self.oldest.min(bucket);
        let key = (bucket, namespace.get(), key);
        if planted!(RecordOutsideTransaction) {
            return recorded_too_late(tx, key, record);
        }
        Ok(tx.put_in::<Records>(Namespace::SYSTEM, &key, &record)?)
    }

    /// The first bucket to stay, when there are earlier ones to forget.
    #[must_use]
    pub fn to_forget(&self, now: LogTime) -> Option<u32> {
        let first_kept = self.first_kept(now);
        (self.oldest < first_kept).then_some(first_kept)
    }

    /// Buckets before `first_kept` are being removed.
    pub fn forgotten(&mut self, first_kept: u32) {
        self.oldest = self.oldest.max(first_kept);
    }
}

/// The planted bug: a record goes into the next transaction that has one.
fn recorded_too_late(
    tx: &mut Tx<'_>,
    (bucket, namespace, key): (u32, u32, &str),
    record: Record,
) -> Result<(), Stop<Vec<u8>>> {
    let late = holdfast_planted::put_off((bucket, namespace, key.to_owned(), record));
    let Some((bucket, namespace, key, record)) = late else { return Ok(()) };
    Ok(tx.put_in::<Records>(Namespace::SYSTEM, &(bucket, namespace, &*key), &record)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_retention_has_numbers_for_its_buckets_until_2106() {
        const END_2105_US: u64 = 4_291_747_199_999_999;
        for retention_us in [0, 1, 799_999, 2_000_000] {
            let filing = Filing::new(retention_us, Some(0));
            let now = LogTime::from_us(END_2105_US);
            assert_eq!(filing.to_forget(now), Some(4_291_747_199 - 2), "{retention_us}");
        }
    }
}
