//! Linearizable reads (P10, P11): which proof they wait for, and when it has come.

use holdfast_planted::planted;

use super::{Engine, Role};
use crate::{
    config::{Leadership, Reads},
    confirm::{Confirm, Reader},
    event::{Action, Now},
    pipeline::Waiting,
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
            return self.confirming.push(Reader::Look(confirm));
        };
        self.actions.push_back(Action::Confirmed(confirm, answer));
    }

    /// Without asking the log.
    pub(super) fn is_proved(&self, now: Now) -> bool {
        let leads = matches!(self.role, Role::Leading(_));
        let free = match (self.config.leadership, self.config.reads) {
            (Leadership::Alone, _) => true,
            (Leadership::Shared(_), Reads::Lease) => self.lease.runs(now.monotonic_us),
            (Leadership::Shared(_), Reads::Confirmed) => planted!(ReadsNotConfirmed),
        };
        leads && free
    }

    /// An entry of ours that was first sent after `sent_us` is acknowledged: this node led then.
    pub(super) fn proved_by(&mut self, sequence: u64, sent_us: u64) {
        let Role::Leading(leading) = &self.role else { return };
        let lease_us = if leading.resigned { 0 } else { leading.lease_us() };
        self.lease.extend_to(sent_us.saturating_add(lease_us));
        let readers = self.confirming.acknowledged(sequence);
        self.proved(sent_us, readers);
    }

    /// A look that was asked for then saw the first hole empty.
    pub(super) fn proved_by_look(&mut self, asked_us: u64) {
        let readers = self.confirming.seen_empty();
        self.proved(asked_us, readers);
    }

    fn proved(&mut self, us: u64, readers: Vec<Reader>) {
        match self.applying.back_mut() {
            Some(last) => last.proved_us = Some(us),
            None => self.is_fresh_since(us),
        }
        self.metrics.confirmed.add(readers.len() as u64);
        for reader in readers {
            self.read_when_applied(reader);
        }
    }

    /// A transaction wrote nothing, and no entry that is still to be sent carries its answer: it
    /// rests on what is in flight, and on this node leading after it came (P10, P12).
    pub(super) fn answer_when_proved(&mut self, waiting: Waiting, now: Now) {
        if self.is_proved(now) {
            let Role::Leading(leading) = &mut self.role else { return self.reply(waiting) };
            if let Err(waiting) = leading.pipeline.wait(waiting) {
                self.read_when_applied(Reader::Answer(waiting));
            }
        } else {
            self.confirming.push(Reader::Answer(waiting));
        }
    }

    /// What is durable by now must be in the state first: of an answer, since a view taken after it
    /// must show what it saw; of a look, since a follower may have shown it to somebody already.
    fn read_when_applied(&mut self, reader: Reader) {
        match self.applying.back_mut() {
            Some(last) if !planted!(ReplyBeforeApplyOrder) => last.late.push(reader),
            Some(_) | None => self.may_read(reader),
        }
    }

    pub(super) fn may_read(&mut self, reader: Reader) {
        match reader {
            Reader::Look(confirm) => self.actions.push_back(Action::Confirmed(confirm, Ok(()))),
            Reader::Answer(waiting) => self.reply(waiting),
        }
    }

    /// Everyone who waits learns that this node leads. It is alone, so nobody else can.
    pub(super) fn answer_reads(&mut self) {
        for reader in self.confirming.end() {
            self.read_when_applied(reader);
        }
    }

    /// Everyone who waits learns why leadership will not be proved.
    pub(super) fn refuse_reads(&mut self, readers: Vec<Reader>, failure: &Failure) {
        for reader in readers {
            match reader {
                Reader::Look(confirm) => {
                    self.actions.push_back(Action::Confirmed(confirm, Err(failure.clone())));
                }
                Reader::Answer(waiting) => {
                    self.reply(Waiting { answer: Err(failure.clone()), ..waiting });
                }
            }
        }
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
