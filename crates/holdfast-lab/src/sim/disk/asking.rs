//! What is asked of the one node, and what its answers are held to.

use holdfast_engine::{Asked, Event, Fingerprint, Request};
use holdfast_state::Namespace;

use super::DiskWorld;
use crate::sim::{
    agenda::Attempt,
    client::{Operation, Sent, says},
    judge,
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
            let waits = |number: &&usize| !self.operations[**number].attempts.contains(&Sent::Open);
            if let Some(operation) = self.open.iter().find(waits).copied() {
                self.trace.count("path: asked again");
                self.send(operation);
            }
            return;
        }
        let op = Op::draw(&mut self.asks, ACCOUNTS);
        if matches!(op, Op::Look { .. }) {
            return;
        }
        let keyed = op.writes() && self.asks.percent(85);
        let operation = self.operations.len();
        self.ops.push(op);
        self.operations.push(Operation::new(op, keyed, self.told));
        if keyed {
            self.open.push(operation);
        }
        self.send(operation);
    }

    fn send(&mut self, operation: usize) {
        let Some(process) = self.process.as_mut() else { return };
        let asked = &mut self.operations[operation];
        let attempt = Attempt { operation, number: asked.attempts.len() };
        asked.attempts.push(Sent::Open);
        let number = operation as u64;
        let key = asked.keyed.then(|| number.to_string().into());
        let fingerprint = Fingerprint::of(&[&number.to_le_bytes()]);
        let request = Request {
            namespace: Namespace::DEFAULT,
            asked: Some(Asked { fingerprint, key }),
            deadline_us: None,
            work: asked.op.work(number),
            reply: process.postmark.reply(attempt),
        };
        self.trace.tell(self.now, "asks", [number, 0, 0], asked.op.to_string());
        process.inbox.push_back(Event::Request(request));
    }

    /// Answers that have left: all they rest on must be in the log.
    pub(super) fn look_at_answers(&mut self) -> Result<(), Violation> {
        for mail in self.mailbox.take() {
            let Attempt { operation, number } = mail.attempt;
            let words = format!("{:?}", mail.answer);
            self.trace.tell(self.now, "answers", [operation as u64, number as u64, 0], words);
            let outcome = match mail.answer {
                Ok(outcome) => outcome,
                Err(failure) => {
                    let sent = says(&failure).ok_or_else(|| Violation::Unasked {
                        version: self.truth.version(),
                        what: failure.to_string(),
                    })?;
                    self.operations[operation].attempts[number] = sent;
                    continue;
                }
            };
            let version = outcome.version.get();
            if version > mail.durable {
                let durable = mail.durable;
                return Err(Violation::AnsweredEarly { node: 0, version, durable });
            }
            judge::borne_out(&self.truth, (operation, &self.operations[operation]), &outcome)?;
            let asked = &mut self.operations[operation];
            asked.attempts[number] = Sent::Answered;
            judge::told(operation, asked, outcome)?;
            self.open.retain(|open| *open != operation);
            self.told = self.told.max(version);
        }
        Ok(())
    }
}
