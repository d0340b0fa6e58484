//! This end of a slice: permits given away without asking anybody.
//!
//! From the moment at which the request for a slice was *sent* its permits are given away for seven
//! eighths of its ttl: log time runs at most a tenth faster than real time, so the server, which counts
//! from when it granted them, believes them usable for longer than they are.

use std::time::{Duration, Instant};

/// What is held of a slice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Slice {
    /// What is left; `left <= granted`.
    left: u64,
    /// What it was, if it was not given back yet and may have been used.
    granted: Option<u64>,
    /// From when on nothing is given away; `None` before the first grant and once it was given back.
    until: Option<Instant>,
}

impl Slice {
    /// Takes permits at this time, if there are as many.
    pub(super) fn take(&mut self, cost: u64, now: Instant) -> bool {
        let there = cost <= self.left && self.until.is_some_and(|until| now < until);
        if there {
            self.left -= cost;
        }
        there
    }

    /// What may be taken now.
    pub(super) fn left(&self, now: Instant) -> u64 {
        if self.until.is_some_and(|until| now < until) { self.left } else { 0 }
    }

    /// Until when permits are given away; `None` when there is nothing to give back.
    pub(super) const fn until(&self) -> Option<Instant> {
        self.until
    }

    /// Stops giving permits away, and says how many were: `used` of the next request. `None` where
    /// nothing was granted, as far as this process knows.
    pub(super) fn give_back(&mut self) -> Option<u64> {
        self.until = None;
        self.granted.map(|granted| granted - self.left)
    }

    /// So many were granted in answer to the latest request, which was sent then.
    pub(super) fn granted(&mut self, permits: u64, sent: Instant, ttl: Duration) {
        *self = Self { left: permits, granted: Some(permits), until: Some(sent + ttl / 8 * 7) };
    }

    /// Nothing is held any more.
    pub(super) fn empty(&mut self) {
        *self = Self { granted: Some(0), ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permits_are_given_away_for_seven_eighths_of_the_time_since_the_request() {
        let (sent, after) = (Instant::now(), Duration::from_millis);
        let mut slice = Slice::default();
        assert_eq!((slice.take(1, sent), slice.give_back()), (false, None));
        slice.granted(10, sent, after(800));
        assert!(slice.take(3, sent) && !slice.take(8, sent));
        assert!(slice.take(1, sent + after(699)) && !slice.take(1, sent + after(700)));
        assert_eq!((slice.left(sent), slice.left(sent + after(700))), (6, 0));
        assert_eq!(slice.give_back(), Some(4));
        assert!(!slice.take(1, sent));
        // Nobody heard of it: said again.
        assert_eq!(slice.give_back(), Some(4));
        slice.empty();
        assert_eq!((slice.take(0, sent), slice.give_back()), (false, Some(0)));
    }
}
