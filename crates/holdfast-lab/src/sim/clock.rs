//! A node's clocks, as wrong as the run wants them.
//!
//! The monotonic clock runs at a rate of its own (half to twice true time) and never
//! goes back; the wall clock may be off and may step. Both go on while the process is
//! paused. Time a node waits by its own clock is translated back to simulated time.

use holdfast_engine::Now;

use super::agenda::Micros;

/// What every wall clock says when a run begins, if it is right: some moment in 2023.
const EPOCH_US: u64 = 1_700_000_000_000_000;

/// Parts of true time that make one unit of a rate.
const PER_MILLION: u64 = 1_000_000;

/// The clocks of one machine.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    /// Simulated time at which the present rate began.
    since: Micros,
    /// What the monotonic clock said then.
    base: u64,
    /// Of the monotonic clock, in millionths of true time.
    rate: u64,
    /// What the wall clock is ahead of true time.
    wall_offset_us: i64,
}

impl Clock {
    /// Clocks of a machine that was switched on `base` microseconds before the run.
    pub(super) const fn new(base: u64) -> Self {
        Self { since: 0, base, rate: PER_MILLION, wall_offset_us: 0 }
    }

    /// What the clocks say.
    pub(super) fn read(&self, now: Micros) -> Now {
        let true_wall = EPOCH_US + now;
        Now {
            monotonic_us: self.base + (now - self.since) * self.rate / PER_MILLION,
            wall_us: true_wall.saturating_add_signed(self.wall_offset_us),
        }
    }

    /// From now on the monotonic clock runs at this rate, in millionths of true time.
    pub(super) fn set_rate(&mut self, now: Micros, rate: u64) {
        self.base = self.read(now).monotonic_us;
        self.since = now;
        self.rate = rate;
    }

    /// The wall clock is off by so much from now on.
    pub(super) const fn set_wall_offset(&mut self, offset_us: i64) {
        self.wall_offset_us = offset_us;
    }

    /// How much simulated time passes while this clock advances by `us`, rounded up.
    pub(super) const fn true_us(&self, us: u64) -> Micros {
        us.saturating_mul(PER_MILLION).div_ceil(self.rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_monotonic_clock_keeps_its_rate_and_never_goes_back() {
        let mut clock = Clock::new(1000);
        clock.set_rate(10, 2_000_000);
        assert_eq!(clock.read(10).monotonic_us, 1010);
        assert_eq!(clock.read(20).monotonic_us, 1030);
        assert_eq!(clock.true_us(20), 10);
        clock.set_rate(20, 500_000);
        assert_eq!((clock.read(20).monotonic_us, clock.read(40).monotonic_us), (1030, 1040));
        assert_eq!(clock.true_us(3), 6);
    }

    #[test]
    fn the_wall_clock_steps_and_the_monotonic_one_does_not() {
        let mut clock = Clock::new(0);
        clock.set_wall_offset(-600_000_000);
        let now = clock.read(5);
        assert_eq!(now.wall_us, EPOCH_US + 5 - 600_000_000);
        assert_eq!(now.monotonic_us, 5);
    }
}
