//! Evaluating what waits, in groups, and sending what was evaluated.
//!
//! A group is taken out of the queues and named to the witness before any of it is
//! evaluated (see [`quarantine`](crate::quarantine)). What is taken out and not
//! evaluated yet, because a batch is full, comes first the next time. Nothing is
//! named any more when entries are sent: a request that was under evaluation when
//! the process died is not in the log of that life.

use super::{Engine, Role};
use crate::{
    config::Leadership,
    digest,
    event::{Action, Now, Stopped},
    pipeline::Waiting,
    quarantine::GROUP_MAX,
    request::{Failure, Request},
};
use holdfast_planted::planted;
use holdfast_state::{Budget, Namespace, store::Pressure};

/// Groups evaluated between two looks at what else has come.
const GROUPS: usize = 4;

impl Engine {
    /// Evaluates a slice of what waits, and sends what can be sent.
    pub fn work(&mut self, now: Now) {
        self.digest_if_due(now);
        for _ in 0..GROUPS {
            if !self.may_evaluate() || !self.evaluate_group(now) {
                break;
            }
        }
        self.quarantine.end();
        self.metrics.waiting.set(self.waiting() as u64);
        self.send(now);
        self.finish_if_done(now);
    }

    /// First in its batch: what it sees is the state after all batches before (P17).
    fn digest_if_due(&mut self, now: Now) {
        let begun = matches!(&self.role, Role::Leading(leading) if leading.has_batch());
        if self.undigested >= self.config.digest_entries.max(2) && !begun && self.may_evaluate() {
            self.undigested = 0;
            // Bounded by itself; a row as large as rows may be must not end it for ever.
            let budget = Budget { read_bytes_max: usize::MAX, ..self.config.budget };
            self.run(digest::request(), budget, now);
        }
    }

    pub(super) fn may_evaluate(&self) -> bool {
        let Role::Leading(leading) = &self.role else { return false };
        !(self.resigning || leading.resigned)
            && leading.batch_bytes() < self.config.batch_bytes
            && leading.answers_waiting() + self.confirming.waiting() < self.config.waiting_max
            && self.applying.len() < self.config.entries_unapplied_max
            && self.applying.back().is_none_or(|last| last.late.len() < self.config.waiting_max)
            && self.state.pressure() == Pressure::None
    }

    /// Requests that wait for evaluation, the engine's own queue not counted.
    pub(super) fn waiting(&self) -> usize {
        self.admission.waiting() + self.picked.len()
    }

    fn next_request(&mut self) -> Option<(Request, bool)> {
        match self.internal.pop_front() {
            Some(request) => Some((request, true)),
            None => self.admission.pop().map(|request| (request, false)),
        }
    }

    /// False when nothing waits.
    fn evaluate_group(&mut self, now: Now) -> bool {
        while self.picked.len() < GROUP_MAX {
            let Some(next) = self.next_request() else { break };
            self.picked.push_back(next);
        }
        let prints = self.picked.iter().map(|(request, _)| request.fingerprint());
        let together = self.quarantine.begin(prints);
        for _ in 0..together {
            if !self.may_evaluate() {
                break;
            }
            let Some((request, internal)) = self.picked.pop_front() else { break };
            self.evaluate(request, internal, now);
        }
        together > 0
    }

    fn evaluate(&mut self, request: Request, internal: bool, now: Now) {
        let (namespace, print) = (request.namespace, request.fingerprint());
        if request.deadline_us.is_some_and(|deadline| deadline <= now.monotonic_us) {
            self.metrics.too_late.increment();
            self.charge(namespace, internal, 1);
            self.refuse(request, Failure::Deadline);
            return;
        }
        if let Some(fingerprint) = self.quarantine.refuses(print) {
            self.metrics.quarantined.increment();
            self.charge(namespace, internal, 1);
            self.refuse(request, Failure::Quarantined { fingerprint });
            return;
        }
        let cost = self.run(request, self.config.budget, now);
        self.quarantine.survived(print);
        self.charge(namespace, internal, cost);
    }

    /// What it cost.
    fn run(&mut self, request: Request, budget: Budget, now: Now) -> i64 {
        let Role::Leading(leading) = &mut self.role else { return 0 };
        let (given, namespace) = ((now, self.random.next(), budget), request.namespace);
        let evaluated = leading.evaluate(self.state.as_ref(), request, given);
        self.metrics.evaluated.increment();
        self.metrics.tally(namespace, evaluated.counted);
        match evaluated.now {
            Some(waiting)
                if planted!(AcknowledgedBeforeDurable) || planted!(ReadsOverlayAtOnce) =>
            {
                self.reply(waiting);
            }
            Some(waiting) => self.answer_when_proved(waiting, now),
            None => {}
        }
        if let Some(what) = evaluated.doubt {
            self.stop(Stopped::StateInDoubt(what));
        }
        evaluated.cost
    }

    fn charge(&mut self, namespace: Namespace, internal: bool, cost: i64) {
        if !internal {
            self.admission.charge(namespace, cost);
        }
    }

    pub(super) fn reply(&mut self, Waiting { reply, answer }: Waiting) {
        self.metrics.count(&answer);
        self.actions.push_back(Action::Reply(reply, answer));
    }

    /// Sends the open batch, if the pipeline has room for it, and what others should hear.
    pub(super) fn send(&mut self, now: Now) {
        let wanted = self.reads_want_an_entry(now);
        let shared = self.config.leadership != Leadership::Alone;
        let durable = self.durable();
        while let Role::Leading(leading) = &mut self.role {
            if leading.resigned || leading.pipeline.depth() >= self.config.entries_in_flight_max {
                return;
            }
            let unheard = shared && leading.until_heartbeat_us(now) == 0;
            let read = wanted && self.confirming.is_wanted() && !leading.has_batch();
            let (position, bytes) = if unheard || read {
                self.metrics.heartbeats.increment();
                leading.renew(durable, now)
            } else if leading.has_batch() {
                leading.seal(durable, now)
            } else {
                return;
            };
            self.confirming.send(leading.sequence());
            self.undigested += 1;
            self.metrics.entries.increment();
            self.metrics.entry_bytes.add(bytes.len() as u64);
            self.actions.push_back(Action::Append(position, bytes));
        }
    }
}
