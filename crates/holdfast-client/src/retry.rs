//! When a call is tried again, and how often all calls together may be.
//!
//! [`Backoff`] spreads the tries of one call: a random time up to a bound that doubles (full jitter),
//! so that callers who failed together do not come back together. [`RetryBudget`] bounds the tries of all
//! calls together: what repeats when a server is in trouble must not be what keeps it there. Both
//! are plain: time and randomness are arguments.

use std::time::{Duration, Instant};

/// How long to rest between the tries of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The bound of the first rest.
    pub first: Duration,
    /// The bound of every rest.
    pub most: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(25), most: Duration::from_secs(2) }
    }
}

impl Backoff {
    /// The rest before the try that follows `tries`: any time up to `first` doubled with each try
    /// after the first, as `random` has it.
    #[must_use]
    pub fn rest(&self, tries: u32, random: u64) -> Duration {
        let doublings = tries.saturating_sub(1).min(30);
        let bound = self.first.saturating_mul(1 << doublings).min(self.most);
        part_of(bound, random)
    }
}

/// A random time up to this, evenly spread.
pub(crate) fn part_of(bound: Duration, random: u64) -> Duration {
    let nanos = (bound.as_nanos() * u128::from(random)) >> 64;
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// What all calls of a client may repeat together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryBudget {
    /// Repeats that each call earns, in hundredths.
    pub percent: u32,
    /// Repeats that each second earns: a client that calls seldom may repeat as well.
    pub per_second: u32,
    /// The most that can be saved up. What a client begins with.
    pub reserve: u32,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self { percent: 10, per_second: 10, reserve: 100 }
    }
}

/// Thousandths of a repeat: fine enough that a millisecond earns something.
const REPEAT: u64 = 1_000;

/// A bucket of repeats. A lock around it is the caller's.
#[derive(Debug)]
pub(crate) struct Bucket {
    terms: RetryBudget,
    tokens: u64,
    filled: Instant,
}

impl Bucket {
    pub(crate) fn new(terms: RetryBudget, now: Instant) -> Self {
        Self { terms, tokens: u64::from(terms.reserve) * REPEAT, filled: now }
    }

    /// A call begins.
    pub(crate) fn earn(&mut self, now: Instant) {
        self.fill(now);
        self.add(u64::from(self.terms.percent) * REPEAT / 100);
    }

    /// A call is to be repeated. False when nothing is left for it.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        self.fill(now);
        let left = self.tokens.checked_sub(REPEAT);
        self.tokens = left.unwrap_or(self.tokens);
        left.is_some()
    }

    fn fill(&mut self, now: Instant) {
        let since = now.saturating_duration_since(self.filled);
        let ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        // What is less than a millisecond is counted the next time.
        self.filled += Duration::from_millis(ms);
        self.add(ms.saturating_mul(u64::from(self.terms.per_second)) * (REPEAT / 1_000));
    }

    fn add(&mut self, tokens: u64) {
        let most = u64::from(self.terms.reserve) * REPEAT;
        self.tokens = self.tokens.saturating_add(tokens).min(most);
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    proptest! {
        #[test]
        fn a_rest_lies_within_its_bound_and_uses_all_of_it(tries in 0..200u32, random: u64) {
            let backoff = Backoff::default();
            let bound = [25, 25, 50, 100, 200, 400, 800, 1600].get(tries as usize);
            let bound = Duration::from_millis(*bound.unwrap_or(&2000));
            prop_assert!(backoff.rest(tries, random) <= bound);
            prop_assert_eq!(backoff.rest(tries, 0), Duration::ZERO);
            prop_assert!(backoff.rest(tries, u64::MAX) + Duration::from_nanos(2) > bound);
            prop_assert_eq!(backoff.rest(tries, 1 << 63), bound / 2);
        }

        /// However calls, repeats and time are mixed: from any moment on, no more is repeated
        /// than the reserve, the calls' tenth and the seconds' share.
        #[test]
        fn repeats_stay_within_the_budget(
            steps in vec((0..3u8, 0..400u64), 1..400),
            percent in 0..=100u32,
            per_second in 0..20u32,
            reserve in 0..20u32,
        ) {
            let begin = Instant::now();
            let mut bucket = Bucket::new(RetryBudget { percent, per_second, reserve }, begin);
            let mut now = begin;
            // What was earned in thousandths of a repeat, and what was taken, at each step.
            let (mut earned, mut taken) = (vec![0_u64], vec![0_u64]);
            for (step, ms) in steps {
                let (mut e, mut t) = (earned[earned.len() - 1], taken[taken.len() - 1]);
                match step {
                    0 => {
                        bucket.earn(now);
                        e += u64::from(percent) * 10;
                    }
                    1 => t += 1_000 * u64::from(bucket.take(now)),
                    _ => {
                        now += Duration::from_millis(ms);
                        e += ms * u64::from(per_second);
                    }
                }
                earned.push(e);
                taken.push(t);
            }
            for from in 0..taken.len() {
                for to in from..taken.len() {
                    let most = u64::from(reserve) * 1_000 + earned[to] - earned[from];
                    prop_assert!(taken[to] - taken[from] <= most);
                }
            }
        }
    }

    #[test]
    fn what_was_earned_can_be_taken() {
        let now = Instant::now();
        let mut bucket = Bucket::new(RetryBudget { percent: 10, per_second: 2, reserve: 1 }, now);
        assert!(bucket.take(now) && !bucket.take(now));
        (0..9).for_each(|_| bucket.earn(now));
        assert!(!bucket.take(now));
        bucket.earn(now);
        assert!(bucket.take(now) && !bucket.take(now));
        assert!(!bucket.take(now + Duration::from_millis(499)));
        assert!(bucket.take(now + Duration::from_millis(500)));
        let later = now + Duration::from_secs(3600);
        assert!(bucket.take(later) && !bucket.take(later), "no more than the reserve");
    }
}
