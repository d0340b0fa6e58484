//! The machine's clocks: the one place in this crate that looks at them.
#![expect(clippy::disallowed_types, reason = "the driver is where time comes in")]

use std::time::{Instant, SystemTime};

use crate::event::Now;

/// Reads both clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clocks {
    origin: Instant,
}

impl Clocks {
    /// Clocks whose monotonic part begins now.
    #[must_use]
    pub(crate) fn start() -> Self {
        Self { origin: Instant::now() }
    }

    /// What they say.
    #[must_use]
    pub(crate) fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Now {
            monotonic_us: self.monotonic_us(),
            // A clock before 1970 is a clock that was never set.
            wall_us: wall.map_or(0, |since| u64::try_from(since.as_micros()).unwrap_or(u64::MAX)),
        }
    }

    /// The monotonic part, in microseconds.
    #[must_use]
    pub(crate) fn monotonic_us(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_micros()).expect("half a million years")
    }
}
