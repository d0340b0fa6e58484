//! One connection of a gateway: asks for each request whether it may go on.
//!
//! It goes by a timetable that all connections share: bursts on each key, before and behind an
//! edge of a fixed window and when there should be room again. A gateway's own clock, fast or
//! slow, stands in nothing that it asks, unless it counts by itself.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{ASK, LIMIT};
use crate::{
    request::{Answer, Request, operation},
    scenario::Lane,
};

/// A request of the timetable.
#[derive(Clone, Copy, Debug)]
pub(super) struct Planned {
    /// Since all began.
    pub(super) due: Duration,
    /// Whose request it is.
    pub(super) key: u64,
}

/// One connection.
pub(super) struct Gateway {
    pub(super) lane: u64,
    /// How far its clock is ahead of the beginning of all.
    pub(super) ahead: Duration,
    pub(super) window: Duration,
    pub(super) begun: Instant,
    pub(super) planned: VecDeque<Planned>,
    pub(super) requests: u64,
    pub(super) unprotected: bool,
}

impl Lane for Gateway {
    fn next(&mut self, _last: Option<&Answer>) -> Option<Request> {
        let Planned { due, key } = self.planned.pop_front()?;
        let now = self.begun.elapsed();
        let mut descriptors = json!({ "caller": format!("k{key}") });
        if self.unprotected {
            let clock = due.max(now) + self.ahead;
            let window = clock.as_micros() / self.window.as_micros();
            descriptors["window"] = window.to_string().into();
        }
        self.requests += 1;
        let key = format!("g{}-{}", self.lane, self.requests);
        let check = json!({ "id": LIMIT, "descriptors": descriptors });
        let request = Request::write(key, ASK, vec![operation("limits.check", check)]);
        Some(request.held_back(due.saturating_sub(now)))
    }
}
