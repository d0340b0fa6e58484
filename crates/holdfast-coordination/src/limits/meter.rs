//! A counter, by whichever algorithm: the table of contents.

use holdfast_state::{Abort, Id, LogTime, Read, Tx};

use super::{
    concurrency::Occupancy,
    gcra::{Arrival, Rate},
    quota::Quota,
    reading::Reading,
    shelf::Place,
    sliding_counter::Window,
    sliding_log::Log,
    stamps::Stamp,
    token_bucket::{Bucket, Shape},
};

/// A counter, as it is now.
#[derive(Clone, Debug)]
pub(super) enum Meter {
    Log(Log),
    Window(Window),
    Bucket(Bucket),
    Arrival(Arrival),
    Occupancy(Occupancy),
}

impl Meter {
    pub(super) fn find(
        state: &impl Read,
        place: Place<'_>,
        holder: Option<&Id>,
    ) -> Result<Self, Abort> {
        let quota = place.counters.rule.rule.quota;
        Ok(match quota {
            Quota::SlidingLog { max, window } => Self::Log(Log::find(state, place, max, window)?),
            Quota::SlidingCounter { max, window } => {
                Self::Window(Window::find(state, place, max, window)?)
            }
            Quota::TokenBucket { capacity, refill, every } => {
                let (capacity, refill) = (capacity.get(), refill.get());
                let shape = Shape { capacity, refill, every_us: every.as_us() };
                Self::Bucket(Bucket::find(state, place, shape)?)
            }
            Quota::Gcra { max, window, .. } => {
                let (max, burst) = (max.get(), quota.at_once().get());
                let rate = Rate { max, window_us: window.as_us(), burst };
                Self::Arrival(Arrival::find(state, place, rate)?)
            }
            Quota::Concurrency { max, ttl } => {
                Self::Occupancy(Occupancy::find(state, place, max, ttl, holder)?)
            }
        })
    }

    /// What it says now of such a cost; 0 asks for nothing.
    pub(super) fn read(
        &self,
        state: &impl Read,
        place: Place<'_>,
        cost: u64,
    ) -> Result<Reading, Abort> {
        let now: LogTime = state.now();
        Ok(match self {
            Self::Log(log) => log.read(state, place, cost)?,
            Self::Window(window) => window.read(now, cost),
            Self::Bucket(bucket) => bucket.read(cost),
            Self::Arrival(arrival) => arrival.read(cost),
            Self::Occupancy(occupancy) => occupancy.read(now, cost),
        })
    }

    /// Charges a cost for which there is room.
    pub(super) fn charge(
        &mut self,
        tx: &mut Tx<'_>,
        place: Place<'_>,
        (cost, holder): (u64, Option<&Id>),
    ) -> Result<(), Abort> {
        match self {
            Self::Log(log) => log.charge(tx, place, cost),
            Self::Window(window) => window.charge(tx, place, cost),
            Self::Bucket(bucket) => bucket.charge(tx, place, cost),
            Self::Arrival(arrival) => arrival.charge(tx, place, cost),
            Self::Occupancy(occupancy) => {
                let holder = holder.expect("who has no name was refused before");
                occupancy.charge(tx, place, cost, holder)
            }
        }
    }

    /// What was accepted last, the latest first, where that is kept.
    pub(super) fn latest(&self, limit: usize) -> Vec<Stamp> {
        match self {
            Self::Log(log) => log.latest(limit),
            Self::Window(_) | Self::Bucket(_) | Self::Arrival(_) | Self::Occupancy(_) => Vec::new(),
        }
    }
}
