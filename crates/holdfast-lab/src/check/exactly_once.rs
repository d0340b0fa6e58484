//! One effect for a key, and one answer, however often it was asked.
//!
//! Every answer to a key carries one version and says one thing; at most one of them is
//! not marked as the stored answer of an earlier try; no two keys have one version; and the
//! log holds a key once.

use std::{collections::BTreeMap, fmt, time::Duration};

use holdfast_state::Version;

use super::call::{Call, Heard, Place, Reply};

/// What was found to be so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Keys that have an answer.
    pub keys: u64,
    /// Answers to them.
    pub answers: u64,
    /// Answers beyond the first of their key: zero means that nothing was put to the test.
    pub repeated: u64,
}

/// A key had more than one effect, or more than one answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// Two answers to one key differ.
    #[error("key {key} was answered {one}, and {other}")]
    TwoAnswers {
        /// The key.
        key: String,
        /// An answer.
        one: Box<Told>,
        /// Another.
        other: Box<Told>,
    },
    /// Two answers to one key, and neither is marked as repeated.
    #[error("key {key} was evaluated twice: {one} and {other}, neither marked as replayed")]
    FreshTwice {
        /// The key.
        key: String,
        /// An answer.
        one: Box<Told>,
        /// Another.
        other: Box<Told>,
    },
    /// Two keys have one version.
    #[error("keys {one} and {other} both have version {version}")]
    SharedVersion {
        /// The version.
        version: Version,
        /// A key.
        one: String,
        /// Another.
        other: String,
    },
    /// The log holds a key twice.
    #[error("key {key} took effect at version {one} and again at version {other}")]
    TwoEffects {
        /// The key.
        key: String,
        /// The first.
        one: Version,
        /// The second.
        other: Version,
    },
}

/// An answer as messages show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Its place.
    pub place: Place,
    /// What it says.
    pub body: String,
    /// When it came.
    pub at: Duration,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {:?} as {}", self.body, self.at, self.place)
    }
}

fn told<A: fmt::Debug>(at: Duration, reply: &Reply<A>) -> Box<Told> {
    Box::new(Told { place: reply.place, body: format!("{:?}", reply.body), at })
}

struct First<'a, A> {
    at: Duration,
    reply: &'a Reply<A>,
    /// The answer that is not marked as replayed.
    fresh: Option<(Duration, &'a Reply<A>)>,
}

/// Checks every answer to every key.
///
/// # Errors
/// [`Violation`]
pub fn answers<Q, A: PartialEq + fmt::Debug>(
    calls: &[Call<Q, Reply<A>>],
) -> Result<Counted, Violation> {
    let mut keys: BTreeMap<&str, First<'_, A>> = BTreeMap::new();
    let mut counted = Counted::default();
    for call in calls {
        let (Some(key), Heard::Answered { at, answer }) = (&call.key, &call.heard) else {
            continue;
        };
        counted.answers += 1;
        let fresh = (!answer.replayed).then_some((*at, answer));
        match keys.get_mut(key.as_str()) {
            None => {
                keys.insert(key, First { at: *at, reply: answer, fresh });
            }
            Some(first) => {
                counted.repeated += 1;
                first.agrees(key, (*at, answer))?;
                first.fresh = first.fresh.or(fresh);
            }
        }
    }
    counted.keys = keys.len() as u64;
    versions_are_owned(&keys)?;
    Ok(counted)
}

impl<A: PartialEq + fmt::Debug> First<'_, A> {
    fn agrees(&self, key: &str, (at, reply): (Duration, &Reply<A>)) -> Result<(), Violation> {
        let key = || key.to_owned();
        if (self.reply.place, &self.reply.body) != (reply.place, &reply.body) {
            let (one, other) = (told(self.at, self.reply), told(at, reply));
            return Err(Violation::TwoAnswers { key: key(), one, other });
        }
        match self.fresh {
            Some((when, fresh)) if !reply.replayed => {
                let (one, other) = (told(when, fresh), told(at, reply));
                Err(Violation::FreshTwice { key: key(), one, other })
            }
            Some(_) | None => Ok(()),
        }
    }
}

fn versions_are_owned<A>(keys: &BTreeMap<&str, First<'_, A>>) -> Result<(), Violation> {
    let mut owners: Vec<(Version, &str)> = Vec::with_capacity(keys.len());
    owners.extend(keys.iter().filter_map(|(key, first)| match first.reply.place {
        Place::Is(version) => Some((version, *key)),
        Place::Saw(_) => None,
    }));
    owners.sort_unstable();
    match owners.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        None => Ok(()),
        Some(pair) => {
            let (one, other) = (pair[0].1.to_owned(), pair[1].1.to_owned());
            Err(Violation::SharedVersion { version: pair[0].0, one, other })
        }
    }
}

/// Checks that the log holds every key once, and gives the version of each.
///
/// # Errors
/// [`Violation::TwoEffects`]
pub fn effects(
    logged: impl IntoIterator<Item = (String, Version)>,
) -> Result<BTreeMap<String, Version>, Violation> {
    let mut versions = BTreeMap::new();
    for (key, version) in logged {
        if let Some(one) = versions.insert(key.clone(), version) {
            return Err(Violation::TwoEffects { key, one, other: version });
        }
    }
    Ok(versions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::oracle::tests::done;

    fn replayed<A>(mut call: Call<(), Reply<A>>) -> Call<(), Reply<A>> {
        if let Heard::Answered { answer, .. } = &mut call.heard {
            answer.replayed = true;
        }
        call
    }

    #[test]
    fn one_effect_and_any_number_of_the_same_answer() {
        let again = || replayed(done("a", (3, 4), 1, "x"));
        // The stored answer may be the first to arrive.
        let calls = [again(), done("a", (0, 9), 1, "x"), again(), done("b", (0, 1), 2, "y")];
        assert_eq!(answers(&calls), Ok(Counted { keys: 2, answers: 4, repeated: 2 }));
    }

    #[test]
    fn another_version_or_another_body_is_another_answer() {
        let first = done("a", (0, 1), 1, "x");
        for other in [replayed(done("a", (2, 3), 2, "x")), replayed(done("a", (2, 3), 1, "y"))] {
            let wrong = answers(&[first.clone(), other]).unwrap_err();
            assert!(matches!(wrong, Violation::TwoAnswers { .. }), "{wrong}");
            assert!(wrong.to_string().starts_with("key a was answered \"x\" at 1ms"), "{wrong}");
        }
    }

    #[test]
    fn two_answers_that_both_claim_to_be_the_first_are_found() {
        let stored = replayed(done("a", (0, 1), 1, "x"));
        let calls = [done("a", (0, 1), 1, "x"), stored, done("a", (2, 3), 1, "x")];
        assert!(matches!(answers(&calls), Err(Violation::FreshTwice { .. })));
    }

    #[test]
    fn two_keys_with_one_version_are_found() {
        let calls = [done("a", (0, 1), 7, "x"), done("b", (0, 1), 7, "x")];
        let wrong = answers(&calls).unwrap_err();
        assert_eq!(wrong.to_string(), "keys a and b both have version 7");
    }

    #[test]
    fn a_key_that_the_log_holds_twice_is_found() {
        let logged = |versions: [u64; 2]| {
            let keys = ["a", "b"].map(str::to_owned).into_iter();
            keys.zip(versions.map(Version::new)).collect::<Vec<_>>()
        };
        assert_eq!(effects(logged([1, 2])).map(|found| found.len()), Ok(2));
        let twice = [logged([1, 2]), logged([3, 4])].concat();
        let wrong = effects(twice).unwrap_err();
        assert_eq!(wrong.to_string(), "key a took effect at version 1 and again at version 3");
    }
}
