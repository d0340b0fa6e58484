//! The sliding counter: this fixed window's count, and of the last one's the share that a
//! sliding window would still hold if it had been spread evenly.
//!
//! With `p` in the last window, `c` in this one and `e` of it gone by, `p · (M − e) / M + c`
//! is the estimate. Where the last window was not even, a true window may hold more than
//! `max`, but always less than twice as much: `p` and `c` are each at most `max`, and the
//! estimate counts all of `c`.

use holdfast_state::{Abort, Lifetime, LogTime, Read, Tx};

use super::{
    quota::Units,
    reading::{Reading, Room},
    row::{WindowRow, Windows},
    shelf::Place,
};

/// A sliding counter, as it is now.
#[derive(Clone, Debug)]
pub(super) struct Window {
    found: Option<u64>,
    row: WindowRow,
    max: Units,
    window_us: u64,
}

impl Window {
    pub(super) fn find(
        state: &impl Read,
        place: Place<'_>,
        max: Units,
        window: Lifetime,
    ) -> Result<Self, Abort> {
        let window_us = window.as_us();
        let (found, mut row) = match place.find::<Windows>(state)? {
            Some((shelf, row)) => (Some(shelf), row),
            None => (None, WindowRow::default()),
        };
        let number = state.now().as_us() / window_us;
        (row.current, row.previous) = match number - row.number {
            0 => (row.current, row.previous),
            1 => (0, row.current),
            _ => (0, 0),
        };
        row.number = number;
        Ok(Self { found, row, max, window_us })
    }

    /// Of this fixed window, what is left.
    fn left_us(&self, now: LogTime) -> u64 {
        self.window_us - now.as_us() % self.window_us
    }

    pub(super) fn read(&self, now: LogTime, cost: u64) -> Reading {
        let (left_us, window_us) = (self.left_us(now), u128::from(self.window_us));
        let (max, current) = (u128::from(self.max.get()), u128::from(self.row.current));
        let taken = current * window_us + u128::from(self.row.previous) * u128::from(left_us);
        let free = (max * window_us).saturating_sub(taken) / window_us;
        let reset_us = match (self.row.current, self.row.previous) {
            (0, 0) => 0,
            (0, _) => left_us,
            _ => left_us + self.window_us,
        };
        let remaining = u64::try_from(free).expect("at most the quota");
        let room = if cost <= remaining { Room::Now } else { self.room_for(cost, left_us) };
        Reading { remaining, reset_us, room }
    }

    /// When a cost fits that does not now.
    fn room_for(&self, cost: u64, left_us: u64) -> Room {
        let Some(free_later) = self.max.get().checked_sub(cost) else { return Room::Never };
        let (current, previous) = (self.row.current, self.row.previous);
        match free_later.checked_sub(current) {
            // As the last window slides out of sight.
            Some(free) if previous > 0 => Room::In(left_us - shared(free, previous, left_us, self)),
            _ => {
                let visible = shared(free_later, current, self.window_us, self);
                Room::In(left_us + self.window_us - visible)
            }
        }
    }

    pub(super) fn charge(
        &mut self,
        tx: &mut Tx<'_>,
        place: Place<'_>,
        cost: u64,
    ) -> Result<(), Abort> {
        self.row.current += cost;
        place.keep::<Windows>(tx, self.found, &self.row)
    }
}

/// How much of a window of `count` may be in sight, at most `most_us`, so that its share is
/// at most `free`.
fn shared(free: u64, count: u64, most_us: u64, of: &Window) -> u64 {
    let visible = u128::from(free) * u128::from(of.window_us) / u128::from(count.max(1));
    u64::try_from(visible).unwrap_or(u64::MAX).min(most_us)
}
