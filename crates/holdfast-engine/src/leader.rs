//! Who leads, and how long that may be believed.
//!
//! [`Leader`] is what a claim says of its writer. [`Lease`] is how long this node, leading, may
//! answer reads without asking the log (P11): the engine sets it, readers on any thread look at
//! it. Safety of writes rests on neither.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use holdfast_log::{Body, Claim, Entry, Epoch, ReaderState};
use holdfast_planted::planted;

/// Who leads, as far as this node has read the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leader {
    /// The number of its claim.
    pub epoch: Epoch,
    /// What it is called.
    pub node: String,
    /// Where it is reached; empty when it did not say.
    pub address: String,
}

impl Leader {
    /// Who leads by the entry that a reader's state points at ([`ReaderState::said_at`]); `None` when
    /// these bytes are another's.
    #[must_use]
    pub fn said_in(bytes: &Bytes, state: &ReaderState) -> Option<Self> {
        let Entry { header, body } = Entry::decode(bytes).ok()?;
        let counts = (header.log, header.epoch) == (state.identity?, state.epoch);
        match body {
            Body::Claim(claim) | Body::Renewal(claim)
                if counts && state.is_led_by(header.nonce) =>
            {
                Self::of(header.epoch, &claim)
            }
            Body::Claim(_) | Body::Renewal(_) | Body::Batch(_) => None,
        }
    }

    /// The writer of a claim that counts, or of its renewal; nobody, when that gives leadership up.
    pub(crate) fn of(epoch: Epoch, claim: &Claim) -> Option<Self> {
        let Claim { node, address, lease_ms, provenance: _ } = claim;
        (*lease_ms > 0).then(|| Self { epoch, node: node.clone(), address: address.clone() })
    }
}

impl fmt::Display for Leader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}) in epoch {}", self.node, self.address, self.epoch)
    }
}

/// A lease runs so much longer for those who wait for its end than for the leader: one part in
/// this many. Clocks of two machines must not drift apart faster.
const DRIFT_DIVISOR: u64 = 100;

/// How long others wait for a lease of `lease_us` from when they read the entry, in microseconds.
#[must_use]
pub(crate) fn waited_out_us(lease_us: u64) -> u64 {
    if planted!(LeaseNotWaitedOut) {
        return 0;
    }
    lease_us.saturating_add(lease_us / DRIFT_DIVISOR)
}

/// Until when this node's lease runs; on its own monotonic clock, which counts suspension.
#[derive(Debug, Default)]
pub struct Lease {
    until_us: AtomicU64,
}

impl Lease {
    /// Is nobody else leading at `now_us`, if clocks keep their bounds?
    #[must_use]
    pub fn runs(&self, now_us: u64) -> bool {
        now_us < self.until_us.load(Ordering::SeqCst)
    }

    /// How long it runs on, in microseconds.
    pub(crate) fn remaining_us(&self, now_us: u64) -> u64 {
        self.until_us.load(Ordering::SeqCst).saturating_sub(now_us)
    }

    pub(crate) fn extend_to(&self, until_us: u64) {
        self.until_us.fetch_max(until_us, Ordering::SeqCst);
    }

    pub(crate) fn end(&self) {
        self.until_us.store(0, Ordering::SeqCst);
    }
}
