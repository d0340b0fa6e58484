//! When snapshots are taken, of which state, and what they allow to trim (P16).
//!
//! What is kept is, as a rule, what the store has written back, because that takes no memory while it
//! is exported. It is older than the newest state by some tables, and so is the position that the log
//! must be readable from: nothing else depends on how old it is.
//!
//! Where nodes share a log they share the place of snapshots too, and only who leads takes them.
//! A node that led once and finishes a snapshot late trims nothing that is needed: it asks to trim
//! below its own snapshot before the last, and of the two newest that are kept by then neither is
//! older than that.

use holdfast_log::{Position, ReaderState};
use holdfast_planted::planted;
use holdfast_state::{Snapshot, Version};

use super::{Engine, Role, checkpoint_of};
use crate::{config::Leadership, event::Action};

#[derive(Debug)]
pub(super) struct SnapshotPlan {
    /// Bytes of log applied since the last one was begun.
    pub(super) bytes: u64,
    pub(super) running: bool,
    /// The version of the last one begun: another of that version would take its place, and leave
    /// one snapshot where there must be two.
    begun: Option<Version>,
    /// Where the newest verified snapshot goes on.
    newest: Option<Position>,
    /// Where the log went on after our claim. Whoever led before kept no snapshot beyond that.
    led: Option<Position>,
}

impl SnapshotPlan {
    pub(super) const fn after(newest: Option<Position>) -> Self {
        Self { bytes: 0, running: false, begun: None, newest, led: None }
    }

    /// Does this state go beyond the newest snapshot there is? What is found after a crash may not:
    /// the tables in memory are gone, and the snapshot that was made of them is not.
    fn is_beyond(&self, state: &dyn Snapshot) -> bool {
        goes_on(state) > self.newest
    }

    /// Is what is written back to be kept, where the newest state has this version? It is when it goes
    /// beyond every snapshot there may be, those of earlier leaders too, and holds at least half of what has
    /// come since the last one was begun. Where it does not, because nobody writes for now or because
    /// snapshots are wanted more often than tables are full, the newest state is kept.
    fn gains_by(&self, written_back: &dyn Snapshot, newest: Version) -> bool {
        let before = self.begun.unwrap_or_default().get();
        let since = |version: Version| version.get().saturating_sub(before);
        let gained = since(written_back.mark().version);
        let new = self.is_beyond(written_back) && goes_on(written_back) > self.led;
        new && gained > 0 && gained >= since(newest) / 2
    }
}

/// Where the log goes on after this state.
fn goes_on(state: &dyn Snapshot) -> Option<Position> {
    checkpoint_of(state.mark()).ok().flatten().map(|reader| reader.next_position)
}

impl Engine {
    /// `newest` is the version that the state has come to.
    pub(super) fn snapshot_if_due(&mut self, newest: Version) {
        let due = !self.snapshots.running && self.snapshots.bytes >= self.config.snapshot_bytes;
        let ours = match self.config.leadership {
            Leadership::Alone => true,
            Leadership::Shared(_) => matches!(self.role, Role::Leading(_)),
        };
        if !(due && ours) {
            return;
        }
        let written_back = self.state.written_back();
        let gains = self.snapshots.gains_by(written_back.as_ref(), newest);
        let snapshot = if gains { written_back } else { self.state.latest() };
        let version = snapshot.mark().version;
        if self.snapshots.begun != Some(version) && self.snapshots.is_beyond(snapshot.as_ref()) {
            self.snapshots.begun = Some(version);
            self.snapshots.running = true;
            self.snapshots.bytes = 0;
            self.actions.push_back(Action::Keep(snapshot));
        }
    }

    /// This node leads, and the log goes on here after its claim.
    pub(super) const fn snapshots_since(&mut self, next: Position) {
        self.snapshots.led = Some(next);
    }

    /// The log stays readable from the older of the last two snapshots on.
    pub(super) fn snapshot_kept(&mut self, state: &ReaderState) {
        self.snapshots.running = false;
        self.metrics.snapshots.increment();
        let older = self.snapshots.newest.replace(state.next_position);
        let older = if planted!(TrimmedTooFar) { Some(state.next_position) } else { older };
        if let Some(older) = older
            && !matches!(self.role, Role::Stopped(_))
        {
            self.actions.push_back(Action::Trim(older));
        }
    }

    pub(super) fn snapshot_failed(&mut self, error: &str) {
        tracing::error!(error, "a snapshot could not be kept; the log is not trimmed");
        self.snapshots.running = false;
        self.snapshots.begun = None;
    }
}
