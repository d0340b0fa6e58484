//! What clients may believe: tries of one key taken together.
//!
//! A try that was answered settles its operation. One that was told that *it* did nothing
//! says nothing about the others: an earlier try that got no answer may still be on its
//! way. So an operation is absent only if every one of its tries was told so; as soon as
//! one is unknown and none is answered, the operation is unknown, and no check may take it
//! for absent.

use std::{collections::HashMap, time::Duration};

use super::call::{Call, Heard, Reply};

/// The tries of one key, or one call without a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation<'a, Q, A> {
    /// The key, if it has one.
    pub key: Option<&'a str>,
    /// What was asked, by the first of its tries.
    pub asked: &'a Q,
    /// When the first try was sent that may have done it.
    pub sent: Duration,
    /// Tries of it.
    pub tries: u32,
    /// What is known of it.
    pub belief: Belief<'a, A>,
}

/// What is known of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Belief<'a, A> {
    /// It has an outcome.
    Settled {
        /// When somebody first heard of it.
        answered: Duration,
        /// What that one heard.
        reply: &'a Reply<A>,
    },
    /// Every try of it did nothing.
    Absent,
    /// It may have happened, and may happen yet.
    Unknown,
}

impl<'a, Q, A> Operation<'a, Q, A> {
    /// The key, or what stands for it in messages.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.key.unwrap_or("(no key)")
    }
}

/// The operations that these calls are tries of, in the order of their first calls.
#[must_use]
pub fn operations<Q, A>(calls: &[Call<Q, Reply<A>>]) -> Vec<Operation<'_, Q, A>> {
    let mut found: Vec<Operation<'_, Q, A>> = Vec::new();
    let mut by_key: HashMap<&str, usize> = HashMap::new();
    for call in calls {
        let known = call.key.as_deref().and_then(|key| by_key.get(key));
        match known {
            Some(index) => found[*index].learn(call),
            None => {
                if let Some(key) = &call.key {
                    by_key.insert(key, found.len());
                }
                found.push(Operation::of(call));
            }
        }
    }
    found
}

impl<'a, Q, A> Operation<'a, Q, A> {
    fn of(call: &'a Call<Q, Reply<A>>) -> Self {
        let key = call.key.as_deref();
        Self { key, asked: &call.asked, sent: call.sent, tries: 1, belief: Belief::of(&call.heard) }
    }

    fn learn(&mut self, call: &'a Call<Q, Reply<A>>) {
        self.tries += 1;
        match (&self.belief, &call.heard) {
            (_, Heard::Nothing) => {}
            (Belief::Absent, _) => {
                self.sent = call.sent;
                self.belief = Belief::of(&call.heard);
            }
            (Belief::Unknown | Belief::Settled { .. }, heard) => {
                self.sent = self.sent.min(call.sent);
                if self.is_news(heard) {
                    self.belief = Belief::of(heard);
                }
            }
        }
    }

    /// Does this settle it, or settle it earlier?
    fn is_news(&self, heard: &Heard<Reply<A>>) -> bool {
        let Heard::Answered { at, .. } = heard else { return false };
        match &self.belief {
            Belief::Settled { answered, .. } => at < answered,
            Belief::Absent | Belief::Unknown => true,
        }
    }
}

impl<'a, A> Belief<'a, A> {
    fn of(heard: &'a Heard<Reply<A>>) -> Self {
        match heard {
            Heard::Answered { at, answer } => Self::Settled { answered: *at, reply: answer },
            Heard::Nothing => Self::Absent,
            Heard::Unknown => Self::Unknown,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use holdfast_state::Version;

    use super::*;
    use crate::check::call::Place;

    pub(in crate::check) const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// A call that was answered: key, when it was sent and answered, version, body.
    pub(in crate::check) fn done(
        key: &str,
        (sent, at): (u64, u64),
        version: u64,
        body: &'static str,
    ) -> Call<(), Reply<&'static str>> {
        let place = Place::Is(Version::new(version));
        let answer = Reply { place, replayed: false, body };
        call(key, sent, Heard::Answered { at: ms(at), answer })
    }

    pub(in crate::check) fn call<A>(
        key: &str,
        sent: u64,
        heard: Heard<Reply<A>>,
    ) -> Call<(), Reply<A>> {
        Call { key: Some(key.to_owned()), asked: (), sent: ms(sent), heard }
    }

    fn belief(calls: &[Call<(), Reply<&'static str>>]) -> (Duration, Option<Duration>, bool) {
        let operations = operations(calls);
        assert_eq!(operations.len(), 1);
        let operation = &operations[0];
        let answered = match operation.belief {
            Belief::Settled { answered, .. } => Some(answered),
            Belief::Absent | Belief::Unknown => None,
        };
        (operation.sent, answered, operation.belief == Belief::Absent)
    }

    #[test]
    fn a_try_that_timed_out_is_never_absent_whatever_later_tries_are_told() {
        let unknown = || call("a", 1, Heard::Unknown);
        let nothing = |sent| call("a", sent, Heard::Nothing);
        assert_eq!(belief(&[unknown()]), (ms(1), None, false));
        assert_eq!(belief(&[unknown(), nothing(5)]), (ms(1), None, false));
        assert_eq!(belief(&[nothing(0), unknown(), nothing(5)]), (ms(1), None, false));
        assert_eq!(belief(&[nothing(0), nothing(5)]), (ms(0), None, true));
    }

    #[test]
    fn an_operation_begins_with_the_first_try_that_may_have_done_it() {
        let calls = [call("a", 1, Heard::Nothing), done("a", (4, 6), 1, "x")];
        assert_eq!(belief(&calls), (ms(4), Some(ms(6)), false));
        let calls = [call("a", 1, Heard::Unknown), done("a", (4, 6), 1, "x")];
        assert_eq!(belief(&calls), (ms(1), Some(ms(6)), false));
        // The first that was heard counts, also if it is told later.
        let calls = [done("a", (4, 9), 1, "x"), done("a", (5, 6), 1, "x")];
        assert_eq!(belief(&calls), (ms(4), Some(ms(6)), false));
    }

    #[test]
    fn calls_without_a_key_are_operations_of_their_own() {
        let mut calls = vec![done("a", (1, 2), 1, "x"), done("a", (3, 4), 1, "x")];
        assert_eq!(operations(&calls).len(), 1);
        calls.iter_mut().for_each(|call| call.key = None);
        assert_eq!(operations(&calls).len(), 2);
    }
}
