//! Decides which entries count: the one automaton that every reader runs, the leader included.
//!
//! Fed with what the positions really hold, in order (P4):
//! * a claim counts if its epoch is exactly one more than the last valid claim's;
//! * a batch or a renewal counts if its epoch *and* nonce are those of the latest valid claim and
//!   its sequence number is the next;
//! * everything else is dead: skipped by every reader alike. Late and out-of-order writes of a
//!   deposed leader are therefore harmless.
//!
//! An entry that counts must also fit (P2): the log's identity, the hash of the valid entry before
//! it, and the next version. One that counts and does not fit proves that the engine lost, forked
//! or swapped its history; so do bytes that are no entry at all, for nobody writes such and a
//! reader who skipped them might skip what another applied. The reader then stops, says which
//! check failed, and stays stopped: from there on nothing can be trusted.
//!
//! Pure: no IO, no clock. [`ReaderState`] is everything it knows; a snapshot carries it.

mod state;

use bytes::Bytes;
use holdfast_planted::planted;
use thiserror::Error;

pub use state::{ReaderState, StateError};

use crate::entry::{Body, Claim, Entry, EntryError, EntryHeader, FEATURE_LEVEL};
use crate::epoch::{Epoch, Nonce};
use crate::identity::{Hash, LogId};
use crate::position::Position;

/// What a position turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A new leader.
    Claim(EntryHeader, Claim),
    /// Committed transactions: versions `first_version .. first_version + count`.
    Batch(EntryHeader, Bytes),
    /// The leader leads on, or, with a lease of 0, no more. It brings no versions.
    Renewal(EntryHeader, Claim),
    /// An entry that does not count.
    Dead(DeadReason),
}

/// Why an entry does not count. For people and tests; all reasons have the same consequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadReason {
    /// A claim whose epoch is not the next: another claim was first, or this one comes late.
    ClaimEpoch {
        /// The claim's.
        found: Epoch,
        /// The next.
        expected: Epoch,
    },
    /// A batch of an epoch that is over, or has not begun.
    Epoch {
        /// The batch's.
        found: Epoch,
        /// The latest valid claim's.
        current: Epoch,
    },
    /// A batch of this epoch by someone whose claim lost.
    Nonce,
    /// A batch out of order: an abandoned copy, or one whose predecessors are yet to come.
    Sequence {
        /// The batch's.
        found: u64,
        /// The next.
        expected: u64,
    },
}

/// Why a reader stopped for good.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ChainBroken {
    /// The entry belongs to another log.
    #[error("position {position} belongs to log {found}, this is {expected}")]
    Identity {
        /// Where.
        position: Position,
        /// This log.
        expected: LogId,
        /// The entry's.
        found: LogId,
    },
    /// The entry follows another history than the one that was read.
    #[error("position {position} follows an entry with hash {found}, the last read has {expected}")]
    Previous {
        /// Where.
        position: Position,
        /// The hash of the last valid entry.
        expected: Hash,
        /// What the entry says it follows.
        found: Hash,
    },
    /// The entry's versions do not continue those before.
    #[error("position {position} begins with version {found} instead of {expected}")]
    Version {
        /// Where.
        position: Position,
        /// The next version.
        expected: u64,
        /// The entry's first.
        found: u64,
    },
    /// The entry uses features that this build does not know (P19). Upgrade it.
    #[error("position {position} has feature level {found}; this build knows up to {supported}")]
    FeatureLevel {
        /// Where.
        position: Position,
        /// The entry's.
        found: u16,
        /// This build's.
        supported: u16,
    },
    /// The position holds something that is not an entry this build can read.
    #[error("position {position} holds no readable entry: {source}")]
    Undecodable {
        /// Where.
        position: Position,
        /// What is wrong with it.
        source: EntryError,
    },
}

/// The automaton: what counted so far, and whether it has stopped.
#[derive(Clone, Debug)]
pub struct Reader {
    state: ReaderState,
    broken: Option<ChainBroken>,
}

impl Reader {
    /// A reader that goes on from a checkpoint, or from position 1.
    #[must_use]
    pub fn start(checkpoint: Option<ReaderState>) -> Self {
        Self { state: checkpoint.unwrap_or_default(), broken: None }
    }

    /// What it knows.
    #[must_use]
    pub fn state(&self) -> &ReaderState {
        &self.state
    }

    /// Takes what the next position holds and says what it is.
    ///
    /// # Errors
    /// When the chain does not fit, now and ever after; the state stays as it was before.
    ///
    /// # Panics
    /// If `position` is not [`ReaderState::next_position`]: feeding in order is the caller's part.
    pub fn feed(&mut self, position: Position, bytes: &Bytes) -> Result<Step, ChainBroken> {
        if let Some(broken) = &self.broken {
            return Err(broken.clone());
        }
        assert_eq!(position, self.state.next_position, "positions are fed in order");
        let step = self.judge(position, bytes);
        match &step {
            Ok(_) => self.state.next_position = position.next(),
            Err(broken) => self.broken = Some(broken.clone()),
        }
        step
    }

    fn judge(&mut self, position: Position, bytes: &Bytes) -> Result<Step, ChainBroken> {
        let entry =
            Entry::decode(bytes).map_err(|source| ChainBroken::Undecodable { position, source })?;
        let header = entry.header;
        let dead = match entry.body {
            Body::Claim(_) => self.state.claim_is_dead(&header),
            Body::Batch(_) | Body::Renewal(_) => self.state.batch_is_dead(&header),
        };
        if let Some(reason) = dead {
            return Ok(Step::Dead(reason));
        }
        self.state.check_fit(position, &header)?;
        self.state.accept(&header, Hash::of(bytes));
        Ok(match entry.body {
            Body::Claim(claim) => {
                self.state.say(position, &claim);
                Step::Claim(header, claim)
            }
            Body::Renewal(claim) => {
                self.state.say(position, &claim);
                Step::Renewal(header, claim)
            }
            Body::Batch(body) => Step::Batch(header, body),
        })
    }
}

impl ReaderState {
    fn claim_is_dead(&self, header: &EntryHeader) -> Option<DeadReason> {
        let expected = self.epoch.next();
        (header.epoch != expected && !planted!(ClaimNotChecked))
            .then_some(DeadReason::ClaimEpoch { found: header.epoch, expected })
    }

    fn batch_is_dead(&self, header: &EntryHeader) -> Option<DeadReason> {
        if header.epoch != self.epoch && !planted!(EpochNotChecked) {
            return Some(DeadReason::Epoch { found: header.epoch, current: self.epoch });
        }
        if header.nonce != self.nonce && !planted!(EpochNotChecked) {
            return Some(DeadReason::Nonce);
        }
        let expected = self.sequence + 1;
        (header.sequence != expected && !planted!(NumberNotChecked))
            .then_some(DeadReason::Sequence { found: header.sequence, expected })
    }

    fn check_fit(&self, position: Position, header: &EntryHeader) -> Result<(), ChainBroken> {
        let found = header.log;
        if let Some(expected) = self.identity.filter(|own| *own != found) {
            return Err(ChainBroken::Identity { position, expected, found });
        }
        let (expected, found) = (self.hash, header.previous);
        if expected != found {
            return Err(ChainBroken::Previous { position, expected, found });
        }
        let (expected, found) = (self.next_version, header.first_version);
        if expected != found {
            return Err(ChainBroken::Version { position, expected, found });
        }
        let (supported, found) = (FEATURE_LEVEL, header.feature_level);
        if found > supported {
            return Err(ChainBroken::FeatureLevel { position, found, supported });
        }
        Ok(())
    }

    fn accept(&mut self, header: &EntryHeader, hash: Hash) {
        self.identity = Some(header.log);
        self.epoch = header.epoch;
        self.nonce = header.nonce;
        self.sequence = header.sequence;
        self.hash = hash;
        self.next_version += u64::from(header.count);
        self.log_time_us = self.log_time_us.max(header.log_time_us);
        self.feature_level = self.feature_level.max(header.feature_level);
    }

    /// A claim or a renewal counts.
    fn say(&mut self, position: Position, claim: &Claim) {
        self.lease_ms = claim.lease_ms;
        self.said_at = Some(position);
        self.provenance = claim.provenance;
    }

    /// Whether an entry with this nonce was written by the leader of the latest valid claim.
    #[must_use]
    pub fn is_led_by(&self, nonce: Nonce) -> bool {
        self.epoch > Epoch::NONE && self.nonce == nonce
    }
}

#[cfg(test)]
mod tests;
