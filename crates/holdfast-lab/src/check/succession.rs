//! Who leads, one after the other: nobody is without a leader for longer than is promised, and
//! every candidate has its turn.

use std::{collections::BTreeSet, time::Duration};

/// A grant of the lease, as its holder knew of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reign {
    /// Its fencing token.
    pub token: u64,
    /// Which candidate.
    pub candidate: String,
    /// When it learned that it leads.
    pub began: Duration,
    /// When it last asked to keep the lease and was granted it: from then on, or a little later,
    /// the time of its grant runs.
    pub kept: Duration,
}

/// What was found to be so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Succession {
    /// How many led, one after the other.
    pub reigns: u64,
    /// The longest from a leader's last sign of life until another knew that it leads.
    pub longest: Duration,
}

/// Somebody never led, or nobody did for too long.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// Too long.
    #[error(
        "token {} was last kept at {:?} and nobody led after it until {:?}; {bound:?} are allowed",
        before.token, before.kept, after.began
    )]
    TooLong {
        /// Who led before.
        before: Box<Reign>,
        /// Who led next.
        after: Box<Reign>,
        /// How long it may take.
        bound: Duration,
    },
    /// It never had its turn.
    #[error("{candidate} never led")]
    NeverLed {
        /// Which candidate.
        candidate: String,
    },
}

/// Checks reigns, in the order of their tokens.
///
/// # Errors
/// [`Violation`]
pub fn check<'a>(
    reigns: &[Reign],
    candidates: impl IntoIterator<Item = &'a str>,
    bound: Duration,
) -> Result<Succession, Violation> {
    let mut longest = Duration::ZERO;
    for pair in reigns.windows(2) {
        let without = pair[1].began.saturating_sub(pair[0].kept);
        if without > bound {
            let (before, after) = (Box::new(pair[0].clone()), Box::new(pair[1].clone()));
            return Err(Violation::TooLong { before, after, bound });
        }
        longest = longest.max(without);
    }
    let led: BTreeSet<&str> = reigns.iter().map(|reign| reign.candidate.as_str()).collect();
    match candidates.into_iter().find(|candidate| !led.contains(candidate)) {
        Some(candidate) => Err(Violation::NeverLed { candidate: candidate.to_owned() }),
        None => Ok(Succession { reigns: reigns.len() as u64, longest }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUND: Duration = Duration::from_secs(4);

    fn reign(token: u64, candidate: &str, began: u64, kept: u64) -> Reign {
        let (began, kept) = (Duration::from_secs(began), Duration::from_secs(kept));
        Reign { token, candidate: candidate.to_owned(), began, kept }
    }

    #[test]
    fn one_after_the_other_within_the_bound() {
        let reigns = [reign(1, "a", 0, 10), reign(5, "b", 13, 20), reign(9, "a", 20, 30)];
        let longest = Duration::from_secs(3);
        assert_eq!(check(&reigns, ["a", "b"], BOUND), Ok(Succession { reigns: 3, longest }));
    }

    #[test]
    fn too_long_without_a_leader_is_found() {
        let reigns = [reign(1, "a", 0, 10), reign(5, "b", 15, 20)];
        let wrong = check(&reigns, ["a"], BOUND).unwrap_err();
        let text = "token 1 was last kept at 10s and nobody led after it until 15s; 4s are allowed";
        assert_eq!(wrong.to_string(), text);
    }

    #[test]
    fn who_never_led_is_named() {
        let wrong = check(&[reign(1, "a", 0, 1)], ["a", "b"], BOUND).unwrap_err();
        assert_eq!(wrong.to_string(), "b never led");
    }
}
