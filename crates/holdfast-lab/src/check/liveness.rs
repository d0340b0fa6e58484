//! When the faults are over, it serves again, within bounds.
//!
//! Safety can be had by doing nothing, so a run ends with a phase without faults: within
//! one bound a write is acknowledged and every node has come as far as the furthest;
//! whatever is asked after that is answered within another.

use std::time::Duration;

use holdfast_state::Version;

use super::call::{Call, Heard, Place, Reply};

/// What is asked of a run after its faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// When the last fault was over.
    pub healed: Duration,
    /// How long it may then take until it serves.
    pub recovery: Duration,
    /// How long an answer may take from then on.
    pub answer: Duration,
    /// When the run was ended: a call that was sent less than `answer` before may still
    /// be waiting.
    pub end: Duration,
}

/// How far a node had come at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// Who.
    pub node: String,
    /// The version that it had applied.
    pub version: Version,
}

/// What was found to be so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// How long after the faults the first write was sent and acknowledged.
    pub first_write: Duration,
    /// Calls sent after recovery; each was answered in time.
    pub answered: u64,
}

/// It did not come back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// No write succeeded.
    #[error("faults were over at {healed:?}; no write was acknowledged within {recovery:?}")]
    NoWrite {
        /// When the faults were over.
        healed: Duration,
        /// The bound.
        recovery: Duration,
    },
    /// A call was not answered, or too late.
    #[error("{key}, sent at {sent:?} after recovery, {}", waited(*.answered, *.bound))]
    NotAnswered {
        /// The call's key.
        key: String,
        /// When it was sent.
        sent: Duration,
        /// When it was answered, if it was.
        answered: Option<Duration>,
        /// The bound.
        bound: Duration,
    },
    /// A node did not catch up.
    #[error("{node} came to version {version}, and {furthest} to {newest}")]
    Behind {
        /// Who.
        node: String,
        /// How far it came.
        version: Version,
        /// Who came furthest.
        furthest: String,
        /// How far that was.
        newest: Version,
    },
}

fn waited(answered: Option<Duration>, bound: Duration) -> String {
    match answered {
        Some(answered) => format!("was answered only at {answered:?}, not within {bound:?}"),
        None => format!("was not answered within {bound:?}"),
    }
}

/// Checks that calls are answered after recovery.
///
/// # Errors
/// [`Violation::NoWrite`], [`Violation::NotAnswered`]
pub fn serves<Q, A>(calls: &[Call<Q, Reply<A>>], bounds: &Bounds) -> Result<Recovered, Violation> {
    let Bounds { healed, recovery, answer: bound, end } = *bounds;
    let acknowledged = calls.iter().filter_map(|call| match &call.heard {
        Heard::Answered { at, answer } if matches!(answer.place, Place::Is(_)) => {
            (call.sent >= healed).then_some(*at)
        }
        Heard::Answered { .. } | Heard::Nothing | Heard::Unknown => None,
    });
    let first = acknowledged.min().filter(|at| *at <= healed + recovery);
    let Some(first) = first else { return Err(Violation::NoWrite { healed, recovery }) };
    let mut served = 0;
    let after = healed + recovery;
    for call in calls.iter().filter(|call| call.sent >= after && call.sent + bound <= end) {
        let answered = match call.heard {
            Heard::Answered { at, .. } => Some(at),
            Heard::Nothing | Heard::Unknown => None,
        };
        if answered.is_none_or(|at| at > call.sent + bound) {
            let key = call.key.clone().unwrap_or_else(|| "a call without a key".to_owned());
            return Err(Violation::NotAnswered { key, sent: call.sent, answered, bound });
        }
        served += 1;
    }
    Ok(Recovered { first_write: first - healed, answered: served })
}

/// Checks that every node came as far as the furthest.
///
/// # Errors
/// [`Violation::Behind`]
pub fn converged(nodes: &[Reached]) -> Result<(), Violation> {
    let Some(furthest) = nodes.iter().max_by_key(|node| node.version) else { return Ok(()) };
    match nodes.iter().find(|node| node.version < furthest.version) {
        None => Ok(()),
        Some(behind) => Err(Violation::Behind {
            node: behind.node.clone(),
            version: behind.version,
            furthest: furthest.node.clone(),
            newest: furthest.version,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::oracle::tests::{call, done, ms};

    const BOUNDS: Bounds =
        Bounds { healed: ms(100), recovery: ms(20), answer: ms(5), end: ms(200) };

    #[test]
    fn a_write_within_the_bound_and_answers_from_then_on() {
        let calls = [
            call("before", 50, Heard::Unknown),
            done("first", (101, 110), 1, "x"),
            call("during", 119, Heard::Unknown),
            done("after", (120, 125), 2, "x"),
            // The run ended before it had to be answered.
            call("last", 196, Heard::Unknown),
        ];
        let recovered = Recovered { first_write: ms(10), answered: 1 };
        assert_eq!(serves(&calls, &BOUNDS), Ok(recovered));
    }

    #[test]
    fn a_write_that_comes_late_or_was_asked_before_is_no_recovery() {
        let none = Err(Violation::NoWrite { healed: ms(100), recovery: ms(20) });
        assert_eq!(serves(&[done("late", (101, 121), 1, "x")], &BOUNDS), none);
        assert_eq!(serves(&[done("old", (99, 101), 1, "x")], &BOUNDS), none);
        assert_eq!(serves::<(), &str>(&[], &BOUNDS), none);
    }

    #[test]
    fn who_waits_too_long_after_recovery_is_named() {
        let first = done("first", (101, 110), 1, "x");
        for bad in [
            done("slow", (130, 136), 2, "x"),
            call("silent", 130, Heard::Unknown),
            call("denied", 130, Heard::Nothing),
        ] {
            let wrong = serves(&[first.clone(), bad], &BOUNDS).unwrap_err();
            assert!(matches!(wrong, Violation::NotAnswered { .. }), "{wrong}");
            assert!(wrong.to_string().contains("sent at 130ms after recovery, was "), "{wrong}");
        }
    }

    #[test]
    fn a_node_that_stays_behind_is_named() {
        let at =
            |node: &str, version| Reached { node: node.into(), version: Version::new(version) };
        assert_eq!(converged(&[at("a", 3), at("b", 3)]), Ok(()));
        let wrong = converged(&[at("a", 3), at("b", 2)]).unwrap_err();
        assert_eq!(wrong.to_string(), "b came to version 2, and a to 3");
    }
}
