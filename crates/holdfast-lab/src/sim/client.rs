//! Clients, each asking one thing after another, and what they know.
//!
//! A client that got no answer knows nothing: it asks again under the same key, perhaps
//! another node, and in the end gives up without concluding anything. Only an answer
//! says what happened, and only a failure that promises so says that nothing did.

use holdfast_engine::{Failure, Outcome};

use super::{node::NodeId, workload::Op};
use crate::random::Random;

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
}

/// What became of one sending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// No word of it.
    Open,
    /// It was answered.
    Answered,
    /// It was said that nothing happened, and why.
    Nothing(String),
    /// It was said that nobody knows.
    Unknown,
}

/// Something a client asked.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) op: Op,
    pub(super) keyed: bool,
    /// The newest version that anybody had been answered when it began.
    pub(super) before: u64,
    pub(super) attempts: Vec<Sent>,
    pub(super) outcome: Option<Outcome>,
}

impl Operation {
    pub(super) const fn new(op: Op, keyed: bool, before: u64) -> Self {
        Self { op, keyed, before, attempts: Vec::new(), outcome: None }
    }

    /// What was said if every attempt was answered with a promise that nothing happened.
    pub(super) fn promised_nothing(&self) -> Option<&str> {
        let mut last = None;
        for attempt in &self.attempts {
            let Sent::Nothing(why) = attempt else { return None };
            last = Some(why.as_str());
        }
        last
    }
}

/// What a failure says of what happened; `None` for those that nobody here may get.
pub(super) fn says(failure: &Failure) -> Option<Sent> {
    match failure {
        Failure::Overloaded
        | Failure::Deadline
        | Failure::Unavailable { .. }
        | Failure::NotLeader { .. }
        | Failure::Panicked { .. } => Some(Sent::Nothing(failure.to_string())),
        Failure::OutcomeUnknown { .. } => Some(Sent::Unknown),
        Failure::KeyReused | Failure::Quarantined { .. } | Failure::Aborted(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_promise_from_every_attempt_says_that_nothing_happened() {
        let mut operation = Operation::new(Op::Say, true, 0);
        assert_eq!(operation.promised_nothing(), None);
        operation.attempts = vec![Sent::Nothing("full".to_owned()); 2];
        assert_eq!(operation.promised_nothing(), Some("full"));
        for other in [Sent::Open, Sent::Unknown, Sent::Answered] {
            operation.attempts[0] = other;
            assert_eq!(operation.promised_nothing(), None);
        }
    }
}
