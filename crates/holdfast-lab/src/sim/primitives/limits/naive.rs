//! Limits as lists of what was ever accepted, for people to believe, each algorithm by its
//! definition.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    super::expected::{Expected, Moment, id, text, time, us},
    LIMITS, Quota,
    holders::Holders,
};
use crate::sim::trace::Counts;

/// One tenant's counter of one limit.
#[derive(Clone, Debug, Default)]
struct Counter {
    /// What was accepted: when, in microseconds of log time, and how much.
    accepted: Vec<(u64, u64)>,
    slices: Vec<Slice>,
    /// Who is in, where so many may be at one time.
    holders: Holders,
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
            Quota::Concurrency { max, .. } => self.holders.held(now) + cost <= max,
        }
    }

    /// May this holder, if it is one, have so much now? Who is in is in.
    fn lets_in(&self, quota: Quota, now: u64, (cost, holder): (u64, Option<&str>)) -> bool {
        self.holders.has(holder, now) || self.has_room(quota, now, cost)
    }

    fn charge(&mut self, quota: Quota, now: u64, (cost, holder): (u64, Option<&str>)) {
        match (quota, holder) {
            (Quota::Concurrency { ttl, .. }, Some(holder)) => {
                self.holders.enter(holder, now, (cost, now + ttl));
            }
            _ => self.accepted.push((now, cost)),
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
        Quota::Log { max, .. } | Quota::Counter { max, .. } | Quota::Concurrency { max, .. } => max,
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
        match name {
            "limits.slice" => self.slice(at, counters, args),
            "limits.release" | "limits.renew" => self.held(at, counters, (name, args)),
            _ => self.ask(at, counters, (name, args)),
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
        let (cost, holder) = (args["cost"].as_u64().unwrap_or(1), args["holder"].as_str());
        let limit = counters.0.clone();
        let counters = self.counters.entry(counters).or_default();
        counters.resize_with(quotas.len(), Counter::default);
        let each = || counters.iter().zip(quotas);
        let lets_in =
            |(counter, quota): (&Counter, &Quota)| counter.lets_in(*quota, now, (cost, holder));
        let allowed = each().all(lets_in);
        if name != "limits.status" {
            if holder.is_none() && quotas.iter().any(|quota| quota.is_held()) {
                return Expected::Refused(
                    "holder_required",
                    json!({ "limit": limit, "rule": "a" }),
                );
            }
            let never = |(counter, quota): (&Counter, &Quota)| {
                cost > at_once(*quota) && !lets_in((counter, quota))
            };
            if each().any(never) {
                let facts = json!({ "limit": limit, "cost": cost });
                return Expected::Refused("cost_above_quota", facts);
            }
            if allowed && args["dry_run"] != true {
                let each = counters.iter_mut().zip(quotas);
                each.for_each(|(counter, quota)| counter.charge(*quota, now, (cost, holder)));
            }
        }
        let each = counters.iter().zip(quotas);
        let remaining =
            each.map(|(counter, quota)| json!({ "remaining": counter.remaining(*quota, now) }));
        let rules: Vec<_> = remaining.collect();
        self.answered(allowed, name, (json!({ "limit": limit, "cost": cost }), rules))
    }

    /// What is said of a request that may go on, or not.
    fn answered(
        &mut self,
        allowed: bool,
        name: &str,
        (facts, rules): (Value, Vec<Value>),
    ) -> Expected {
        if name == "limits.status" {
            return Expected::Done(json!({ "allowed": allowed, "rules": rules }));
        }
        self.count(if allowed { "limits: allowed" } else { "limits: denied" });
        let outcome = match (name, allowed) {
            ("limits.check", true) => "allowed",
            ("limits.check", false) => "denied",
            (_, true) => "taken",
            (_, false) => return Expected::Refused("limit_exceeded", facts),
        };
        Expected::Done(json!({ "outcome": outcome, "rules": rules }))
    }

    /// A holder gives back what it has under all rules, or has it for its whole time again.
    fn held(
        &mut self,
        at: Moment,
        counters: (String, String),
        (name, args): (&str, &Value),
    ) -> Expected {
        let (quotas, now) = (quotas_of(&counters.0), at.time.as_us());
        let (limit, holder) = (counters.0.clone(), id(args, "holder"));
        let counters = self.counters.entry(counters).or_default();
        counters.resize_with(quotas.len(), Counter::default);
        let (mut released, mut renewed) = (Vec::new(), Vec::new());
        for (rule, (counter, quota)) in ('a'..).zip(counters.iter_mut().zip(quotas)) {
            let Quota::Concurrency { ttl, .. } = *quota else { continue };
            let until = at.after(ttl);
            if name == "limits.release" {
                released.extend(counter.holders.release(&holder, now).then(|| json!(rule)));
            } else if counter.holders.renew(&holder, now, until.as_us()) {
                renewed.push(json!({ "rule": rule, "expires_at": time(until) }));
            }
        }
        if released.is_empty() && renewed.is_empty() {
            self.count("limits: holders that were not in");
            let facts = json!({ "limit": limit, "holder": holder });
            return Expected::Refused("holder_not_found", facts);
        }
        if name == "limits.release" {
            self.count("limits: holders that gave back");
            return Expected::Done(json!({ "outcome": "released", "rules": released }));
        }
        self.count("limits: holders that stayed");
        Expected::Done(json!({ "outcome": "renewed", "rules": renewed }))
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
        let counter = Counter { accepted: vec![(100, 1), (104, 1)], ..Counter::default() };
        assert!(!counter.has_room(log, 109, 1) && counter.has_room(log, 110, 1));
        assert_eq!((counter.remaining(log, 113), counter.remaining(log, 114)), (1, 2));
        assert!(!counter.has_room(bucket, 104, 1) && counter.has_room(bucket, 105, 1));
        let slice = Slice { of: None, permits: 2, until: 104 };
        let held = Counter { slices: vec![slice], ..Counter::default() };
        assert!(!held.has_room(log, 113, 1) && held.has_room(log, 114, 2));
        assert_eq!(at_once(Quota::Gcra { max: 9, window: 1, burst: 3 }), 3);
    }
}
