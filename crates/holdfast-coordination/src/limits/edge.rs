//! An edge's end of a slice: permits given away without asking anybody.
//!
//! No clock, no IO: who has it says what time it is, by a monotonic clock of its own, and
//! carries requests and answers. From the moment at which the request for a slice was
//! *sent* permits are given away for seven eighths of its `ttl`: log time runs at most a
//! tenth faster than real time, so the server, which counts from when it granted them,
//! believes them usable for longer than they are.
//!
//! Left to whoever has it: a lock, where threads share it, and asking for the next slice
//! in time.

/// What an edge has of a slice.
///
/// ```
/// use holdfast_coordination::limits::edge::{EdgeSlice, Take};
///
/// let mut slice = EdgeSlice::default();
/// assert_eq!((slice.take(1, 0), slice.give_back()), (Take::Ask, None));
/// // The answer to a request that was sent at 0 µs: ten permits for a second.
/// slice.granted(10, 0, 1_000_000);
/// assert_eq!(slice.take(3, 500_000), Take::Allowed);
/// assert_eq!(slice.take(8, 500_000), Take::Ask);
/// // Three of them are told to the server with the next request.
/// assert_eq!(slice.give_back(), Some(3));
/// assert_eq!(slice.take(1, 500_000), Take::Ask);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EdgeSlice {
    /// What is left; `left <= permits`.
    left: u64,
    /// What it was; `None` before the first one: a process that began anew does not know
    /// what it used in its former life.
    permits: Option<u64>,
    /// From when on nothing is given away.
    until_us: u64,
}

/// What is to be done with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    /// It is allowed, and was counted.
    Allowed,
    /// There are not as many permits, or their time is over: ask the server for it, or for
    /// another slice.
    Ask,
}

impl EdgeSlice {
    /// Takes permits, at this time.
    pub const fn take(&mut self, cost: u64, now_us: u64) -> Take {
        if now_us >= self.until_us || cost > self.left {
            return Take::Ask;
        }
        self.left -= cost;
        Take::Allowed
    }

    /// Stops giving permits away, and says how many were: `used` of the next request, and
    /// of that request sent again. `None` when it does not know.
    pub fn give_back(&mut self) -> Option<u64> {
        self.until_us = 0;
        self.permits.map(|permits| permits - self.left)
    }

    /// So many permits were granted for `ttl_us` in answer to the latest request, which was
    /// sent at `sent_us`. Answers to earlier ones must be ignored.
    pub const fn granted(&mut self, permits: u64, sent_us: u64, ttl_us: u64) {
        let until_us = sent_us.saturating_add(ttl_us / 8 * 7);
        *self = Self { left: permits, permits: Some(permits), until_us };
    }
}
