//! How long to pause before something is tried again: longer each time, and never in step with
//! others.
//!
//! Full jitter: a pause is drawn evenly between nothing and a bound that doubles. After a failover
//! every node comes back at its own time instead of all at once.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

const FIRST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_secs(1);

/// Pauses between tries of one thing.
#[derive(Debug)]
pub(crate) struct Backoff {
    bound: Duration,
    random: u64,
}

impl Backoff {
    pub(crate) fn new() -> Self {
        // The standard library seeds its hashers at random; no more is needed to fall out of step.
        Self { bound: FIRST, random: RandomState::new().build_hasher().finish() | 1 }
    }

    /// The next pause.
    pub(crate) fn next(&mut self) -> Duration {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let bound = u64::try_from(self.bound.as_micros()).expect("the longest is a second");
        self.bound = (self.bound * 2).min(LONGEST);
        Duration::from_micros(self.random % bound)
    }
}

/// A number drawn at random below `bound`, which is 1 or more.
pub(crate) fn random_below(bound: u64) -> u64 {
    RandomState::new().build_hasher().finish() % bound
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound_and_differ() {
        let (mut one, mut other) = (Backoff::new(), Backoff::new());
        let ones: Vec<_> = (0..20).map(|_| one.next()).collect();
        let others: Vec<_> = (0..20).map(|_| other.next()).collect();
        assert!(ones[0] < FIRST && ones.iter().all(|pause| *pause < LONGEST));
        assert!(ones.iter().any(|pause| *pause > FIRST));
        assert_ne!(ones, others);
    }
}
