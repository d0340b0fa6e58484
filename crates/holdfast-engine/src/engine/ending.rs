//! Ends: of leadership by its own will, and of the partition.
//!
//! A leader that gives leadership up finishes what it has evaluated, and then says so in the log: a
//! follower that reads it claims at once, without waiting for the lease. Between the two the log
//! takes nothing, so nothing is lost and nothing is left open.

use holdfast_log::Position;

use super::{Engine, Role};
use crate::{
    config::Leadership,
    confirm::Reader,
    event::{Action, Now, Stopped},
    request::Failure,
};

impl Engine {
    /// Lets another node lead.
    pub(super) fn hand_over(&mut self, now: Now) {
        let Leadership::Shared(shared) = self.config.leadership else { return };
        self.watch.hold_back(now, shared.lease_us());
        if matches!(self.role, Role::Claiming(_) | Role::Leading(_)) {
            self.resigning = true;
            self.turn_away_all(&Failure::NotLeader { leader: None });
        }
        self.finish_if_done(now);
    }

    /// Goes on with giving leadership up, or with stopping, once nothing is open.
    pub(super) fn finish_if_done(&mut self, now: Now) {
        if !(self.stopping || self.resigning) {
            return;
        }
        let shared = self.config.leadership != Leadership::Alone;
        match &self.role {
            Role::Leading(leading) => {
                let idle = self.waiting() == 0 && self.internal.is_empty();
                let open = leading.has_batch() || leading.pipeline.depth() > 0;
                if !idle || open || !self.applying.is_empty() {
                    return;
                }
                if shared && !leading.resigned {
                    self.resign(now);
                } else if self.stopping {
                    self.stop(Stopped::Cleanly);
                } else {
                    self.draw_another_while();
                    self.follow(now);
                }
            }
            Role::Reading { .. } if shared && self.stopping => self.stop(Stopped::Cleanly),
            Role::Reading { .. } | Role::Claiming(_) | Role::Stopped(_) => {}
        }
    }

    /// Says in the log that nobody leads. The lease ends before anyone can read that.
    fn resign(&mut self, now: Now) {
        let durable = self.durable();
        let Role::Leading(leading) = &mut self.role else { return };
        self.lease.end();
        let (position, bytes) = leading.resign(durable, now);
        self.confirming.send(leading.sequence());
        self.actions.push_back(Action::Append(position, bytes));
    }

    /// The last position that is known to be durable.
    pub(super) fn durable(&self) -> Option<Position> {
        self.reader.state().next_position.previous()
    }

    /// Refuses what was not evaluated, and forgets the engine's own work.
    pub(super) fn turn_away_all(&mut self, failure: &Failure) {
        let picked = std::mem::take(&mut self.picked).into_iter();
        let picked = picked.filter(|(_, internal)| !internal).map(|(request, _)| request);
        for request in picked.chain(self.admission.drain()).collect::<Vec<_>>() {
            self.refuse(request, failure.clone());
        }
        self.internal.clear();
        let readers = self.confirming.end();
        self.refuse_reads(readers, failure);
    }

    /// Does nothing any more. What is in flight is left to the log: whether it counts is not known
    /// here.
    pub(super) fn stop(&mut self, why: Stopped) {
        if matches!(self.role, Role::Stopped(_)) {
            return;
        }
        let reason = why.to_string();
        self.lease.end();
        self.metrics.role.set(4);
        let role = std::mem::replace(&mut self.role, Role::Stopped(why.clone()));
        // What is durable has happened, whether or not this node comes to apply it; but nobody may
        // look at a state without it.
        let durable = std::mem::take(&mut self.applying);
        let mut looks = Vec::new();
        for reader in durable.into_iter().flat_map(|applying| applying.late) {
            match reader {
                Reader::Answer(waiting) => self.reply(waiting),
                look @ Reader::Look(_) => looks.push(look),
            }
        }
        if let Role::Leading(leading) = role {
            let unknown = Failure::OutcomeUnknown { reason: reason.clone() };
            for waiting in leading.abandon(&unknown) {
                self.reply(waiting);
            }
        }
        let unavailable = Failure::Unavailable { reason };
        self.refuse_reads(looks, &unavailable);
        self.turn_away_all(&unavailable);
        self.actions.push_back(Action::Stopped(why));
    }
}
