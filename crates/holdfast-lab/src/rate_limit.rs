//! Rate limits: `max` requests of each key in each window, over many gateways whose clocks are wrong.
//!
//! Each key sees ten times as many requests as it may, one half of them right before the edge of
//! a fixed window and one half right behind it, and some more when there should be room again;
//! from all gateways at once, and with one in ten sent twice. The server counts by log time: no window has
//! more than `max`, wherever it begins, and nothing is denied while there is room ([`windows`]). A
//! repeated request that was counted twice would show as a denial for nothing.
//!
//! Beside them edges give permits of another limit away by themselves, slice by slice, and die now
//! and then: never more than it has, and not much less ([`slices`]).
//!
//! Without protection ([`RateLimit::unprotected`]) gateways count in fixed windows by their own
//! clocks: one counter for each key and number of a window, as an `INCR` of a cache does it. Clocks
//! that differ, and edges, must let through more than `max`, or the experiment shows nothing.

mod edge;
mod gateway;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use holdfast_state::Version;
use serde_json::json;

use self::{
    edge::Edge,
    gateway::{Gateway, Planned},
};
use crate::{
    check::{
        slices::{self, Bound, Edges, Slices},
        windows::{self, Check, Quota, Windows},
    },
    history::{History, Record},
    random::Random,
    request::{Request, operation},
    scenario::{Counts, Lane, Look, Scenario, Wrong, count_of},
};

const LIMIT: &str = "api";
const ASK: &str = "ask";

const SLICE: &str = "slice";

/// The limit that is given away in slices.
const SLICED: &str = "slices";

/// Where edges write down what they gave away.
const EDGES: &str = "edges";

/// How many permits a slice has.
const PERMITS: u64 = 20;

/// How many slices of each edge the limit has room for.
const SLICES: u64 = 6;

/// How far clocks are wrong, at most, in each direction.
const SKEW: Duration = Duration::from_secs(5);

/// Gateways, keys, and how much is allowed.
#[derive(Clone, Copy, Debug)]
pub struct RateLimit {
    /// How many gateways.
    pub gateways: u64,
    /// How many keys.
    pub keys: u64,
    /// How many requests of a key are allowed in a window.
    pub max: u64,
    /// How long a window is.
    pub window: Duration,
    /// At how many edges of windows there are bursts; the keys are shared among them.
    pub edges: u64,
    /// Decides how much of its slices an edge uses.
    pub seed: u64,
    /// Gateways count by themselves.
    pub unprotected: bool,
}

impl RateLimit {
    /// All requests in the order of the timetable: bursts of each key from a quarter of a window before
    /// its edge until a quarter behind it, and a small one around three quarters behind it, when
    /// the first leave the window.
    fn timetable(&self) -> Vec<Planned> {
        let share = |part: u32, of: u32| self.window * part / of;
        let mut planned = Vec::new();
        for key in 0..self.keys {
            let edge = u32::try_from(1 + key % self.edges).expect("edges are few");
            let edge = self.window * edge;
            let in_edge = u32::try_from(key / self.edges).expect("keys are few");
            let keys = u32::try_from(self.keys.div_ceil(self.edges)).expect("keys are few");
            // Each key has its moment in the quarter.
            let moment = share(in_edge, 4 * keys);
            let mut burst = |due: Duration, requests: u64| {
                planned.extend((0..requests).map(|_| Planned { due, key }));
            };
            burst(edge - share(1, 4) + moment, 5 * self.max);
            burst(edge + moment, 5 * self.max);
            for step in 0..2 * u32::try_from(self.max).expect("requests are few") {
                burst(edge + share(7, 10) + moment + share(step, 100), 1);
            }
        }
        planned.sort_by_key(|planned| planned.due);
        planned
    }
}

impl Scenario for RateLimit {
    fn name(&self) -> &str {
        if self.unprotected { "rate-limit, without protection" } else { "rate-limit" }
    }

    fn prepare(&self) -> Vec<Request> {
        let by = if self.unprotected { json!(["caller", "window"]) } else { json!(["caller"]) };
        let window = format!("PT{}S", self.window.as_secs_f64());
        let put = |id: &str, by: serde_json::Value, max: u64| {
            let quota = json!({ "algorithm": "sliding_log", "max": max, "window": window });
            let rules = json!([{ "name": "caller", "by": by, "quota": quota }]);
            operation("limits.put", json!({ "id": id, "rules": rules }))
        };
        let sliced = PERMITS * SLICES * self.gateways;
        let operations = vec![put(LIMIT, by, self.max), put(SLICED, json!(["caller"]), sliced)];
        vec![Request::write("prepare".to_owned(), "prepare", operations)]
    }

    /// So many connections, shared among the gateways; and for each gateway an edge that has a slice.
    fn lanes(&self, count: usize) -> Vec<Box<dyn Lane>> {
        let timetable = self.timetable();
        let begun = Instant::now();
        let lane = |number: usize| -> Box<dyn Lane> {
            let lane = number as u64;
            let gateway = u32::try_from(lane % self.gateways).expect("gateways are few");
            let others = u32::try_from(self.gateways - 1).expect("gateways are few").max(1);
            Box::new(Gateway {
                lane,
                // From five seconds slow to five seconds fast; the slowest has zero.
                ahead: SKEW * 2 * gateway / others,
                window: self.window,
                begun,
                planned: timetable.iter().skip(number).step_by(count).copied().collect(),
                requests: 0,
                unprotected: self.unprotected,
            })
        };
        let until = begun + self.window * (u32::try_from(self.edges).expect("edges are few") + 2);
        let edge = |number: u64| -> Box<dyn Lane> {
            let random = Random::new(self.seed ^ ((number + 1) << 32));
            Box::new(Edge::new(number, (PERMITS, self.window / 2), until, random))
        };
        let edges = if self.unprotected { 0 } else { self.gateways };
        (0..count).map(lane).chain((0..edges).map(edge)).collect()
    }

    fn expected(&self) -> u64 {
        self.keys * self.max * 12
    }

    fn judge(&self, history: &History, _look: &mut dyn Look) -> Result<Counts, Wrong> {
        let max = usize::try_from(self.max).unwrap_or(usize::MAX);
        let mut found = Windows::default();
        for (key, checks) in checks(history) {
            let windows = windows::check(&checks, Quota { max, window: self.window });
            found = found.and(windows.map_err(|wrong| Wrong(format!("{key}: {wrong}")))?);
        }
        if found.reopened == 0 {
            return Wrong::because(
                "no window was seen to have room again: nothing was put to the test",
            );
        }
        let given = self.given(history)?;
        Ok(vec![
            ("gateways".to_owned(), count_of(self.gateways)),
            ("keys".to_owned(), count_of(self.keys)),
            ("allowed".to_owned(), count_of(found.allowed)),
            ("denied".to_owned(), count_of(found.denied)),
            ("allowed when there was room again".to_owned(), count_of(found.reopened)),
            ("given away of slices".to_owned(), count_of(given.given)),
            ("times a slice was empty".to_owned(), count_of(given.empty)),
            ("most missing then".to_owned(), count_of(given.missing)),
            ("that may be missing".to_owned(), count_of(2 * PERMITS * self.gateways)),
        ])
    }
}

impl RateLimit {
    /// What became of slices.
    fn given(&self, history: &History) -> Result<Slices, Wrong> {
        let ttl = self.window / 2;
        let mut edges = Edges::default();
        for record in history.records().iter().filter(|record| record.label == SLICE) {
            let operations = record.operations();
            let (slice, told) = (&operations[0]["args"], operations.get(1));
            if let Some(told) = told.map(|told| &told["args"]["value"]) {
                let ago = told["seconds_ago"].as_f64().map(Duration::from_secs_f64);
                let when = record.sent.saturating_sub(ago.unwrap_or_default());
                edges.given.push((when, told["gave"].as_u64().unwrap_or_default()));
            }
            let is_late = record.tries > 1 || record.answered - record.sent > ttl / 2;
            if is_late || (told.is_some() && slice["used"].is_null()) {
                edges.lost.push(record.sent);
            } else if slice["permits"].is_u64() && record.answer.results()[0]["permits"] == 0 {
                edges.empty.push((record.sent, record.answered));
            }
        }
        let max = usize::try_from(PERMITS * SLICES * self.gateways).unwrap_or(usize::MAX);
        let bound = Bound { edges: self.gateways, permits: PERMITS, ttl };
        let found = slices::check(&edges, Quota { max, window: self.window }, bound);
        let found = found.map_err(|wrong| Wrong(format!("slices: {wrong}")))?;
        if found.empty == 0 {
            return Wrong::because(
                "no edge was told that there are no permits: nothing was put to the test",
            );
        }
        Ok(found)
    }
}

/// What was asked and answered, by key, in the order of versions.
fn checks(history: &History) -> BTreeMap<String, Vec<Check>> {
    let mut checks: BTreeMap<String, Vec<Check>> = BTreeMap::new();
    for record in history.records().iter().filter(|record| record.label == ASK) {
        let key = record.operations()[0]["args"]["descriptors"]["caller"].take();
        let key = key.as_str().expect("requests have a caller").to_owned();
        checks.entry(key).or_default().push(check(record));
    }
    checks
}

fn check(record: &Record) -> Check {
    let answer = record.answer.json();
    let time = answer["time"].as_str().and_then(|time| time.parse::<jiff::Timestamp>().ok());
    let time_us = time.and_then(|time| u64::try_from(time.as_microsecond()).ok());
    Check {
        version: Version::new(record.answer.version),
        time_us: time_us.expect("answers tell the time"),
        sent: record.sent,
        answered: record.answered,
        allowed: answer["results"][0]["outcome"] == "allowed",
    }
}
