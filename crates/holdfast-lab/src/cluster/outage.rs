//! For how long nobody could write.
//!
//! Counted from a fault to the first acknowledgement of a try that was sent after it: what was
//! on its way when the fault came says nothing. Callers try every few milliseconds while they
//! are refused, so that is as exact as this gets.

use std::time::Duration;

use super::load::Tried;
use crate::check::Heard;

/// Times, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Times(Vec<Duration>);

impl Times {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The time that so many of a hundred do not exceed; `None` of nothing.
    #[must_use]
    pub fn percentile(&self, percent: usize) -> Option<Duration> {
        let rank = (self.0.len() * percent).div_ceil(100).max(1);
        self.0.get(rank - 1).copied()
    }

    /// The longest.
    #[must_use]
    pub fn longest(&self) -> Option<Duration> {
        self.0.last().copied()
    }
}

impl FromIterator<Duration> for Times {
    fn from_iter<I: IntoIterator<Item = Duration>>(times: I) -> Self {
        let mut times: Vec<_> = times.into_iter().collect();
        times.sort_unstable();
        Self(times)
    }
}

/// Acknowledged tries of writes: when each was sent, and when it was answered.
#[derive(Debug)]
pub(super) struct Acknowledged(Vec<(Duration, Duration)>);

impl Acknowledged {
    pub(super) fn of(calls: &[Tried]) -> Self {
        let writes = calls.iter().filter(|call| call.key.is_some());
        let mut spans: Vec<_> = writes
            .filter_map(|call| match &call.heard {
                Heard::Answered { at, .. } => Some((call.sent, *at)),
                Heard::Nothing | Heard::Unknown => None,
            })
            .collect();
        spans.sort_unstable();
        Self(spans)
    }

    /// From `fault` to the first acknowledgement of a try sent after it; `None` when there was none.
    pub(super) fn outage(&self, fault: Duration) -> Option<Duration> {
        let after = self.0.partition_point(|(sent, _)| *sent <= fault);
        let mut first: Option<Duration> = None;
        for (sent, answered) in &self.0[after..] {
            if first.is_some_and(|first| first <= *sent) {
                break;
            }
            first = Some(first.map_or(*answered, |first| first.min(*answered)));
        }
        first.map(|first| first - fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn what_was_sent_before_the_fault_says_nothing() {
        let spans = vec![(ms(1), ms(2)), (ms(9), ms(12)), (ms(11), ms(90)), (ms(40), ms(60))];
        let acknowledged = Acknowledged(spans);
        assert_eq!(acknowledged.outage(ms(10)), Some(ms(50)));
        assert_eq!(acknowledged.outage(ms(0)), Some(ms(2)));
        assert_eq!(acknowledged.outage(ms(40)), None);
    }

    #[test]
    fn percentiles_are_times_that_were_seen() {
        let times: Times = (1..=200).rev().map(ms).collect();
        assert_eq!(times.percentile(50), Some(ms(100)));
        assert_eq!(times.percentile(99), Some(ms(198)));
        assert_eq!((times.longest(), times.count()), (Some(ms(200)), 200));
        let one: Times = std::iter::once(ms(7)).collect();
        assert_eq!((one.percentile(50), one.percentile(99)), (Some(ms(7)), Some(ms(7))));
        assert_eq!(Times::default().percentile(99), None);
    }
}
