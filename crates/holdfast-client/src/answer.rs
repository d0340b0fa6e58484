//! What comes back: an outcome, and its place in the one order.

use std::{fmt, str::FromStr};

use bytes::Bytes;

/// A place in the order: `0:48211`, partition and version. Whoever has seen it, has seen everything
/// of the partition up to that version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct At {
    /// The partition; there is one today, 0.
    pub partition: u32,
    /// The transaction.
    pub version: u64,
}

impl At {
    /// The later of two, where they can be compared; else `other`, which is newer to the caller.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        if self.partition == other.partition && self.version > other.version { self } else { other }
    }
}

/// A text is no place in the order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not PARTITION:VERSION")]
pub struct BadAt(String);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.partition, self.version)
    }
}

impl FromStr for At {
    type Err = BadAt;

    fn from_str(text: &str) -> Result<Self, BadAt> {
        let parts = text.split_once(':');
        let parsed = parts.and_then(|(partition, version)| {
            Some(Self { partition: partition.parse().ok()?, version: version.parse().ok()? })
        });
        parsed.ok_or_else(|| BadAt(text.to_owned()))
    }
}

/// An outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer<T> {
    /// What was done, or found.
    pub outcome: T,
    /// Its place in the order. What reads with this as [`after`](crate::Request::after) sees it.
    pub at: Option<At>,
    /// It is the stored answer of an earlier request under the same key.
    pub replayed: bool,
}

/// An outcome as it came.
pub type WireAnswer = Answer<Bytes>;

impl WireAnswer {
    /// The outcome as what it is meant to be.
    ///
    /// # Errors
    /// When it is not.
    pub fn read<T: serde::de::DeserializeOwned>(&self) -> Result<Answer<T>, serde_json::Error> {
        let outcome = serde_json::from_slice(&self.outcome)?;
        Ok(Answer { outcome, at: self.at, replayed: self.replayed })
    }
}
