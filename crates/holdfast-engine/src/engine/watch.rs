//! What a node knows of whoever leads, and when it may try to lead itself (P7).
//!
//! Leases are measured from when an entry was *read*, on this node's clock, and longer than the
//! leader measures its own (P11). All of it decides when to *try*; whether a claim counts is decided
//! by the log.

use holdfast_log::{Claim, EntryHeader};

use crate::{
    clock::ClockBounds,
    config::Shared,
    event::Now,
    leader::{Leader, waited_out_us},
};

/// A node's knowledge of the log's tail.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// By the latest claim or renewal that counts.
    pub(super) leader: Option<Leader>,
    /// What [`Action::Follows`](crate::Action::Follows) said last; `None` when this node does not
    /// follow.
    pub(super) told: Option<Option<Leader>>,
    /// Why it does not lead although nobody else may.
    pub(super) unfit: Option<String>,
    /// When an entry that counts was last read, or this node began.
    heard_us: Option<u64>,
    /// The entry read last was not there yet at this time; `None` when it was read to catch up.
    absent_us: Option<u64>,
    /// When the look was asked for that is not answered yet.
    asked_us: Option<u64>,
    /// When the newest look was asked for that saw the first hole empty.
    empty_us: Option<u64>,
    next_look_us: u64,
    /// Claims wait so much longer, drawn anew for each.
    jitter: u64,
    /// This node gave leadership up and lets others try until then.
    held_back_until_us: u64,
}

impl Watch {
    /// Notes that this node exists at `now`.
    pub(super) fn begin(&mut self, now: Now) {
        self.heard_us.get_or_insert(now.monotonic_us);
    }

    /// An entry that counts was read.
    pub(super) fn heard(&mut self, now: Now) {
        self.heard_us = Some(now.monotonic_us);
        self.absent_us = self.empty_us;
    }

    /// A claim that counts, or its renewal.
    pub(super) fn told_by(&mut self, header: &EntryHeader, claim: &Claim) {
        self.leader = Leader::of(header.epoch, claim);
    }

    // ---- looks -----------------------------------------------------------------

    /// True when a look may be sent: one at a time, so that an answer is known to belong to it.
    pub(super) fn ask(&mut self, now: Now) -> bool {
        let free = self.asked_us.is_none();
        self.asked_us.get_or_insert(now.monotonic_us);
        free
    }

    /// The look was answered: when it was asked for.
    pub(super) const fn answered(&mut self) -> Option<u64> {
        self.asked_us.take()
    }

    /// The look that was asked for then saw the first hole empty.
    pub(super) const fn saw_empty(&mut self, asked_us: u64) {
        self.empty_us = Some(asked_us);
    }

    /// When the newest such look was asked for.
    pub(super) const fn empty_us(&self) -> Option<u64> {
        self.empty_us
    }

    pub(super) const fn look_later(&mut self, now: Now, pause_us: u64) {
        self.next_look_us = now.monotonic_us.saturating_add(pause_us);
    }

    pub(super) const fn look_is_due(&self, now: Now) -> bool {
        self.asked_us.is_none() && self.next_look_us <= now.monotonic_us
    }

    /// How long until the next look, in microseconds.
    pub(super) const fn until_look_us(&self, now: Now) -> u64 {
        match self.asked_us {
            None => self.next_look_us.saturating_sub(now.monotonic_us),
            Some(_) => u64::MAX,
        }
    }

    // ---- claims ----------------------------------------------------------------

    /// The next claim waits another random while.
    pub(super) const fn draw(&mut self, random: u64) {
        self.jitter = random;
    }

    pub(super) const fn hold_back(&mut self, now: Now, for_us: u64) {
        self.held_back_until_us = now.monotonic_us.saturating_add(for_us);
    }

    /// May this node claim, when the latest claim's lease is `lease_us`? One that was given up, or
    /// never taken, is nobody's.
    pub(super) fn may_claim(&self, lease_us: u64, settings: &Shared, now: Now) -> bool {
        let heard_us = self.heard_us.unwrap_or(now.monotonic_us);
        let spread_us = settings.lease_us() / if lease_us == 0 { 8 } else { 2 };
        let jitter_us = self.jitter % spread_us.max(1);
        let due_us = heard_us.saturating_add(waited_out_us(lease_us)).saturating_add(jitter_us);
        settings.may_lead && now.monotonic_us >= due_us.max(self.held_back_until_us)
    }

    /// How far the wall clock may be from the last entry, for a node that saw it come: by as much
    /// as passed since, and what clocks may be off (P7, P15).
    pub(super) fn bounds(&self, bounds: ClockBounds, now: Now) -> ClockBounds {
        let Some(absent_us) = self.absent_us else { return bounds };
        let passed_us = now.monotonic_us.saturating_sub(absent_us);
        let ahead_us = passed_us.saturating_add(bounds.behind_us);
        ClockBounds { ahead_us: ahead_us.min(bounds.ahead_us), ..bounds }
    }
}
