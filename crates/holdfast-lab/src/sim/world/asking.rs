//! Clients: what they ask, whom, how long they wait, and what they make of an answer.

use std::sync::Arc;

use holdfast_engine::{
    Answer, Asked, Confirm, Decision, Event, Failure, Fingerprint, Outcome, Reads, Request, view,
};
use holdfast_state::{Namespace, Read as _, View};

use super::World;
use crate::sim::{
    agenda::{Attempt, Happening},
    client::{Operation, says},
    network::Place,
    node::{Mail, NodeId},
    primitives::{Said, looked},
    shape::Fault,
    violation::Violation,
    workload::{Op, Query, sum},
};

impl World {
    /// A client's next step: something new, or the same again.
    pub(super) fn acts(&mut self, client: usize, step: u64) {
        if self.clients[client].step != step {
            return;
        }
        let Some(operation) = self.clients[client].current else {
            return self.begins(client);
        };
        let tries = self.operations[operation].sendings.len() as u64;
        let asking = &mut self.clients[client];
        let insists = self.healed.is_some() || asking.random.below(6) >= tries.saturating_sub(1);
        if self.operations[operation].keyed && insists {
            asking.target = NodeId::try_from(asking.random.below(self.shape.nodes as u64))
                .expect("a few nodes");
            self.trace.count("path: asked again");
            return self.asks(client, operation);
        }
        if self.operations[operation].keyed {
            asking.given_up.push(operation);
        }
        self.trace.count("path: given up");
        self.rests(client);
    }

    /// Something new, or, when the faults are over, what was given up.
    fn begins(&mut self, client: usize) {
        let accounts = self.shape.accounts;
        let asking = &mut self.clients[client];
        let operation = if self.healed.is_none() {
            None
        } else if let Some(given_up) = asking.given_up.pop() {
            Some(given_up)
        } else if asking.left == 0 {
            return;
        } else {
            asking.left -= 1;
            None
        };
        let operation = operation.unwrap_or_else(|| {
            // The last of all writes: that somebody can is what a world that is well shows.
            let last = self.healed.is_some() && asking.left == 0;
            let theirs = self.shape.menu.next(&mut asking.random, &asking.mind);
            let op = match theirs {
                _ if last => Op::Say,
                Some(op) => op,
                None => Op::draw(&mut asking.random, accounts),
            };
            // Once the faults are over everything is asked until it is answered.
            let keyed = op.writes() && (asking.random.percent(85) || self.healed.is_some());
            self.operations.push(Operation::new(op, keyed, self.told));
            self.operations.len() - 1
        });
        self.clients[client].current = Some(operation);
        self.asks(client, operation);
    }

    fn asks(&mut self, client: usize, operation: usize) {
        let Operation { ref op, keyed, .. } = self.operations[operation];
        let asking = &mut self.clients[client];
        // Looks go to any node: one that has not heard of its end must not answer them.
        let anywhere = op.query().is_some() && asking.random.percent(60);
        let target = if anywhere {
            NodeId::try_from(asking.random.below(self.shape.nodes as u64)).expect("a few nodes")
        } else {
            asking.target
        };
        self.send(target, operation);
        if keyed && self.clients[client].random.percent(8) {
            let other = self.clients[client].random.below(self.shape.nodes as u64);
            self.trace.count("path: asked two nodes at once");
            self.send(NodeId::try_from(other).expect("a few nodes"), operation);
        }
        let patience =
            self.shape.patience_us / 2 + self.clients[client].random.below(self.shape.patience_us);
        self.clients[client].step += 1;
        let step = self.clients[client].step;
        self.agenda.enter(self.now + patience, Happening::Acts { client, step });
    }

    fn send(&mut self, node: NodeId, operation: usize) {
        let number = self.operations[operation].send(self.now);
        let attempt = Attempt { operation, number };
        let numbers = [node as u64, operation as u64, attempt.number as u64];
        let words = self.operations[operation].op.to_string();
        self.trace.tell(self.now, "asks", numbers, words);
        for delay in self.network.send(Place::Clients, Place::Node(node), &mut self.trace) {
            self.agenda.enter(self.now + delay, Happening::Arrives { node, attempt });
        }
    }

    pub(super) fn arrives(&mut self, node: NodeId, attempt: Attempt) {
        let now = self.nodes[node].now(self.now);
        let in_time = self.nodes[node].random.percent(70);
        let Some(process) = self.nodes[node].process.as_mut() else {
            return self.trace.count("path: asked a node that was down");
        };
        let operation = &self.operations[attempt.operation];
        if let Some(query) = operation.op.query() {
            return self.looks(node, attempt, query);
        }
        let number = attempt.operation as u64;
        let fingerprint = Fingerprint::of(&[&number.to_le_bytes()]);
        let key = operation.keyed.then(|| number.to_string().into());
        let request = Request {
            namespace: Namespace::DEFAULT,
            asked: Some(Asked { fingerprint, key }),
            deadline_us: (!in_time).then(|| now.monotonic_us + self.shape.patience_us),
            work: operation.op.work(number, operation.keyed),
            reply: process.postmark.reply(attempt),
        };
        process.inbox.push_back(Event::Request(request));
        self.trace.note(self.now, "arrives", [node as u64, number, attempt.number as u64]);
        self.wake(node, self.now);
    }

    /// A query, answered from a view as the production partition does (`Partition::look`).
    fn looks(&mut self, node: NodeId, attempt: Attempt, query: Query) {
        let now = self.nodes[node].now(self.now);
        let Some(process) = self.nodes[node].process.as_mut() else { return };
        let state = process.store.snapshots();
        let reply = process.postmark.reply(attempt);
        let (op, metrics) =
            (self.operations[attempt.operation].op.clone(), Arc::clone(process.engine.metrics()));
        let seen = move |proved: Result<(), Failure>| {
            let look = || view(state.latest(), Namespace::DEFAULT, &metrics);
            reply(proved.map(|()| saw(&op, &look())));
        };
        let elsewhere = || Failure::NotLeader { leader: None };
        match query {
            Query::Linearizable
                if self.shape.reads == Reads::Lease
                    && process.engine.lease().runs(now.monotonic_us) =>
            {
                self.trace.count("path: read under a lease");
                seen(Ok(()));
            }
            Query::Linearizable => {
                process.inbox.push_back(Event::Confirm(Confirm(Box::new(seen))));
                self.wake(node, self.now);
            }
            Query::Session => {
                let there = process.applied() >= self.operations[attempt.operation].before;
                seen(if there { Ok(()) } else { Err(elsewhere()) });
            }
            Query::Stale { max_age_us } => {
                let fresh_us = process.engine.metrics().fresh_us.get();
                let age_us = now.monotonic_us.saturating_sub(fresh_us);
                let fresh = fresh_us > 0 && age_us <= max_age_us;
                self.operations[attempt.operation].before = self.told_until(max_age_us);
                seen(if fresh { Ok(()) } else { Err(elsewhere()) });
            }
        }
    }

    /// The newest version that anybody had been told so long ago. Clocks that run at other rates
    /// measure another age, so nothing is asked of them.
    fn told_until(&self, age_us: u64) -> u64 {
        if self.shape.has(Fault::Drift) {
            return 0;
        }
        let Some(until) = self.now.checked_sub(age_us) else { return 0 };
        let later = self.told_when.partition_point(|(when, _)| *when <= until);
        later.checked_sub(1).map_or(0, |index| self.told_when[index].1)
    }

    /// What has left a node, as it leaves.
    pub(super) fn look_at_answers(&mut self) -> Result<(), Violation> {
        for mail in self.mailbox.take() {
            self.leaves(&mail)?;
            let Mail { node, attempt, answer, .. } = mail;
            for delay in self.network.send(Place::Node(node), Place::Clients, &mut self.trace) {
                let answer = answer.clone();
                self.agenda.enter(self.now + delay, Happening::Told { node, attempt, answer });
            }
        }
        Ok(())
    }

    fn leaves(&mut self, mail: &Mail) -> Result<(), Violation> {
        let (node, operation) = (mail.node, mail.attempt.operation);
        let what = match &mail.answer {
            Ok(_) => "answers",
            Err(_) => "does not answer",
        };
        let numbers = [node as u64, operation as u64, mail.attempt.number as u64];
        let words = match &mail.answer {
            Ok(outcome) => format!(
                "{} at {} ({:?}{})",
                String::from_utf8_lossy(&outcome.body),
                outcome.version,
                outcome.decision,
                if outcome.replayed { ", again" } else { "" }
            ),
            Err(failure) => failure.to_string(),
        };
        self.trace.tell(self.now, what, numbers, words);
        let number = mail.attempt.number;
        if !self.operations[operation].leaves(number, mail.answer.clone()) {
            return Err(Violation::AnsweredTwice { operation, attempt: number });
        }
        let Ok(outcome) = &mail.answer else { return Ok(()) };
        let version = outcome.version.get();
        if version > mail.durable {
            let durable = mail.durable;
            return Err(Violation::AnsweredEarly { node, version, durable });
        }
        // One that has stopped shows its state to nobody; what is durable it may still tell.
        let stopped = self.nodes[node].process.is_none();
        if version > mail.applied && !stopped {
            let applied = mail.applied;
            return Err(Violation::AnsweredBeforeApplied { node, version, applied });
        }
        Ok(())
    }

    /// An answer reaches the client.
    pub(super) fn told(
        &mut self,
        node: NodeId,
        attempt: Attempt,
        answer: Answer,
    ) -> Result<(), Violation> {
        let Attempt { operation, number } = attempt;
        self.operations[operation].is_told(number, self.now);
        self.trace.note(self.now, "is told", [node as u64, operation as u64, number as u64]);
        match answer {
            Ok(outcome) => self.learns(node, operation, &outcome),
            Err(failure) => self.is_refused(node, attempt, &failure),
        }
    }

    fn learns(
        &mut self,
        node: NodeId,
        operation: usize,
        outcome: &Outcome,
    ) -> Result<(), Violation> {
        let asked = &self.operations[operation];
        if outcome.replayed {
            self.trace.count("path: answered again from the record");
        }
        let version = outcome.version.get();
        // A follower may show what its leader has not applied yet, and a leader under a lease asks
        // nobody: whoever wants what such a look told them sends it along as a token.
        let token_only = asked.is_at_a_token() && self.shape.reads == Reads::Lease;
        if asked.is_at_a_token() && version < asked.before {
            return Err(Violation::Stale { operation, before: asked.before, version });
        }
        if version > self.told && !token_only {
            self.told = version;
            self.told_when.push((self.now, version));
        }
        if let Some(client) = self.client_of(operation) {
            let op = &self.operations[operation].op;
            if op.query().is_none() {
                self.clients[client].target = node;
            }
            if let Some(command) = op.command() {
                let said = Said::new(outcome.decision == Decision::Refused, &outcome.body);
                self.clients[client].mind.learn(command, &said);
            }
            self.rests(client);
        }
        Ok(())
    }

    fn is_refused(
        &mut self,
        node: NodeId,
        attempt: Attempt,
        failure: &Failure,
    ) -> Result<(), Violation> {
        let operation = attempt.operation;
        if says(failure).is_none() {
            let (what, found) = (failure.to_string(), "nobody asked for that".to_owned());
            let version = self.truth.version();
            let expected = self.operations[operation].op.to_string();
            return Err(Violation::Diverged { version, what, expected, found });
        }
        self.count_failure(failure);
        let panicked = matches!(failure, Failure::Panicked { .. });
        let Some(client) = self.client_of(operation) else { return Ok(()) };
        if panicked {
            self.rests(client);
            return Ok(());
        }
        // Not at once: whoever refused will refuse again.
        let known = match failure {
            Failure::NotLeader { leader: Some(leader) } => leader.node[1..].parse().ok(),
            _ => None,
        };
        let asking = &mut self.clients[client];
        asking.target = known.unwrap_or((node + 1) % self.shape.nodes);
        asking.step += 1;
        let step = asking.step;
        let rest = 1_000 + asking.random.below(60_000);
        self.agenda.enter(self.now + rest, Happening::Acts { client, step });
        Ok(())
    }

    fn count_failure(&mut self, failure: &Failure) {
        self.trace.count(match failure {
            Failure::Overloaded => "failure: overloaded",
            Failure::Deadline => "failure: deadline",
            Failure::Unavailable { .. } => "failure: unavailable",
            Failure::NotLeader { .. } => "failure: not the leader",
            Failure::OutcomeUnknown { .. } => "failure: outcome unknown",
            Failure::Panicked { .. } => "failure: panicked",
            Failure::KeyReused | Failure::Quarantined { .. } | Failure::Aborted(_) => {
                "failure: one that nobody may get"
            }
        });
    }

    /// Who is asking this now.
    fn client_of(&self, operation: usize) -> Option<usize> {
        self.clients.iter().position(|client| client.current == Some(operation))
    }

    /// The client is done with what it asked, and thinks.
    fn rests(&mut self, client: usize) {
        let asking = &mut self.clients[client];
        asking.current = None;
        asking.step += 1;
        let step = asking.step;
        let thinks = 1 + asking.random.below(self.shape.thinks_us);
        self.agenda.enter(self.now + thinks, Happening::Acts { client, step });
    }
}

/// What a view shows.
fn saw(op: &Op, view: &View) -> Outcome {
    let (version, time) = (view.version(), view.now());
    let (decision, body) = match op.command() {
        None => (Decision::Done, sum(view).expect("a state in memory can be read").into()),
        Some(command) => {
            let said = looked(command.call().as_ref(), view);
            let decision = if said.refused { Decision::Refused } else { Decision::Done };
            (decision, said.body.to_string().into())
        }
    };
    Outcome { decision, body, version, time, replayed: false }
}
