//! How long a grant, or a membership, counts, by the holder's own clock.
//!
//! A grant or a renewal takes effect at the server some time after its request was first sent, and
//! counts for its ttl from then on, by the partition's log time. So it counts at least until the
//! request was sent plus what the ttl is by the clock here. Log time may run faster than real time
//! by a tenth, hence ten elevenths of the ttl.
//!
//! What this does not cover: log time goes on from the wall clock of whoever leads next, so a change
//! of leader to a machine whose clock is ahead by more than the eleventh that is left can end a grant
//! sooner; and a machine that is suspended, whose monotonic clock stands. The token covers both.

use std::time::{Duration, Instant};

/// A grant's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tenure {
    ttl: Duration,
    /// When the newest request that is known to have had effect was first sent.
    sent: Instant,
    /// When to renew.
    due: Instant,
}

impl Tenure {
    pub(crate) fn new(ttl: Duration, sent: Instant) -> Self {
        Self { ttl, sent, due: sent + ttl / 3 }
    }

    /// From this on it may have ended.
    pub(crate) fn ends(&self) -> Instant {
        self.sent + self.ttl * 10 / 11
    }

    /// When to renew it.
    pub(crate) const fn due(&self) -> Instant {
        self.due
    }

    /// A renewal was answered that was sent then.
    pub(crate) fn renewed(&mut self, sent: Instant) {
        *self = Self::new(self.ttl, sent.max(self.sent));
    }

    /// A renewal was not answered: another soon, but not at once.
    pub(crate) fn missed(&mut self, now: Instant) {
        self.due = now + self.ttl / 20;
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    proptest! {
        /// A server whose log time runs as it may, and a holder whose renewals take any time on
        /// their way and back, or get lost on either: when the server has ended the grant, the holder
        /// has known it before.
        #[test]
        fn a_holder_knows_before_the_grant_ends(
            ttl in 1..100_000u64,
            // Log time's pace in hundredths.
            pace in 90..=110u64,
            steps in vec((0..2_000u64, 0..2_000u64, 0..4u8), 1..60),
        ) {
            let begin = Instant::now();
            let after = Duration::from_millis;
            let real = |log: u64| Duration::from_nanos(log * 1_000_000 * 100 / pace);
            let mut tenure = Tenure::new(after(ttl), begin);
            // The acquisition takes effect when it arrives, later than it was sent.
            let mut expires = begin + after(steps[0].0) + real(ttl);
            let mut now = begin;
            for (there, back, fate) in steps {
                let sent = tenure.due().max(now);
                if sent >= tenure.ends() {
                    break;
                }
                let arrives = sent + after(there);
                let counts = arrives < expires;
                if fate > 0 && counts {
                    expires = arrives + real(ttl);
                }
                now = arrives + after(back);
                if fate > 1 && counts {
                    tenure.renewed(sent);
                } else {
                    tenure.missed(now);
                }
                prop_assert!(tenure.ends() <= expires, "{tenure:?} and {expires:?}");
            }
        }
    }

    #[test]
    fn it_is_renewed_in_good_time_and_again_after_a_miss() {
        let begin = Instant::now();
        let after = |ms| begin + Duration::from_millis(ms);
        let mut tenure = Tenure::new(Duration::from_secs(3), begin);
        assert_eq!(tenure.due(), after(1_000));
        tenure.missed(after(1_500));
        assert_eq!(tenure.due(), after(1_650));
        tenure.renewed(after(1_650));
        assert_eq!(tenure.due(), after(2_650));
        let ends = tenure.ends();
        tenure.renewed(begin);
        assert_eq!(tenure.ends(), ends, "an old answer shortens nothing");
    }
}
