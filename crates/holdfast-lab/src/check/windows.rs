//! So many in a window: no window of its length has more, wherever it begins, and nothing is
//! denied while there is room.
//!
//! Windows are `(t, t + length]` by log time: of what is exactly as old as the window is long
//! nothing counts any more. Besides, by the clock of whoever asked, since log time runs at most a
//! tenth faster than real time: no more than the quota lies between the sending of one request
//! and the answer to another that are nearer than ten elevenths of a window.

use std::{collections::VecDeque, time::Duration};

use holdfast_state::Version;

/// A request that was counted or denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// The transaction.
    pub version: Version,
    /// Its log time, in microseconds.
    pub time_us: u64,
    /// When it was sent.
    pub sent: Duration,
    /// When it was answered.
    pub answered: Duration,
    /// Was it allowed?
    pub allowed: bool,
}

/// How many, in how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// How many.
    pub max: usize,
    /// In how long.
    pub window: Duration,
}

/// What was found to be so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Windows {
    /// Requests that were allowed.
    pub allowed: u64,
    /// Requests that were denied.
    pub denied: u64,
    /// Requests that were allowed after others had been denied: there was room again.
    pub reopened: u64,
}

impl Windows {
    /// Takes another counter's together with this one's.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            allowed: self.allowed + other.allowed,
            denied: self.denied + other.denied,
            reopened: self.reopened + other.reopened,
        }
    }
}

/// Too many in a window, or a denial for nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// A window has more than it may.
    #[error(
        "{} requests were allowed within {within:?}, from version {from} to version {to}; {} in {:?} are allowed",
        quota.max + 1, quota.max, quota.window
    )]
    TooMany {
        /// The first of them.
        from: Version,
        /// The last.
        to: Version,
        /// How far they are apart.
        within: Duration,
        /// What is allowed.
        quota: Quota,
    },
    /// The same, by the clock of whoever asked.
    #[error(
        "{} requests were sent and allowed within {within:?} by the clock of whoever asked, to version {to}; {} in {:?} are allowed",
        quota.max + 1, quota.max, quota.window
    )]
    TooFast {
        /// The last of them.
        to: Version,
        /// How far they are apart at most.
        within: Duration,
        /// What is allowed.
        quota: Quota,
    },
    /// There was room.
    #[error(
        "version {version} was denied, with {counted} allowed in the window before it, and {max} are allowed"
    )]
    DeniedForNothing {
        /// Which transaction.
        version: Version,
        /// How many count.
        counted: usize,
        /// How many may.
        max: usize,
    },
    /// Log time went back.
    #[error("version {version} is before the version before it in time")]
    TimeWentBack {
        /// Which transaction.
        version: Version,
    },
}

/// Checks all requests of one counter, in the order of versions.
///
/// # Errors
/// [`Violation`]
pub fn check(checks: &[Check], quota: Quota) -> Result<Windows, Violation> {
    let window_us = u64::try_from(quota.window.as_micros()).unwrap_or(u64::MAX);
    // The last requests that were allowed, as many as may be in a window.
    let mut last: VecDeque<Check> = VecDeque::with_capacity(quota.max + 1);
    let mut found = Windows::default();
    let mut before = 0;
    for check in checks {
        if check.time_us < before {
            return Err(Violation::TimeWentBack { version: check.version });
        }
        before = check.time_us;
        if !check.allowed {
            let counts = |stamp: &&Check| check.time_us - stamp.time_us < window_us;
            let (counted, max) = (last.iter().filter(counts).count(), quota.max);
            if counted < max {
                return Err(Violation::DeniedForNothing { version: check.version, counted, max });
            }
            found.denied += 1;
            continue;
        }
        last.push_back(*check);
        if last.len() > quota.max {
            let first = last.pop_front().expect("more than the quota");
            fits(&first, check, quota)?;
        }
        found.allowed += 1;
        found.reopened += u64::from(found.denied > 0);
    }
    Ok(found)
}

/// With all between them these are one more than the quota.
fn fits(first: &Check, last: &Check, quota: Quota) -> Result<(), Violation> {
    let within = Duration::from_micros(last.time_us - first.time_us);
    if within < quota.window {
        return Err(Violation::TooMany { from: first.version, to: last.version, within, quota });
    }
    let within = last.answered.saturating_sub(first.sent);
    if within < quota.window * 10 / 11 {
        return Err(Violation::TooFast { to: last.version, within, quota });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTA: Quota = Quota { max: 2, window: Duration::from_secs(10) };

    /// Requests by log time in seconds and whether they were allowed; real time is log time.
    fn checks(checks: &[(u64, bool)]) -> Vec<Check> {
        let check = |(version, &(seconds, allowed)): (u64, &(u64, bool))| Check {
            version: Version::new(version),
            time_us: seconds * 1_000_000,
            sent: Duration::from_secs(seconds),
            answered: Duration::from_secs(seconds),
            allowed,
        };
        (1..).zip(checks).map(check).collect()
    }

    #[test]
    fn windows_are_full_and_reopen_to_the_instant() {
        let exact =
            checks(&[(0, true), (3, true), (9, false), (10, true), (12, false), (13, true)]);
        let found = Windows { allowed: 4, denied: 2, reopened: 2 };
        assert_eq!(check(&exact, QUOTA), Ok(found));
    }

    #[test]
    fn one_too_many_is_found_wherever_the_window_begins() {
        // Two in each of the windows that begin at 0 and at 10, and four in less than a second.
        let edge = checks(&[(9, true), (9, true), (10, true), (10, true)]);
        let wrong = check(&edge, QUOTA).unwrap_err();
        let text =
            "3 requests were allowed within 1s, from version 1 to version 3; 2 in 10s are allowed";
        assert_eq!(wrong.to_string(), text);
        assert!(check(&checks(&[(0, true), (3, true), (9, true)]), QUOTA).is_err());
    }

    #[test]
    fn a_denial_for_nothing_is_found() {
        let wrong = check(&checks(&[(0, true), (3, true), (10, false)]), QUOTA).unwrap_err();
        let text =
            "version 3 was denied, with 1 allowed in the window before it, and 2 are allowed";
        assert_eq!(wrong.to_string(), text);
    }

    #[test]
    fn log_time_that_runs_away_is_found_by_the_clocks_of_others() {
        let mut fast = checks(&[(0, true), (3, true), (11, true)]);
        // Within a tenth.
        fast[2].answered = Duration::from_millis(9_100);
        assert!(check(&fast, QUOTA).is_ok());
        fast[2].answered = Duration::from_millis(9_000);
        assert!(matches!(check(&fast, QUOTA), Err(Violation::TooFast { .. })));
        let back = check(&checks(&[(5, true), (4, true)]), QUOTA);
        assert_eq!(back, Err(Violation::TimeWentBack { version: Version::new(2) }));
    }
}
