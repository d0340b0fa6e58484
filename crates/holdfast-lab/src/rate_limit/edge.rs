//! An edge that gives permits of its slice away by itself, and asks only for the next slice.
//!
//! Of what it holds it gives some away at once, perhaps all. Now and then it dies and does not
//! know what it gave away. With each request it writes down, for the judge, what it gave away
//! since the last, and how long ago.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{EDGES, SLICE, SLICED};
use crate::{
    random::Random,
    request::{Answer, Request, operation},
    scenario::Lane,
};

/// Of a hundred requests, before how many the edge dies.
const DIES_PERCENT: u64 = 2;

/// The longest rest between two slices, in milliseconds.
const RESTS_MS: u64 = 20;

/// One edge.
pub(super) struct Edge {
    number: u64,
    permits: u64,
    ttl: Duration,
    until: Instant,
    random: Random,
    requests: u64,
    asked: Option<Instant>,
    /// What it gave away since its last request, and when.
    gave: Option<(u64, Instant)>,
}

impl Edge {
    pub(super) fn new(
        number: u64,
        (permits, ttl): (u64, Duration),
        until: Instant,
        random: Random,
    ) -> Self {
        Self { number, permits, ttl, until, random, requests: 0, asked: None, gave: None }
    }

    /// What it has it may give away for seven eighths of the time, counted from when it asked.
    fn give_away(&mut self, asked: Instant, answer: &Answer) {
        let held = answer.results()[0]["permits"].as_u64().unwrap_or(0);
        let now = Instant::now();
        let gave = if now < asked + self.ttl / 8 * 7 {
            // Mostly all: there is more to do than it may.
            if self.random.percent(80) { held } else { self.random.below(held + 1) }
        } else {
            0
        };
        self.gave = Some((gave, now));
    }
}

impl Lane for Edge {
    fn next(&mut self, last: Option<&Answer>) -> Option<Request> {
        if let Some((asked, answer)) = self.asked.take().zip(last) {
            self.give_away(asked, answer);
        }
        let now = Instant::now();
        let is_last = now >= self.until;
        if is_last && self.gave.is_none() {
            return None;
        }
        let ttl = format!("PT{}S", self.ttl.as_secs_f64());
        let name = format!("e{}", self.number);
        let mut slice = json!({
            "id": SLICED, "slice": name, "descriptors": { "caller": "all" }, "ttl": ttl
        });
        // It rests with what it has left, and asks then.
        let rests = Duration::from_millis(self.random.below(RESTS_MS));
        let mut operations = Vec::new();
        if let Some((gave, when)) = self.gave.take() {
            if !self.random.percent(DIES_PERCENT) {
                slice["used"] = gave.into();
            }
            let ago = (now - when + rests).as_secs_f64();
            let value = json!({ "gave": gave, "seconds_ago": ago });
            operations.push(operation(
                "documents.put",
                json!({ "collection": EDGES, "id": name, "value": value }),
            ));
        }
        if !is_last {
            slice["permits"] = self.permits.into();
            self.asked = Some(now + rests);
        }
        operations.insert(0, operation("limits.slice", slice));
        self.requests += 1;
        let key = format!("{name}-{}", self.requests);
        Some(Request::write(key, SLICE, operations).held_back(rests))
    }
}
