//! Reading what others wrote: up to the log's first hole, and there, where somebody leads, for more.
//!
//! One look is on its way at a time, so an answer is known to belong to it. What it brings goes the
//! one way that everything goes; the next look waits until that is applied. At the hole a node that
//! is alone claims at once; one that shares the log looks again when the log tells that something
//! may have come, and now and then all the same, and claims when the lease of whoever led has run
//! out.

use bytes::Bytes;
use holdfast_log::{LogError, Position, Read};

use super::{Engine, Role};
use crate::{
    config::Leadership,
    event::{Action, Now, Stopped},
};

impl Engine {
    /// Reads behind whoever leads, once all that was read is applied.
    pub(super) fn read_on(&mut self, now: Now) {
        self.enter(Role::Reading { at_the_hole: false });
        if self.applying.is_empty() {
            self.look(now);
        }
    }

    /// Asks what the next position holds, unless that was asked already.
    pub(super) fn look(&mut self, now: Now) {
        if self.watch.ask(now) {
            self.actions.push_back(Action::Read(self.reader.state().next_position));
        }
    }

    /// All that was read is applied.
    pub(super) fn go_on_reading(&mut self, now: Now) {
        match self.role {
            Role::Reading { at_the_hole: true } => self.at_the_end(now),
            Role::Reading { at_the_hole: false } => self.look(now),
            Role::Claiming(_) | Role::Leading(_) | Role::Stopped(_) => {}
        }
    }

    pub(super) fn read_back(&mut self, from: Position, reads: Vec<Read>, now: Now) {
        let Some(asked_us) = self.watch.answered() else { return };
        match self.role {
            Role::Reading { .. } => self.read(from, reads, asked_us, now),
            Role::Leading(_) => self.read_while_leading(from, reads, asked_us, now),
            Role::Claiming(_) | Role::Stopped(_) => {}
        }
    }

    fn read(&mut self, from: Position, reads: Vec<Read>, asked_us: u64, now: Now) {
        let mut position = from;
        for read in reads {
            if !matches!(self.role, Role::Reading { .. }) {
                return;
            }
            // A look that began before this node came to lead may bring what it knows by now.
            if position == self.reader.state().next_position {
                match read {
                    Read::Entry(bytes) => {
                        // A look ends where it has brought enough: the hole is where it says so.
                        self.enter(Role::Reading { at_the_hole: false });
                        self.feed(position, &bytes, now);
                    }
                    Read::Empty => {
                        self.watch.saw_empty(asked_us);
                        self.enter(Role::Reading { at_the_hole: true });
                    }
                    Read::Trimmed => self.stop(Stopped::Behind(position)),
                }
            }
            position = position.next();
        }
        if self.applying.is_empty() {
            self.go_on_reading(now);
        }
    }

    /// A look that is to confirm reads (P10), or that was asked for before this node led.
    fn read_while_leading(&mut self, from: Position, reads: Vec<Read>, asked_us: u64, now: Now) {
        let mut position = from;
        for read in reads {
            let Role::Leading(leading) = &mut self.role else { return };
            // Since something of ours was sent, that is what confirms.
            if position != self.reader.state().next_position || !leading.pipeline.is_quiet() {
                return;
            }
            match read {
                Read::Empty => return self.proved_by_look(asked_us),
                Read::Entry(bytes) => {
                    leading.pipeline.pass(position);
                    self.feed(position, &bytes, now);
                }
                Read::Trimmed => return self.stop(Stopped::Behind(position)),
            }
            position = position.next();
        }
        self.confirming.seen_nothing();
    }

    /// The log did not answer a look.
    pub(super) fn read_failed(&mut self, error: &LogError, now: Now) {
        self.watch.answered();
        let Leadership::Shared(shared) = self.config.leadership else {
            return self.stop(Stopped::Failed(error.to_string()));
        };
        if error.is_permanent() {
            return self.stop(Stopped::Failed(error.to_string()));
        }
        tracing::warn!(%error, "the log could not be read for now");
        self.watch.look_later(now, shared.look_every_us);
        self.confirming.seen_nothing();
    }

    /// At the first hole, with everything below it applied.
    fn at_the_end(&mut self, now: Now) {
        if self.stopping {
            return self.stop(Stopped::Cleanly);
        }
        let Leadership::Shared(shared) = self.config.leadership else { return self.claim(now) };
        if let Some(asked_us) = self.watch.empty_us()
            && self.config.empty_read_is_linearizable
        {
            self.is_fresh_since(asked_us);
        }
        let lease_us = self.reader.state().lease_ms.saturating_mul(1_000);
        let due_us = self.watch.claim_due_us(lease_us, &shared, now);
        if due_us.is_some_and(|due_us| due_us <= now.monotonic_us) {
            self.claim(now);
        }
        if matches!(self.role, Role::Reading { .. }) {
            self.watch.look_at_the_end_later(due_us, &shared, now);
            let next = self.reader.state().next_position;
            if self.watch.waits_for(next) {
                self.actions.push_back(Action::Wait(next));
            }
            self.tell_who_leads();
        }
    }

    /// The log tells that it is time to look.
    pub(super) fn may_hold(&mut self, position: Position, now: Now) {
        self.watch.woken(position);
        let next = self.reader.state().next_position;
        let reads = matches!(self.role, Role::Reading { .. }) && self.applying.is_empty();
        if reads && position == next {
            self.look(now);
        }
    }

    /// Everything acknowledged before then is in the state.
    pub(super) fn is_fresh_since(&self, us: u64) {
        self.metrics.fresh_us.set(us.max(self.metrics.fresh_us.get()));
    }

    pub(super) fn tell_who_leads(&mut self) {
        let leader = self.watch.leader.clone();
        if self.watch.told.as_ref() != Some(&leader) {
            self.watch.told = Some(leader.clone());
            self.metrics.role.set(1);
            self.actions.push_back(Action::Follows(leader));
        }
    }

    /// Reads, in order, every position whose content is known from appends.
    pub(super) fn advance(&mut self, now: Now) {
        loop {
            let position = self.reader.state().next_position;
            let Some(bytes) = self.pipeline().and_then(|sent| sent.take_known(position)) else {
                return;
            };
            let bytes: Bytes = bytes;
            self.feed(position, &bytes, now);
        }
    }
}
