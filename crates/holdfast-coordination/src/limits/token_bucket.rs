//! The token bucket: it fills evenly up to its capacity, and a cost takes tokens out.
//!
//! Reckoned exactly: a token is `every` parts, of which `refill` come each microsecond.

use holdfast_state::{Abort, LogTime, Read, Tx, unknown::Unknown};

use super::{
    reading::{Reading, Room},
    row::{BucketRow, Buckets},
    shelf::Place,
};

/// What a bucket is like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) capacity: u64,
    pub(super) refill: u64,
    pub(super) every_us: u64,
}

/// A token bucket, as it is now.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    found: Option<u64>,
    unknown: Unknown,
    /// What is in it, in parts.
    level: u128,
    shape: Shape,
}

impl Shape {
    fn parts(self, tokens: u64) -> u128 {
        u128::from(tokens) * u128::from(self.every_us)
    }

    /// The time in which so many parts come, rounded up.
    fn time_of(self, parts: u128) -> u64 {
        u64::try_from(parts.div_ceil(u128::from(self.refill))).expect("ten years at most")
    }

    /// What is in a bucket now of which this is known.
    fn level(self, row: &BucketRow, now: LogTime) -> u128 {
        let then = self.parts(row.tokens) + u128::from(row.part);
        let since = u128::from(now.since_us(row.at)) * u128::from(self.refill);
        (then + since).min(self.parts(self.capacity))
    }
}

impl Bucket {
    pub(super) fn find(state: &impl Read, place: Place<'_>, shape: Shape) -> Result<Self, Abort> {
        Ok(match place.find::<Buckets>(state)? {
            Some((shelf, row)) => {
                let level = shape.level(&row, state.now());
                Self { found: Some(shelf), unknown: row.unknown, level, shape }
            }
            None => {
                let level = shape.parts(shape.capacity);
                Self { found: None, unknown: Unknown::default(), level, shape }
            }
        })
    }

    pub(super) fn read(&self, cost: u64) -> Reading {
        let shape = self.shape;
        let whole = self.level / u128::from(shape.every_us);
        let wanted = shape.parts(cost);
        let room = if wanted <= self.level {
            Room::Now
        } else if cost > shape.capacity {
            Room::Never
        } else {
            Room::In(shape.time_of(wanted - self.level))
        };
        Reading {
            remaining: u64::try_from(whole).expect("at most its capacity"),
            reset_us: shape.time_of(shape.parts(shape.capacity) - self.level),
            room,
        }
    }

    pub(super) fn charge(
        &mut self,
        tx: &mut Tx<'_>,
        place: Place<'_>,
        cost: u64,
    ) -> Result<(), Abort> {
        self.level -= self.shape.parts(cost);
        let every = u128::from(self.shape.every_us);
        let row = BucketRow {
            tokens: u64::try_from(self.level / every).expect("at most its capacity"),
            part: u64::try_from(self.level % every).expect("less than its divisor"),
            at: tx.now(),
            unknown: self.unknown.clone(),
        };
        place.keep::<Buckets>(tx, self.found, &row)
    }
}
