//! The machine's clocks: the one place in this crate that looks at them.
//!
//! The monotonic one counts the time during which the machine was suspended: a leader that slept
//! must not believe that its lease still runs (P11).
#![expect(clippy::disallowed_types, reason = "the driver is where time comes in")]

use std::time::SystemTime;

use rustix::time::{ClockId, clock_gettime};

use crate::event::Now;

/// Not every system has a clock of this kind under this name; on the others the monotonic one
/// counts suspension itself.
#[cfg(target_os = "linux")]
const CLOCK: ClockId = ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const CLOCK: ClockId = ClockId::Monotonic;

/// Reads both clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clocks;

impl Clocks {
    /// What they say.
    #[must_use]
    pub(crate) fn now(self) -> Now {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Now {
            monotonic_us: self.monotonic_us(),
            // A clock before 1970 is a clock that was never set.
            wall_us: wall.map_or(0, |since| u64::try_from(since.as_micros()).unwrap_or(u64::MAX)),
        }
    }

    /// The monotonic part, in microseconds.
    #[must_use]
    pub(crate) fn monotonic_us(self) -> u64 {
        let since_boot = clock_gettime(CLOCK);
        let seconds = u64::try_from(since_boot.tv_sec).expect("the machine has booted");
        let nanoseconds = u64::try_from(since_boot.tv_nsec).expect("a part of a second");
        seconds * 1_000_000 + nanoseconds / 1_000
    }
}
