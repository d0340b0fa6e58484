//! Linearizable reads (P10, P11): which proof they wait for, and when it has come.

use super::{Engine, Role};
use crate::{
    config::{Leadership, Reads},
    confirm::Confirm,
    event::{Action, Now},
    request::Failure,
};

impl Engine {
    /// A read came.
    pub(super) fn confirm(&mut self, confirm: Confirm, now: Now) {
        let answer = if let Some(failure) = self.turned_away() {
            Err(failure)
        } else if self.is_proved(now) {
            Ok(())
        } else if self.confirming.waiting() >= self.config.waiting_max {
            self.metrics.overloaded.increment();
            Err(Failure::Overloaded)
        } else {
            return self.confirming.push(confirm);
        };
        self.actions.push_back(Action::Confirmed(confirm, answer));
    }

    /// Without asking the log.
    fn is_proved(&self, now: Now) -> bool {
        let leads = matches!(self.role, Role::Leading(_));
        let free = match (self.config.leadership, self.config.reads) {
            (Leadership::Alone, _) => true,
            (Leadership::Shared(_), Reads::Lease) => self.lease.runs(now.monotonic_us),
            (Leadership::Shared(_), Reads::Confirmed) => false,
        };
        leads && free
    }

    /// An entry of ours that was first sent after `sent_us` is acknowledged.
    pub(super) fn proved(&mut self, sequence: u64, sent_us: u64, lease_us: u64) {
        self.lease.extend_to(sent_us.saturating_add(lease_us));
        self.is_fresh_since(sent_us);
        let confirms = self.confirming.acknowledged(sequence);
        self.tell_confirmed(confirms);
    }

    /// A look that was asked for then saw the first hole empty.
    pub(super) fn confirmed_by_look(&mut self, asked_us: u64) {
        self.is_fresh_since(asked_us);
        let confirms = self.confirming.seen_empty();
        self.tell_confirmed(confirms);
    }

    fn tell_confirmed(&mut self, confirms: Vec<Confirm>) {
        self.metrics.confirmed.add(confirms.len() as u64);
        let confirmed = confirms.into_iter().map(|confirm| Action::Confirmed(confirm, Ok(())));
        self.actions.extend(confirmed);
    }

    /// Everyone who waits gets this answer.
    pub(super) fn answer_reads(&mut self, answer: &Result<(), Failure>) {
        let all = self.confirming.end().into_iter();
        self.actions.extend(all.map(|confirm| Action::Confirmed(confirm, answer.clone())));
    }

    /// Sends a look for those who wait, if an empty hole proves anything. True when an entry must.
    pub(super) fn reads_want_an_entry(&mut self, now: Now) -> bool {
        let Role::Leading(leading) = &self.role else { return false };
        if !self.confirming.is_wanted() || leading.has_batch() {
            return false;
        }
        let provable = self.config.empty_read_is_linearizable && self.confirming.may_look();
        if provable && leading.pipeline.is_quiet() && self.watch.ask(now) {
            self.confirming.look();
            self.actions.push_back(Action::Read(self.reader.state().next_position));
            return false;
        }
        true
    }
}
