//! Permits that edges give away by themselves: never more than a limit has, and not much less.
//!
//! An edge holds a slice and tells with its next request how many of it it gave away. By the
//! clock of whoever asked, no more than the quota are given away within ten elevenths of a window, as in
//! [`windows`](super::windows). And when an edge is told that there are none, nearly all of the quota was given away in the
//! window before: what may be missing is what edges hold and have not given away, what they gave
//! away before the window began and told of within it, and what died with edges that told nothing.

use std::time::Duration;

use super::windows::Quota;

/// What edges did, in any order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edges {
    /// When permits were given away, and how many.
    pub given: Vec<(Duration, u64)>,
    /// When somebody asked, and when it was told that there are none.
    pub empty: Vec<(Duration, Duration)>,
    /// When somebody forgot what it had given away, or heard too late to give anything away.
    pub lost: Vec<Duration>,
}

/// What may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// How many edges there are.
    pub edges: u64,
    /// How many permits a slice has at most.
    pub permits: u64,
    /// How long a slice may be used.
    pub ttl: Duration,
}

/// What was found to be so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slices {
    /// Permits that were given away.
    pub given: u64,
    /// How often somebody was told that there are none.
    pub empty: u64,
    /// The most that was missing then.
    pub missing: u64,
}

/// Too many, or too few.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// More than the quota.
    #[error("{given} permits were given away from {from:?} to {to:?}; {} in {:?} are allowed", quota.max, quota.window)]
    TooMany {
        /// How many.
        given: u64,
        /// From when.
        from: Duration,
        /// Until when.
        to: Duration,
        /// What is allowed.
        quota: Quota,
    },
    /// There should have been some.
    #[error("at {at:?} there were none, with {given} given away in the window before; {bound} of {} may be missing", quota.max)]
    TooFew {
        /// When somebody was told.
        at: Duration,
        /// How many were given away before.
        given: u64,
        /// How many may be missing.
        bound: u64,
        /// What is allowed.
        quota: Quota,
    },
}

/// Checks what edges gave away.
///
/// # Errors
/// [`Violation`]
pub fn check(edges: &Edges, quota: Quota, bound: Bound) -> Result<Slices, Violation> {
    let mut given = edges.given.clone();
    given.sort_unstable();
    let max = quota.max as u64;
    let short = quota.window * 10 / 11;
    let (mut first, mut sum) = (0, 0);
    for &(to, permits) in &given {
        sum += permits;
        while given[first].0 + short <= to {
            sum -= given[first].1;
            first += 1;
        }
        if sum > max {
            let from = given[first].0;
            return Err(Violation::TooMany { given: sum, from, to, quota });
        }
    }
    let mut found = Slices { given: given.iter().map(|given| given.1).sum(), ..Slices::default() };
    for &(asked, at) in &edges.empty {
        let window = asked.saturating_sub(quota.window * 11 / 10)..=at;
        let memory = asked.saturating_sub((quota.window + bound.ttl) * 11 / 10)..=at;
        let sum = given.iter().filter(|(when, _)| window.contains(when)).map(|given| given.1).sum();
        let lost = edges.lost.iter().filter(|when| memory.contains(when)).count() as u64;
        let missing = max.saturating_sub(sum);
        let bound = bound.permits * (2 * bound.edges + lost);
        if missing > bound {
            return Err(Violation::TooFew { at, given: sum, bound, quota });
        }
        found.empty += 1;
        found.missing = found.missing.max(missing);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTA: Quota = Quota { max: 20, window: Duration::from_secs(11) };
    const BOUND: Bound = Bound { edges: 2, permits: 3, ttl: Duration::from_secs(1) };

    fn at(seconds: u64) -> Vec<(Duration, Duration)> {
        vec![(Duration::from_secs(seconds), Duration::from_secs(seconds))]
    }

    fn lost(seconds: u64) -> Vec<Duration> {
        vec![Duration::from_secs(seconds)]
    }

    fn given(given: &[(u64, u64)]) -> Edges {
        let at = |&(seconds, permits): &(u64, u64)| (Duration::from_secs(seconds), permits);
        Edges { given: given.iter().map(at).collect(), ..Edges::default() }
    }

    #[test]
    fn within_both_bounds() {
        // In any order; a window apart by the shortest that it can be.
        let edges = Edges { empty: at(11), ..given(&[(10, 20), (0, 12), (9, 8)]) };
        let wrong = check(&edges, QUOTA, BOUND).unwrap_err();
        assert!(matches!(wrong, Violation::TooMany { given: 28, .. }), "{wrong}");
        let edges = Edges { empty: at(11), ..given(&[(10, 8), (0, 12), (9, 1)]) };
        let found = Slices { given: 21, empty: 1, missing: 0 };
        assert_eq!(check(&edges, QUOTA, BOUND), Ok(found));
    }

    #[test]
    fn one_too_many_is_found() {
        let wrong = check(&given(&[(1, 20), (10, 1)]), QUOTA, BOUND).unwrap_err();
        let text = "21 permits were given away from 1s to 10s; 20 in 11s are allowed";
        assert_eq!(wrong.to_string(), text);
    }

    #[test]
    fn none_with_too_few_given_away_is_found_unless_some_were_lost() {
        let edges = Edges { empty: at(11), ..given(&[(10, 7)]) };
        let wrong = check(&edges, QUOTA, BOUND).unwrap_err();
        let text = "at 11s there were none, with 7 given away in the window before; 12 of 20 may be missing";
        assert_eq!(wrong.to_string(), text);
        let dead = Edges { lost: lost(5), ..edges };
        let found = Slices { given: 7, empty: 1, missing: 13 };
        assert_eq!(check(&dead, QUOTA, BOUND), Ok(found));
        // Too long ago to count.
        let late = Edges { empty: at(20), lost: lost(5), ..given(&[(18, 7)]) };
        assert!(check(&late, QUOTA, BOUND).is_err());
    }
}
