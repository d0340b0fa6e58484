//! What was acknowledged is in the log, and what was denied is not.
//!
//! An answer promises that its transaction is durable at its version, for ever: the log,
//! read by somebody else, has that key there. "Nothing happened" is a promise too, if every
//! try of the key was told so. What the log has and nobody asked for is made up.

use std::{collections::BTreeMap, time::Duration};

use holdfast_state::Version;

use super::{
    call::Place,
    oracle::{Belief, Operation},
};

/// What was found to be so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Acknowledged, and there.
    pub acknowledged: u64,
    /// Nobody heard of them, and they are there.
    pub unknown_there: u64,
    /// Nobody heard of them, and they are not there.
    pub unknown_absent: u64,
}

/// Clients were told something else than the log holds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// Acknowledged, and not in the log.
    #[error("key {key} was acknowledged at {answered:?} as version {version}: the log lost it")]
    Lost {
        /// The key.
        key: String,
        /// The version that was promised.
        version: Version,
        /// When it was.
        answered: Duration,
    },
    /// Acknowledged as one version, and logged as another.
    #[error("key {key} was acknowledged as version {promised}, and the log has it as {logged}")]
    Elsewhere {
        /// The key.
        key: String,
        /// The version that was promised.
        promised: Version,
        /// The version that it has.
        logged: Version,
    },
    /// Every try was told that it did nothing, and it is in the log.
    #[error("key {key} was told {tries} times that nothing happened; the log has it as {logged}")]
    Denied {
        /// The key.
        key: String,
        /// How often it was asked.
        tries: u32,
        /// The version that it has.
        logged: Version,
    },
    /// In the log, and nobody asked for it.
    #[error("the log has key {key} as version {logged}, and nobody asked for it")]
    MadeUp {
        /// The key.
        key: String,
        /// The version that it has.
        logged: Version,
    },
}

/// Compares what clients were told with the keys of all transactions in the log.
/// Operations without a key, and those that wrote nothing, leave nothing to be found.
///
/// # Errors
/// [`Violation`]
pub fn check<Q, A>(
    operations: &[Operation<'_, Q, A>],
    logged: &BTreeMap<String, Version>,
) -> Result<Counted, Violation> {
    let mut counted = Counted::default();
    let mut asked = BTreeMap::new();
    for operation in operations {
        let Some(key) = operation.key else { continue };
        asked.insert(key, ());
        one(operation, key, logged.get(key).copied(), &mut counted)?;
    }
    match logged.iter().find(|(key, _)| !asked.contains_key(key.as_str())) {
        None => Ok(counted),
        Some((key, logged)) => Err(Violation::MadeUp { key: key.clone(), logged: *logged }),
    }
}

fn one<Q, A>(
    operation: &Operation<'_, Q, A>,
    key: &str,
    logged: Option<Version>,
    counted: &mut Counted,
) -> Result<(), Violation> {
    let key = || key.to_owned();
    match (&operation.belief, logged) {
        (Belief::Settled { answered, reply }, logged) => {
            let Place::Is(promised) = reply.place else { return Ok(()) };
            match logged {
                Some(logged) if logged == promised => counted.acknowledged += 1,
                Some(logged) => return Err(Violation::Elsewhere { key: key(), promised, logged }),
                None => {
                    let (version, answered) = (promised, *answered);
                    return Err(Violation::Lost { key: key(), version, answered });
                }
            }
        }
        (Belief::Unknown, Some(_)) => counted.unknown_there += 1,
        (Belief::Unknown, None) => counted.unknown_absent += 1,
        (Belief::Absent, Some(logged)) => {
            return Err(Violation::Denied { key: key(), tries: operation.tries, logged });
        }
        (Belief::Absent, None) => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{
        call::{Call, Heard, Reply},
        oracle::{
            operations,
            tests::{call, done},
        },
    };

    fn judge(
        calls: &[Call<(), Reply<&'static str>>],
        logged: &[(&str, u64)],
    ) -> Result<Counted, Violation> {
        let logged =
            logged.iter().map(|(key, version)| ((*key).to_owned(), Version::new(*version)));
        check(&operations(calls), &logged.collect())
    }

    #[test]
    fn what_nobody_heard_of_may_be_there_or_not() {
        let calls = [
            done("a", (0, 1), 1, "x"),
            call("there", 0, Heard::Unknown),
            call("absent", 0, Heard::Unknown),
            call("denied", 0, Heard::Nothing),
        ];
        let counted = judge(&calls, &[("a", 1), ("there", 2)]).unwrap();
        assert_eq!(counted, Counted { acknowledged: 1, unknown_there: 1, unknown_absent: 1 });
    }

    #[test]
    fn a_lost_acknowledgement_is_named_with_its_version() {
        let wrong = judge(&[done("a", (0, 1), 4, "x")], &[]).unwrap_err();
        let text = "key a was acknowledged at 1ms as version 4: the log lost it";
        assert_eq!(wrong.to_string(), text);
        let wrong = judge(&[done("a", (0, 1), 4, "x")], &[("a", 5)]).unwrap_err();
        assert!(matches!(wrong, Violation::Elsewhere { .. }), "{wrong}");
    }

    #[test]
    fn a_denial_is_a_promise_unless_another_try_is_unknown() {
        let denied = || call("a", 0, Heard::Nothing);
        let wrong = judge(&[denied(), denied()], &[("a", 1)]).unwrap_err();
        assert!(matches!(wrong, Violation::Denied { tries: 2, .. }), "{wrong}");
        let one_unknown = [call("a", 0, Heard::Unknown), denied()];
        assert_eq!(judge(&one_unknown, &[("a", 1)]).map(|counted| counted.unknown_there), Ok(1));
    }

    #[test]
    fn what_nobody_asked_for_is_made_up() {
        let wrong = judge(&[done("a", (0, 1), 1, "x")], &[("a", 1), ("b", 2)]).unwrap_err();
        assert!(matches!(wrong, Violation::MadeUp { .. }), "{wrong}");
    }
}
