//! The generic cell rate algorithm: a leaky bucket that keeps one time.
//!
//! Each unit moves the *theoretical arrival time* on by `window / max`; a cost is allowed
//! if that leads no further than `burst` units beyond now. Reckoned exactly: times are in
//! parts of a microsecond, of which it has `max`. It allows what a token bucket of `burst`
//! tokens does that gets `max` in a window.

use holdfast_state::{Abort, LogTime, Read, Tx, unknown::Unknown};

use super::{
    reading::{Reading, Room},
    row::{ArrivalRow, Arrivals},
    shelf::Place,
};

/// What it allows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    pub(super) max: u64,
    pub(super) window_us: u64,
    pub(super) burst: u64,
}

/// A counter of this kind, as it is now.
#[derive(Clone, Debug)]
pub(super) struct Arrival {
    found: Option<u64>,
    unknown: Unknown,
    /// The theoretical arrival time beyond now, in parts.
    ahead: u128,
    rate: Rate,
}

impl Rate {
    /// By how many parts so many units move the time on.
    fn parts(self, units: u64) -> u128 {
        u128::from(units) * u128::from(self.window_us)
    }

    /// Microseconds, rounded up.
    fn time_of(self, parts: u128) -> u64 {
        u64::try_from(parts.div_ceil(u128::from(self.max))).expect("ten years at most")
    }

    fn at(self, time: LogTime) -> u128 {
        u128::from(time.as_us()) * u128::from(self.max)
    }
}

impl Arrival {
    pub(super) fn find(state: &impl Read, place: Place<'_>, rate: Rate) -> Result<Self, Abort> {
        let Some((shelf, row)) = place.find::<Arrivals>(state)? else {
            return Ok(Self { found: None, unknown: Unknown::default(), ahead: 0, rate });
        };
        let arrival = u128::from(row.us) * u128::from(rate.max) + u128::from(row.part);
        let ahead = arrival.saturating_sub(rate.at(state.now()));
        Ok(Self { found: Some(shelf), unknown: row.unknown, ahead, rate })
    }

    pub(super) fn read(&self, cost: u64) -> Reading {
        let rate = self.rate;
        let (burst, after) = (rate.parts(rate.burst), self.ahead + rate.parts(cost));
        let left = burst.saturating_sub(self.ahead) / u128::from(rate.window_us);
        let room = if after <= burst {
            Room::Now
        } else if cost > rate.burst {
            Room::Never
        } else {
            Room::In(rate.time_of(after - burst))
        };
        Reading {
            remaining: u64::try_from(left).expect("at most the burst"),
            reset_us: rate.time_of(self.ahead),
            room,
        }
    }

    pub(super) fn charge(
        &mut self,
        tx: &mut Tx<'_>,
        place: Place<'_>,
        cost: u64,
    ) -> Result<(), Abort> {
        self.ahead += self.rate.parts(cost);
        let (arrival, max) = (self.rate.at(tx.now()) + self.ahead, u128::from(self.rate.max));
        let row = ArrivalRow {
            us: u64::try_from(arrival / max).expect("ten years after the year 9999"),
            part: u64::try_from(arrival % max).expect("less than its divisor"),
            unknown: self.unknown.clone(),
        };
        place.keep::<Arrivals>(tx, self.found, &row)
    }
}
