//! Log time (P15).
//!
//! Anchored when leadership begins, then advanced by the monotonic clock and
//! slewed towards wall time by at most a tenth: never stepped, never stopped. A
//! stepped wall clock therefore neither expires everything at once nor holds
//! anything up for ever.

use holdfast_planted::planted;
use holdfast_state::LogTime;

use crate::event::Now;

/// Which part of the elapsed time may be added or held back to approach wall time.
const SLEW_DIVISOR: u64 = 10;

/// How far a wall clock may be behind the log, or ahead of it beyond what an
/// idle log explains, before a node refuses to lead (P7).
#[derive(Clone, Copy, Debug)]
pub struct ClockBounds {
    /// Behind the last entry, in microseconds.
    pub behind_us: u64,
    /// Ahead of the last entry. While nobody led nobody wrote, so an opened log is
    /// normally behind by as long as it was closed.
    pub ahead_us: u64,
}

impl Default for ClockBounds {
    fn default() -> Self {
        Self { behind_us: 60_000_000, ahead_us: 90 * 24 * 3600 * 1_000_000 }
    }
}

/// The wall clock contradicts the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClockOff {
    /// The log's last entry is from the wall clock's future.
    #[error(
        "this machine's clock ({wall}) is behind the log's last entry ({log}); \
         set the clock, or accept it as it is"
    )]
    Behind {
        /// The wall clock.
        wall: LogTime,
        /// The last entry's time.
        log: LogTime,
    },
    /// The log is older than a log is expected to lie idle.
    #[error(
        "this machine's clock ({wall}) is far ahead of the log's last entry ({log}); \
         if the log lay idle that long, accept the clock as it is"
    )]
    Ahead {
        /// The wall clock.
        wall: LogTime,
        /// The last entry's time.
        log: LogTime,
    },
}

/// The leader's clock.
#[derive(Clone, Copy, Debug)]
pub struct LogClock {
    log_us: u64,
    read_at: Now,
}

impl LogClock {
    /// The clock of a leader whose claim follows an entry of time `last`: at the wall clock, but not
    /// behind that entry, nor beyond it by more than `passed_us` and a tenth, where it is known what
    /// passed since. What is left is slewed.
    ///
    /// # Errors
    /// [`ClockOff`] when the wall clock is out of bounds.
    pub fn anchor(
        last: LogTime,
        passed_us: Option<u64>,
        now: Now,
        bounds: Option<ClockBounds>,
    ) -> Result<Self, ClockOff> {
        let wall = LogTime::from_us(now.wall_us);
        if let Some(bounds) = bounds.filter(|_| last > LogTime::ZERO) {
            if last.since_us(wall) > bounds.behind_us {
                return Err(ClockOff::Behind { wall, log: last });
            }
            if wall.since_us(last) > bounds.ahead_us {
                return Err(ClockOff::Ahead { wall, log: last });
            }
        }
        let at_most = passed_us.map_or(LogTime::MAX, |passed_us| {
            last.plus_us(passed_us).plus_us(passed_us / SLEW_DIVISOR)
        });
        Ok(Self { log_us: last.max(wall.min(at_most)).as_us(), read_at: now })
    }

    /// The clock of a leader whose wall clock contradicts the log: it goes on from `last` by what
    /// passed, by the monotonic clock, since this node read that entry. The wall clock has no part in
    /// it, but for the slew.
    #[must_use]
    pub const fn going_on(last: LogTime, passed_us: u64, now: Now) -> Self {
        Self { log_us: last.as_us().saturating_add(passed_us), read_at: now }
    }

    /// Log time now. Never less than it was.
    pub fn read(&mut self, now: Now) -> LogTime {
        if planted!(LogTimeIsWallTime) {
            return LogTime::from_us(now.wall_us);
        }
        let elapsed = now.monotonic_us.saturating_sub(self.read_at.monotonic_us);
        if elapsed > 0 {
            let slew = elapsed / SLEW_DIVISOR;
            let straight = self.log_us.saturating_add(elapsed);
            self.log_us = now.wall_us.clamp(straight - slew, straight.saturating_add(slew));
            self.read_at = now;
        }
        LogTime::from_us(self.log_us)
    }

    /// How far log time is from the wall clock, in microseconds; positive when
    /// the wall clock is ahead.
    #[must_use]
    pub fn wall_offset_us(&self) -> i64 {
        let wall = i64::try_from(self.read_at.wall_us).unwrap_or(i64::MAX);
        wall.saturating_sub(i64::try_from(self.log_us).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;

    fn at(monotonic_s: u64, wall_s: u64) -> Now {
        Now { monotonic_us: monotonic_s * SECOND, wall_us: wall_s * SECOND }
    }

    #[test]
    fn p15_a_step_of_the_wall_clock_is_approached_by_a_tenth_at_most() {
        let mut clock = LogClock::anchor(LogTime::ZERO, None, at(0, 1_000), None).unwrap();
        assert_eq!(clock.read(at(10, 1_010)).as_us(), 1_010 * SECOND);
        assert_eq!(clock.read(at(20, 5_000)).as_us(), 1_021 * SECOND, "forward by a tenth");
        assert_eq!(clock.read(at(30, 500)).as_us(), 1_030 * SECOND, "back by a tenth, not to 500");
        assert_eq!(clock.read(at(30, 9_000)).as_us(), 1_030 * SECOND, "no time, no movement");
    }

    #[test]
    fn p15_it_never_goes_behind_the_last_entry_and_never_stands() {
        let last = LogTime::from_us(2_000 * SECOND);
        let mut clock =
            LogClock::anchor(last, None, at(0, 1_990), Some(ClockBounds::default())).unwrap();
        let mut before = clock.read(at(0, 1_990));
        assert_eq!(before, last);
        for second in 1..100 {
            let now = clock.read(at(second, 1_990 + second));
            assert!(now > before);
            before = now;
        }
        assert_eq!(clock.wall_offset_us(), -100_000, "9.9 of 10 s made up in 99 s");
    }

    #[test]
    fn p15_a_wall_clock_ahead_adds_no_more_than_a_tenth_where_it_is_known_what_passed() {
        let last = LogTime::from_us(2_000 * SECOND);
        let anchored = |wall_s| {
            LogClock::anchor(last, Some(10 * SECOND), at(50, wall_s), Some(ClockBounds::default()))
        };
        let read = |wall_s| anchored(wall_s).unwrap().read(at(50, wall_s)).as_us() / SECOND;
        assert_eq!(read(2_055), 2_011, "within the bounds, and yet not believed");
        assert_eq!(read(2_010), 2_010);
        assert_eq!(read(1_990), 2_000);
    }

    #[test]
    fn p7_a_clock_that_contradicts_the_log_does_not_lead() {
        let last = LogTime::from_us(2_000_000 * SECOND);
        let bounds = Some(ClockBounds::default());
        let anchor = |wall_s, bounds| LogClock::anchor(last, None, at(0, wall_s), bounds);
        assert!(anchor(2_000_000 - 60, bounds).is_ok());
        assert!(matches!(anchor(2_000_000 - 61, bounds), Err(ClockOff::Behind { .. })));
        assert!(anchor(2_000_000 + 90 * 24 * 3600, bounds).is_ok());
        assert!(matches!(anchor(2_000_001 + 90 * 24 * 3600, bounds), Err(ClockOff::Ahead { .. })));
        assert!(anchor(1, None).is_ok(), "an operator may accept it");
    }
}
