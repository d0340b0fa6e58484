//! Linearizability by witness: answers carry versions, so the order need not be searched.
//!
//! Operations are sorted by version, a naive model ([`Specification`]) is asked in that
//! order and must give every answer that was heard, and the order must respect real time
//! ([`super::real_time`]). An operation of which nobody heard counts where the log has its
//! key, and its answer is not compared; if the log does not have it, it did not happen as
//! far as this log goes, and says nothing.

use std::{collections::BTreeMap, time::Duration};

use holdfast_state::Version;

use super::{
    call::Place,
    oracle::{Belief, Operation},
    real_time::{self, Seen, Span},
    specification::Specification,
};

/// An operation with a place in the order.
#[derive(Clone, Debug)]
pub struct Placed<'a, Q, A> {
    /// Its key, place and times.
    pub span: Span<'a>,
    /// What was asked.
    pub asked: &'a Q,
    /// What it was answered; `None` when nobody heard.
    pub answer: Option<&'a A>,
}

/// What a history that is linearizable came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Witnessed {
    /// Operations with a version of their own.
    pub writes: u64,
    /// Operations that wrote nothing.
    pub reads: u64,
    /// Of all these, whose answers were compared.
    pub compared: u64,
    /// Operations that only the log tells of.
    pub unheard: u64,
    /// Versions below the highest that no operation has. If the specification depends on
    /// what they did (timers), this must be zero, or the verdict is worth nothing.
    pub versions_unseen: u64,
}

/// The history is not linearizable with these versions.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// The order cannot be.
    #[error(transparent)]
    Order(#[from] real_time::Violation),
    /// The order can be, the answer not.
    #[error("{operation}: {asked} was answered {answered}, and should be {expected}")]
    Answer {
        /// Which.
        operation: Box<Seen>,
        /// What was asked.
        asked: String,
        /// What was answered.
        answered: String,
        /// What the specification answers there.
        expected: String,
    },
}

/// Gives operations their places. What is settled has one; what is not, has one if its key
/// is among `logged`, the keys of all transactions in the log.
#[must_use]
pub fn place<'a, Q, A>(
    operations: &[Operation<'a, Q, A>],
    logged: &BTreeMap<String, Version>,
) -> Vec<Placed<'a, Q, A>> {
    operations.iter().filter_map(|operation| placed(operation, logged)).collect()
}

fn placed<'a, Q, A>(
    operation: &Operation<'a, Q, A>,
    logged: &BTreeMap<String, Version>,
) -> Option<Placed<'a, Q, A>> {
    let asked = operation.asked;
    match operation.belief {
        Belief::Settled { reply, .. } => {
            Some(Placed { span: Span::of(operation)?, asked, answer: Some(&reply.body) })
        }
        Belief::Unknown => {
            let place = Place::Is(*logged.get(operation.key?)?);
            let (name, sent) = (operation.name(), operation.sent);
            Some(Placed { span: Span { name, place, sent, answered: None }, asked, answer: None })
        }
        Belief::Absent => None,
    }
}

impl<'a, Q, A> Placed<'a, Q, A> {
    /// What happened without being asked for by a client, a timer for instance, and the
    /// log tells of: it is part of the order, not of real time.
    #[must_use]
    pub const fn unasked(name: &'a str, version: Version, asked: &'a Q) -> Self {
        let place = Place::Is(version);
        let span = Span { name, place, sent: Duration::ZERO, answered: None };
        Self { span, asked, answer: None }
    }
}

/// Asks the specification everything in the order of versions.
///
/// # Errors
/// [`Violation`]
pub fn check<S: Specification>(
    specification: &mut S,
    mut placed: Vec<Placed<'_, S::Asked, S::Answer>>,
) -> Result<Witnessed, Violation> {
    placed.sort_by_key(|placed| (placed.span.place.rank(), placed.span.sent));
    let mut spans: Vec<Span<'_>> = placed.iter().map(|placed| placed.span.clone()).collect();
    real_time::check(&mut spans)?;
    let versions_unseen = real_time::versions_unseen(&spans);
    let mut told = Witnessed { versions_unseen, ..Witnessed::default() };
    for Placed { span, asked, answer } in &placed {
        match span.place {
            Place::Is(_) => told.writes += 1,
            Place::Saw(_) => told.reads += 1,
        }
        let expected = specification.ask(asked);
        let Some(answer) = answer else {
            told.unheard += 1;
            continue;
        };
        told.compared += 1;
        if **answer != expected {
            return Err(Violation::Answer {
                operation: span.into(),
                asked: format!("{asked:?}"),
                answered: format!("{answer:?}"),
                expected: format!("{expected:?}"),
            });
        }
    }
    Ok(told)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{
        call::{Call, Heard, Reply},
        oracle::{operations, tests::ms},
        specification::register::{Answer, Asked, Register},
    };

    type Calls = Vec<Call<Asked, Reply<Answer>>>;

    fn call(key: &str, sent: u64, asked: Asked) -> Call<Asked, Reply<Answer>> {
        Call { key: Some(key.to_owned()), asked, sent: ms(sent), heard: Heard::Unknown }
    }

    fn heard(at: u64, place: Place, body: Answer) -> Heard<Reply<Answer>> {
        Heard::Answered { at: ms(at), answer: Reply { place, replayed: false, body } }
    }

    fn write(
        key: &str,
        (sent, at): (u64, u64),
        version: u64,
        value: i64,
    ) -> Call<Asked, Reply<Answer>> {
        let place = Place::Is(Version::new(version));
        Call { heard: heard(at, place, Answer::Written), ..call(key, sent, Asked::Write(value)) }
    }

    fn read(
        key: &str,
        (sent, at): (u64, u64),
        version: u64,
        value: i64,
    ) -> Call<Asked, Reply<Answer>> {
        let (place, holds) = (Place::Saw(Version::new(version)), Answer::Holds(Some(value)));
        Call { heard: heard(at, place, holds), ..call(key, sent, Asked::Read) }
    }

    fn judge(calls: &Calls, logged: &[(&str, u64)]) -> Result<Witnessed, Violation> {
        let logged =
            logged.iter().map(|(key, version)| ((*key).to_owned(), Version::new(*version)));
        let operations = operations(calls);
        check(&mut Register::default(), place(&operations, &logged.collect()))
    }

    #[test]
    fn answers_are_compared_in_the_order_of_versions_not_of_calls() {
        let calls =
            vec![write("b", (1, 9), 2, 20), write("a", (0, 9), 1, 10), read("r", (2, 8), 1, 10)];
        let told = judge(&calls, &[]).unwrap();
        assert_eq!((told.writes, told.reads, told.compared), (2, 1, 3));
    }

    #[test]
    fn a_read_that_shows_what_was_never_written_is_found() {
        let calls = vec![write("a", (0, 1), 1, 10), read("r", (2, 3), 1, 11)];
        let wrong = judge(&calls, &[]).unwrap_err();
        let text = wrong.to_string();
        assert!(matches!(wrong, Violation::Answer { .. }), "{text}");
        assert!(text.contains("r (a read at version 1") && text.contains("Some(10)"), "{text}");
    }

    #[test]
    fn a_stale_read_is_found_by_real_time() {
        let calls =
            vec![write("a", (0, 1), 1, 10), write("b", (2, 3), 2, 20), read("r", (4, 5), 1, 10)];
        assert!(matches!(judge(&calls, &[]), Err(Violation::Order(_))));
    }

    #[test]
    fn what_nobody_heard_of_counts_where_the_log_has_it() {
        let lost = call("lost", 0, Asked::Write(7));
        let seen = vec![lost.clone(), read("r", (5, 6), 1, 7)];
        assert_eq!(judge(&seen, &[("lost", 1)]).unwrap().unheard, 1);
        // Without it nobody can have seen a 7.
        assert!(judge(&seen, &[]).is_err());
        // It may as well never have happened.
        let unseen = vec![lost, write("a", (1, 2), 1, 8), read("r", (5, 6), 1, 8)];
        assert!(judge(&unseen, &[]).is_ok());
    }

    #[test]
    fn versions_that_nobody_told_of_are_counted() {
        let told = judge(&vec![write("a", (0, 1), 3, 1)], &[]).unwrap();
        assert_eq!(told.versions_unseen, 2);
    }

    #[test]
    fn what_happened_unasked_is_part_of_the_order() {
        let calls = vec![write("a", (0, 1), 1, 10), read("r", (2, 3), 2, 99)];
        let operations = operations(&calls);
        let mut placed = place(&operations, &BTreeMap::new());
        let fired = Asked::Write(99);
        placed.push(Placed::unasked("timer", Version::new(2), &fired));
        assert_eq!(check(&mut Register::default(), placed).unwrap().unheard, 1);
    }
}
