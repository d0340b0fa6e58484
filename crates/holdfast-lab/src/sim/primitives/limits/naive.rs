//! Limits as lists of what was ever accepted, for people to believe, each algorithm by its
//! definition.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    super::expected::{Expected, Moment, id, text, time, us},
    LIMITS, Quota,
};
use crate::sim::trace::Counts;

/// One tenant's counter of one limit.
#[derive(Clone, Debug, Default)]
struct Counter {
    /// What was accepted: when, in microseconds of log time, and how much.
    accepted: Vec<(u64, u64)>,
    slices: Vec<Slice>,
}

/// Permits that a gateway holds, or did and still count.
#[derive(Clone, Debug)]
struct Slice {
    /// Whose; a slice that was settled after its end is nobody's.
    of: Option<String>,
    permits: u64,
    until: u64,
}

/// All limits.
#[derive(Clone, Debug, Default)]
pub(in crate::sim::primitives) struct Limits {
    there: BTreeSet<String>,
    /// By limit and tenant, one for each rule.
    counters: BTreeMap<(String, String), Vec<Counter>>,
    pub(in crate::sim::primitives) counts: Counts,
}

impl Counter {
    /// Is there room for this cost now?
    fn has_room(&self, quota: Quota, now: u64, cost: u64) -> bool {
        let sum = |counts: &dyn Fn(u64) -> bool| -> u64 {
            self.accepted.iter().filter(|(at, _)| counts(*at)).map(|(_, cost)| cost).sum()
        };
        match quota {
            Quota::Log { max, window } => {
                let held = self.slices.iter().filter(|slice| slice.until + window > now);
                let held: u64 = held.map(|slice| slice.permits).sum();
                sum(&|at| at + window > now) + held + cost <= max
            }
            Quota::Counter { max, window } => {
                let number = now / window;
                let last = sum(&|at| at / window + 1 == number);
                let this = sum(&|at| at / window == number) + cost;
                last * (window - now % window) + this * window <= max * window
            }
            Quota::Bucket { capacity, refill, every } => {
                self.conforms((capacity, refill, every), now, cost)
            }
            Quota::Gcra { max, window, burst } => self.conforms((burst, max, window), now, cost),
        }
    }

    /// From each time that something was accepted until now came at most a burst and what the
    /// rate gave since.
    fn conforms(&self, (burst, rate, period): (u64, u64, u64), now: u64, cost: u64) -> bool {
        let fits = |since: u64, at: u64| since * period <= burst * period + rate * (now - at);
        let mut since = cost;
        fits(since, now)
            && self.accepted.iter().rev().all(|(at, cost)| {
                since += cost;
                fits(since, *at)
            })
    }

    /// The largest cost that there is room for.
    fn remaining(&self, quota: Quota, now: u64) -> u64 {
        let fits = |cost: &u64| self.has_room(quota, now, *cost);
        (0..=at_once(quota)).rev().find(fits).unwrap_or(0)
    }
}

/// The largest cost that is ever allowed.
const fn at_once(quota: Quota) -> u64 {
    match quota {
        Quota::Log { max, .. } | Quota::Counter { max, .. } => max,
        Quota::Bucket { capacity, .. } => capacity,
        Quota::Gcra { burst, .. } => burst,
    }
}

fn quotas_of(limit: &str) -> &'static [Quota] {
    let found = LIMITS.iter().find(|(id, _)| *id == limit);
    found.expect("nobody asks others").1
}

impl Limits {
    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_insert(0) += 1;
    }

    /// What a command comes to.
    pub(in crate::sim::primitives) fn take(
        &mut self,
        at: Moment,
        (name, args): (&str, &Value),
    ) -> Expected {
        let limit = id(args, "id");
        if name == "limits.put" {
            let outcome = if self.there.insert(limit) { "created" } else { "replaced" };
            return Expected::Done(json!({ "outcome": outcome, "version": at.version }));
        }
        if !self.there.contains(&limit) {
            return Expected::Refused("limit_not_found", json!({ "limit": limit }));
        }
        let tenant = args["descriptors"]["tenant"].as_str().expect("it is described");
        let counters = (limit, tenant.to_owned());
        if name == "limits.slice" {
            self.slice(at, counters, args)
        } else {
            self.ask(at, counters, (name, args))
        }
    }

    /// All rules have room and are charged, or none is.
    fn ask(
        &mut self,
        at: Moment,
        counters: (String, String),
        (name, args): (&str, &Value),
    ) -> Expected {
        let (quotas, now) = (quotas_of(&counters.0), at.time.as_us());
        let cost = args["cost"].as_u64().unwrap_or(1);
        let limit = counters.0.clone();
        let counters = self.counters.entry(counters).or_default();
        counters.resize_with(quotas.len(), Counter::default);
        let mut each = counters.iter().zip(quotas);
        let allowed = each.all(|(counter, quota)| counter.has_room(*quota, now, cost));
        let too_much = quotas.iter().any(|quota| cost > at_once(*quota));
        if name != "limits.status" && too_much {
            return Expected::Refused("cost_above_quota", json!({ "limit": limit, "cost": cost }));
        }
        if allowed && args["dry_run"] != true && name != "limits.status" {
            counters.iter_mut().for_each(|counter| counter.accepted.push((now, cost)));
        }
        let remaining = counters
            .iter()
            .zip(quotas)
            .map(|(counter, quota)| json!({ "remaining": counter.remaining(*quota, now) }));
        let rules: Vec<_> = remaining.collect();
        if name == "limits.status" {
            return Expected::Done(json!({ "allowed": allowed, "rules": rules }));
        }
        self.count(if allowed { "limits: allowed" } else { "limits: denied" });
        match (name, allowed) {
            ("limits.check", _) => {
                let outcome = if allowed { "allowed" } else { "denied" };
                Expected::Done(json!({ "outcome": outcome, "rules": rules }))
            }
            (_, true) => Expected::Done(json!({ "outcome": "taken", "rules": rules })),
            (_, false) => {
                Expected::Refused("limit_exceeded", json!({ "limit": limit, "cost": cost }))
            }
        }
    }

    /// What is held under this name is held no more, and what was used of it counts from now;
    /// or, where it had ended, from its end.
    fn slice(&mut self, at: Moment, counters: (String, String), args: &Value) -> Expected {
        let (quota, now) = (quotas_of(&counters.0)[0], at.time.as_us());
        let Quota::Log { window, .. } = quota else { unreachable!("slices are of logs") };
        let name = text(args, "slice");
        let counters = self.counters.entry(counters).or_default();
        counters.resize_with(1, Counter::default);
        let counts = &mut counters[0];
        counts.slices.retain(|slice| slice.until + window > now);
        if let Some(held) = counts.slices.iter().position(|slice| slice.of == name) {
            let held = counts.slices.swap_remove(held);
            let used = args["used"].as_u64().unwrap_or(held.permits).min(held.permits);
            if held.until > now {
                counts.accepted.push((now, used));
            } else {
                counts.slices.push(Slice { of: None, permits: used, ..held });
            }
        }
        let asked = args["permits"].as_u64().unwrap_or(0);
        let permits = asked.min(counts.remaining(quota, now));
        let until = at.after(us(args, "ttl").expect("slices end"));
        counts.slices.push(Slice {
            of: name.filter(|_| permits > 0),
            permits,
            until: until.as_us(),
        });
        let granted = permits > 0;
        if granted {
            self.count("limits: slices");
        }
        Expected::Done(json!({
            "outcome": if granted { "granted" } else { "empty" },
            "permits": permits,
            "expires_at": granted.then(|| time(until)),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_as_old_as_the_window_counts_no_more_and_a_bucket_fills_evenly() {
        let log = Quota::Log { max: 2, window: 10 };
        let bucket = Quota::Bucket { capacity: 2, refill: 1, every: 5 };
        let counter = Counter { accepted: vec![(100, 1), (104, 1)], slices: Vec::new() };
        assert!(!counter.has_room(log, 109, 1) && counter.has_room(log, 110, 1));
        assert_eq!((counter.remaining(log, 113), counter.remaining(log, 114)), (1, 2));
        assert!(!counter.has_room(bucket, 104, 1) && counter.has_room(bucket, 105, 1));
        let slice = Slice { of: None, permits: 2, until: 104 };
        let held = Counter { accepted: Vec::new(), slices: vec![slice] };
        assert!(!held.has_room(log, 113, 1) && held.has_room(log, 114, 2));
        assert_eq!(at_once(Quota::Gcra { max: 9, window: 1, burst: 3 }), 3);
    }
}
