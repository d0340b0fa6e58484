//! What is asked of the one node, and what its answers are held to.

use holdfast_engine::{Asked, Decision, Event, Failure, Fingerprint, Request};
use holdfast_state::{Abort, Namespace};

use super::{DiskWorld, state_dir::StateDir};
use crate::sim::{
    agenda::Attempt,
    client::{Operation, says},
    primitives::Said,
    violation::Violation,
    workload::Op,
};

/// Accounts that operations are about.
const ACCOUNTS: u64 = 4;

/// Operations that may be open at once.
const OPEN_MAX: usize = 6;

impl DiskWorld {
    /// Asks something new; what is open is asked again now and then.
    pub(super) fn ask(&mut self) {
        let again = self.left == 0 || self.open.len() >= OPEN_MAX || self.asks.percent(15);
        if again {
            let waits = |number: &&usize| !self.operations[**number].waits();
            if let Some(operation) = self.open.iter().find(waits).copied() {
                self.trace.count("path: asked again");
                self.send(operation);
            }
            return;
        }
        let theirs = self.menu.next(&mut self.asks, &self.mind);
        let op = theirs.unwrap_or_else(|| Op::draw(&mut self.asks, ACCOUNTS));
        if op.query().is_some() {
            return;
        }
        let keyed = op.writes() && self.asks.percent(85);
        self.begin(op, keyed);
    }

    /// Asks for something new.
    pub(super) fn begin(&mut self, op: Op, keyed: bool) {
        let operation = self.operations.len();
        self.operations.push(Operation::new(op, keyed, self.told));
        if keyed {
            self.open.push(operation);
        }
        self.send(operation);
    }

    fn send(&mut self, operation: usize) {
        let Some(process) = self.process.as_mut() else { return };
        let asked = &mut self.operations[operation];
        let attempt = Attempt { operation, number: asked.send(self.now) };
        let number = operation as u64;
        let key = asked.keyed.then(|| number.to_string().into());
        let fingerprint = Fingerprint::of(&[&number.to_le_bytes()]);
        let request = Request {
            namespace: Namespace::DEFAULT,
            asked: Some(Asked { fingerprint, key }),
            deadline_us: None,
            work: asked.op.work(number, asked.keyed),
            reply: process.postmark.reply(attempt),
        };
        self.trace.tell(self.now, "asks", [number, 0, 0], asked.op.to_string());
        process.inbox.push_back(Event::Request(request));
    }

    /// Answers that have left: all they rest on must be in the log.
    pub(super) fn look_at_answers(&mut self) -> Result<(), Violation> {
        for mail in self.mailbox.take() {
            let Attempt { operation, number } = mail.attempt;
            let words = match &mail.answer {
                // It may name the directory of the state, which is another in every run.
                Err(Failure::Aborted(Abort::Store(_))) => "the state is in doubt".to_owned(),
                answer => format!("{answer:?}"),
            };
            self.trace.tell(self.now, "answers", [operation as u64, number as u64, 0], words);
            let asked = &mut self.operations[operation];
            if !asked.leaves(number, mail.answer.clone()) {
                return Err(Violation::AnsweredTwice { operation, attempt: number });
            }
            asked.is_told(number, self.now);
            let outcome = match mail.answer {
                Ok(outcome) => outcome,
                Err(failure) if self.may_fail_so(&failure) => continue,
                Err(failure) => {
                    let (version, what) = (self.truth.version(), failure.to_string());
                    return Err(Violation::Unasked { version, what });
                }
            };
            let version = outcome.version.get();
            if version > mail.durable {
                let durable = mail.durable;
                return Err(Violation::AnsweredEarly { node: 0, version, durable });
            }
            if let Some(command) = self.operations[operation].op.command() {
                let said = Said::new(outcome.decision == Decision::Refused, &outcome.body);
                self.mind.learn(command, &said);
            }
            self.open.retain(|open| *open != operation);
            self.told = self.told.max(version);
        }
        Ok(())
    }

    /// Whoever reads spoiled state is told so, and the process ends; the others every client
    /// may get.
    fn may_fail_so(&self, failure: &Failure) -> bool {
        let spoiled = self.state_dir.as_ref().is_some_and(StateDir::was_spoiled);
        let in_doubt = matches!(failure, Failure::Aborted(Abort::Store(_)));
        says(failure).is_some() || (in_doubt && spoiled)
    }
}
