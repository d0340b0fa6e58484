//! When snapshots are taken, and what they allow to trim (P16).
//!
//! Where nodes share a log they share the place of snapshots too, and only who leads takes them.
//! A node that led once and finishes a snapshot late trims nothing that is needed: it asks to trim
//! below its own snapshot before the last, and of the two newest that are kept by then neither is
//! older than that.

use holdfast_log::{Position, ReaderState};
use holdfast_planted::planted;
use holdfast_state::Version;

use super::{Engine, Role};
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
}

impl SnapshotPlan {
    pub(super) const fn after(newest: Option<Position>) -> Self {
        Self { bytes: 0, running: false, begun: None, newest }
    }
}

impl Engine {
    pub(super) fn snapshot_if_due(&mut self) {
        let due = !self.snapshots.running && self.snapshots.bytes >= self.config.snapshot_bytes;
        let ours = match self.config.leadership {
            Leadership::Alone => true,
            Leadership::Shared(_) => matches!(self.role, Role::Leading(_)),
        };
        if !(due && ours) {
            return;
        }
        let snapshot = self.state.latest();
        let version = snapshot.mark().version;
        if self.snapshots.begun.replace(version) != Some(version) {
            self.snapshots.running = true;
            self.snapshots.bytes = 0;
            self.actions.push_back(Action::Keep(snapshot));
        }
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
