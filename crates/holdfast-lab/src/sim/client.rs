//! Clients, each asking one thing after another, and what they were told.
//!
//! A client that got no answer knows nothing: it asks again under the same key, perhaps
//! another node, and in the end gives up without concluding anything. What it may believe
//! is for [`crate::check::oracle`] to say; here is what the checks are given.

use std::time::Duration;

use holdfast_engine::{Answer, Decision, Failure, Outcome};
use holdfast_state::Version;

use super::{
    agenda::Micros,
    naive::{Asked, Came},
    node::NodeId,
    primitives::Mind,
    workload::{Op, Query},
};
use crate::{
    check::{Call, Heard, Place, Reply},
    random::Random,
};

/// A client.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) random: Random,
    /// Whom it asks next.
    pub(super) target: NodeId,
    /// What it is asking now.
    pub(super) current: Option<usize>,
    /// Tells a step that is due from one that something else has come before.
    pub(super) step: u64,
    /// Operations that it gave up and can ask again.
    pub(super) given_up: Vec<usize>,
    /// Operations that it still begins once the faults are over.
    pub(super) left: u32,
    /// What it was told of primitives.
    pub(super) mind: Mind,
}

/// One sending of an operation.
#[derive(Clone, Debug)]
pub(super) struct Sending {
    pub(super) sent: Micros,
    pub(super) fate: Fate,
}

/// What became of it.
#[derive(Clone, Debug)]
pub(super) enum Fate {
    /// No word of it yet.
    Open,
    /// The process that had it is gone.
    Lost,
    /// A node has spoken. That is a promise, whether the client hears of it or not.
    Left { answer: Answer, told: Option<Micros> },
}

/// Something a client asked.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) op: Op,
    pub(super) keyed: bool,
    /// The newest version that anybody had been answered when it began: what a look at a token
    /// must show.
    pub(super) before: u64,
    pub(super) sendings: Vec<Sending>,
    /// A client has heard its answer.
    pub(super) answered: bool,
}

/// What a failure says of what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Promise {
    /// Nothing did.
    Nothing,
    /// Nobody knows.
    Unknown,
}

/// What a failure says of what happened; `None` for those that nobody here may get.
pub(super) const fn says(failure: &Failure) -> Option<Promise> {
    match failure {
        Failure::Overloaded
        | Failure::Deadline
        | Failure::Unavailable { .. }
        | Failure::NotLeader { .. }
        | Failure::Panicked { .. } => Some(Promise::Nothing),
        Failure::OutcomeUnknown { .. } => Some(Promise::Unknown),
        Failure::KeyReused | Failure::Quarantined { .. } | Failure::Aborted(_) => None,
    }
}

impl Operation {
    pub(super) const fn new(op: Op, keyed: bool, before: u64) -> Self {
        Self { op, keyed, before, sendings: Vec::new(), answered: false }
    }

    /// Sends it once more; returns which sending that is.
    pub(super) fn send(&mut self, sent: Micros) -> usize {
        self.sendings.push(Sending { sent, fate: Fate::Open });
        self.sendings.len() - 1
    }

    /// A node speaks to a sending; false when one had spoken before.
    pub(super) fn leaves(&mut self, number: usize, answer: Answer) -> bool {
        let fate = &mut self.sendings[number].fate;
        let first = !matches!(fate, Fate::Left { .. });
        *fate = Fate::Left { answer, told: None };
        first
    }

    /// The client hears it.
    pub(super) fn is_told(&mut self, number: usize, at: Micros) {
        if let Fate::Left { answer, told } = &mut self.sendings[number].fate {
            *told = Some(at);
            self.answered |= answer.is_ok();
        }
    }

    /// A sending waits for its answer.
    pub(super) fn waits(&self) -> bool {
        self.sendings.iter().any(|sending| matches!(sending.fate, Fate::Open))
    }

    /// Where an answer puts it in the order of versions.
    fn place(&self, outcome: &Outcome) -> Place {
        let is_write = self.keyed || (self.op.writes() && outcome.decision == Decision::Done);
        if is_write { Place::Is(outcome.version) } else { Place::Saw(outcome.version) }
    }

    /// Does it ask for less than the newest?
    pub(super) const fn is_at_a_token(&self) -> bool {
        matches!(self.op.query(), Some(Query::Session | Query::Stale { .. }))
    }

    fn call(&self, number: usize, sending: &Sending) -> Call<Asked, Reply<Came>> {
        let heard = match &sending.fate {
            Fate::Open | Fate::Lost => Heard::Unknown,
            Fate::Left { answer: Ok(outcome), told } => {
                let answer = Reply {
                    place: self.place(outcome),
                    replayed: outcome.replayed,
                    body: Came::of(outcome),
                };
                // What never arrived binds nobody by its time.
                Heard::Answered { at: told.map_or(Duration::MAX, Duration::from_micros), answer }
            }
            Fate::Left { answer: Err(failure), .. } => match says(failure) {
                Some(Promise::Nothing) => Heard::Nothing,
                Some(Promise::Unknown) | None => Heard::Unknown,
            },
        };
        let (key, sent) = (Some(name(number)), Duration::from_micros(sending.sent));
        Call { key, asked: Asked::Do(self.op.clone()), sent, heard }
    }
}

/// What an operation is called: its idempotency key, if it has one.
pub(super) fn name(operation: usize) -> String {
    operation.to_string()
}

/// Everything that was asked, but for looks at a token, as the checks take it.
pub(super) fn calls(operations: &[Operation]) -> Vec<Call<Asked, Reply<Came>>> {
    let asked = operations.iter().enumerate().filter(|(_, asked)| !asked.is_at_a_token());
    asked
        .flat_map(|(number, asked)| {
            asked.sendings.iter().map(move |sending| asked.call(number, sending))
        })
        .collect()
}

/// The answer to a look at a token.
pub(super) struct Shown {
    pub(super) name: String,
    pub(super) version: Version,
    /// When the client heard it, if it did.
    pub(super) told: Option<Duration>,
    /// What it shows, if the workload's own model can say what it should.
    pub(super) came: Option<Came>,
}

/// The answers to all looks at tokens.
pub(super) fn shown(operations: &[Operation]) -> Vec<Shown> {
    let looks = operations.iter().enumerate().filter(|(_, asked)| asked.is_at_a_token());
    looks
        .flat_map(|(number, asked)| {
            asked.sendings.iter().filter_map(move |sending| match &sending.fate {
                Fate::Left { answer: Ok(outcome), told } => Some(Shown {
                    name: name(number),
                    version: outcome.version,
                    told: told.map(Duration::from_micros),
                    came: asked.op.command().is_none().then(|| Came::of(outcome)),
                }),
                Fate::Left { answer: Err(_), .. } | Fate::Open | Fate::Lost => None,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use holdfast_state::LogTime;

    use super::*;

    fn done(version: u64, replayed: bool) -> Answer {
        let (decision, time) = (Decision::Done, LogTime::ZERO);
        let version = Version::new(version);
        Ok(Outcome { decision, body: "3".into(), version, time, replayed })
    }

    #[test]
    fn an_answer_that_never_arrived_is_a_promise_and_a_lost_sending_is_unknown() {
        let mut asked = Operation::new(Op::Say, true, 0);
        for sent in [5, 6, 7] {
            asked.send(sent);
        }
        assert!(asked.leaves(0, done(9, false)) && asked.leaves(1, Err(Failure::Overloaded)));
        assert!(!asked.leaves(0, done(9, true)), "the second answer to one sending is seen");
        asked.is_told(1, 8);
        assert!(asked.waits() && !asked.answered);
        asked.sendings[2].fate = Fate::Lost;
        assert!(!asked.waits());
        let calls = calls(&[asked]);
        let Heard::Answered { at, answer } = &calls[0].heard else { panic!("{calls:?}") };
        assert_eq!((*at, answer.place), (Duration::MAX, Place::Is(Version::new(9))));
        assert_eq!((&calls[1].heard, &calls[2].heard), (&Heard::Nothing, &Heard::Unknown));
        assert!(calls.iter().all(|call| call.key.as_deref() == Some("0")));
    }

    #[test]
    fn what_writes_nothing_saw_a_version_and_looks_at_a_token_stand_apart() {
        let mut look = Operation::new(Op::Look { query: Query::Session }, false, 0);
        let mut sum = Operation::new(Op::Sum, false, 0);
        for asked in [&mut look, &mut sum] {
            asked.send(1);
            asked.leaves(0, done(2, false));
            asked.is_told(0, 3);
        }
        let asked = [look, sum];
        let calls = calls(&asked);
        let Heard::Answered { answer, .. } = &calls[0].heard else { panic!("{calls:?}") };
        assert_eq!((calls.len(), answer.place), (1, Place::Saw(Version::new(2))));
        let shown = shown(&asked);
        assert_eq!((shown.len(), shown[0].told), (1, Some(Duration::from_micros(3))));
    }
}
