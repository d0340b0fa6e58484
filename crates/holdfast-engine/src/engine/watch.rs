//! What a node knows of whoever leads, and when it may try to lead itself (P7).
//!
//! Leases are measured from when an entry was *read*, on this node's clock, and longer than the
//! leader measures its own (P11). All of it decides when to *try*; whether a claim counts is decided
//! by the log.

use holdfast_log::{Claim, EntryHeader, Position};

use crate::{
    clock::ClockBounds,
    config::Shared,
    event::Now,
    leader::{Leader, waited_out_us},
};

/// Where the log tells when to look, a follower looks so often in a lease by itself.
const LOOKS_PER_LEASE: u64 = 8;

/// A node whose clock contradicts the log leaves it to the others for so many leases more.
const LEASES_STOOD_BACK: u64 = 2;

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
    /// The position that the log was asked to tell about, and has not.
    waits_for: Option<Position>,
    /// The log tells when something may have come.
    is_woken: bool,
    /// Claims wait so much longer, drawn anew for each.
    jitter: u64,
    /// Since when nothing but this node's clock keeps it from claiming.
    doubted_us: Option<u64>,
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
        self.doubted_us = None;
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

    /// At the log's end: where the log tells when to look, a look of one's own is for freshness, and
    /// for what it forgot to tell. A claim comes after a look, so there is one when it is due.
    pub(super) fn look_at_the_end_later(
        &mut self,
        claim_due_us: Option<u64>,
        settings: &Shared,
        now: Now,
    ) {
        let often_us = settings.look_every_us;
        let seldom_us = settings.lease_us() / LOOKS_PER_LEASE;
        let pause_us = if self.is_woken { seldom_us.max(often_us) } else { often_us };
        let until_due_us = claim_due_us.and_then(|due_us| due_us.checked_sub(now.monotonic_us));
        let until_due_us = until_due_us.map_or(u64::MAX, |until_us| until_us.max(often_us));
        self.look_later(now, pause_us.min(until_due_us));
    }

    /// True when the log is to be asked to tell about this position.
    pub(super) fn waits_for(&mut self, position: Position) -> bool {
        self.waits_for.replace(position) != Some(position)
    }

    /// The log told about a position.
    pub(super) fn woken(&mut self, position: Position) {
        self.is_woken = true;
        if self.waits_for == Some(position) {
            self.waits_for = None;
        }
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

    /// From when on this node claims, when the latest claim's lease is `lease_us`: one that was
    /// given up, or never taken, is nobody's. `None` when it must not lead.
    pub(super) fn claim_due_us(&self, lease_us: u64, settings: &Shared, now: Now) -> Option<u64> {
        let heard_us = self.heard_us.unwrap_or(now.monotonic_us);
        let spread_us = settings.lease_us() / if lease_us == 0 { 8 } else { 2 };
        let jitter_us = self.jitter % spread_us.max(1);
        let due_us = heard_us.saturating_add(waited_out_us(lease_us)).saturating_add(jitter_us);
        settings.may_lead.then_some(due_us.max(self.held_back_until_us))
    }

    /// This node's clock contradicts the log. True when it claims all the same: nobody whose clock
    /// does not had anything to say for so long.
    pub(super) fn stood_back(&mut self, settings: &Shared, now: Now) -> bool {
        let since_us = *self.doubted_us.get_or_insert(now.monotonic_us);
        let us = settings.lease_us().saturating_mul(LEASES_STOOD_BACK);
        since_us.saturating_add(us) <= now.monotonic_us
    }

    /// How long ago the last entry that counts was read, in microseconds: it is older than that.
    pub(super) fn since_heard_us(&self, now: Now) -> u64 {
        now.monotonic_us.saturating_sub(self.heard_us.unwrap_or(now.monotonic_us))
    }

    /// What may have passed since the last entry, in microseconds: no more, for a node that saw it
    /// come. `None` for one that read it to catch up.
    pub(super) fn passed_us(&self, now: Now) -> Option<u64> {
        self.absent_us.map(|absent_us| now.monotonic_us.saturating_sub(absent_us))
    }

    /// How far the wall clock may be from the last entry, for a node that saw it come: by as much
    /// as passed since, and what clocks may be off (P7).
    pub(super) fn bounds(&self, bounds: ClockBounds, now: Now) -> ClockBounds {
        let Some(passed_us) = self.passed_us(now) else { return bounds };
        let ahead_us = passed_us.saturating_add(bounds.behind_us);
        ClockBounds { ahead_us: ahead_us.min(bounds.ahead_us), ..bounds }
    }
}
