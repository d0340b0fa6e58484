//! Limits as gateways ask them.
//!
//! One limit for each algorithm and one with two rules, with short windows and small quotas, so
//! that they are full most of the time; a few tenants, whose requests cost one or more. Some gateways take
//! slices, tell what they used of them, rightly or not, or say nothing as one that began anew. What
//! is held of a limit of concurrency is given back, prolonged or forgotten, now and then by another.

mod holders;
pub(super) mod naive;

use serde_json::{Value, json};

use super::{Command, Mind, documents::COLLECTION, span};
use crate::random::Random;

/// How a limit counts; times in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quota {
    Log { max: u64, window: u64 },
    Counter { max: u64, window: u64 },
    Bucket { capacity: u64, refill: u64, every: u64 },
    Gcra { max: u64, window: u64, burst: u64 },
    Concurrency { max: u64, ttl: u64 },
}

/// The limits there are, with the quotas of their rules.
pub(super) const LIMITS: &[(&str, &[Quota])] = &[
    ("log", &[Quota::Log { max: 5, window: 700_000 }]),
    ("edges", &[Quota::Log { max: 12, window: 400_000 }]),
    ("counter", &[Quota::Counter { max: 6, window: 500_000 }]),
    ("bucket", &[Quota::Bucket { capacity: 4, refill: 2, every: 300_000 }]),
    ("gcra", &[Quota::Gcra { max: 6, window: 600_000, burst: 3 }]),
    (
        "both",
        &[
            Quota::Log { max: 3, window: 200_000 },
            Quota::Bucket { capacity: 6, refill: 6, every: 900_000 },
        ],
    ),
    ("seats", &[Quota::Concurrency { max: 3, ttl: 350_000 }]),
    (
        "gate",
        &[Quota::Concurrency { max: 4, ttl: 900_000 }, Quota::Log { max: 6, window: 300_000 }],
    ),
];

const TENANTS: &[&str] = &["x", "y"];

/// The limit of which slices are taken.
const SLICED: &str = "edges";

impl Quota {
    /// Is it of what is held, by somebody with a name?
    const fn is_held(self) -> bool {
        matches!(self, Self::Concurrency { .. })
    }

    fn json(self) -> Value {
        match self {
            Self::Log { max, window } => {
                json!({ "algorithm": "sliding_log", "max": max, "window": span(window) })
            }
            Self::Counter { max, window } => {
                json!({ "algorithm": "sliding_counter", "max": max, "window": span(window) })
            }
            Self::Bucket { capacity, refill, every } => json!({
                "algorithm": "token_bucket",
                "capacity": capacity, "refill": refill, "every": span(every),
            }),
            Self::Gcra { max, window, burst } => {
                json!({ "algorithm": "gcra", "max": max, "window": span(window), "burst": burst })
            }
            Self::Concurrency { max, ttl } => {
                json!({ "algorithm": "concurrency", "max": max, "ttl": span(ttl) })
            }
        }
    }
}

/// Something to ask of limits.
pub(super) fn draw(random: &mut Random, mind: &Mind) -> Command {
    let (id, quotas) = random.pick(LIMITS);
    let mut args = json!({ "id": id, "descriptors": { "tenant": random.pick(TENANTS) } });
    let choice = random.below(100);
    if choice < 12 {
        let rule = |(name, quota): (char, &Quota)| json!({ "name": name, "by": ["tenant"], "quota": quota.json() });
        let rules: Vec<_> = ('a'..).zip(quotas).map(rule).collect();
        return Command::new("limits.put", json!({ "id": id, "rules": rules }));
    }
    if choice < 28 {
        return slice(random, mind, args);
    }
    if random.percent(30) {
        args["cost"] = json!(1 + random.below(4));
    }
    if choice < 34 {
        return Command::new("limits.status", args);
    }
    if quotas.iter().any(|quota| quota.is_held()) {
        if random.percent(40) {
            return given_back(random, mind, args);
        }
        if random.percent(95) {
            args["holder"] = json!(holder(random, mind));
        }
    }
    match choice {
        34..46 => Command::new("limits.take", args),
        46..52 => {
            let place = json!({ "collection": COLLECTION, "id": "a", "value": { "of": mind.who } });
            Command::composed(&[("limits.take", args), ("documents.put", place)])
        }
        _ => {
            if random.percent(5) {
                args["dry_run"] = json!(true);
            }
            Command::new("limits.check", args)
        }
    }
}

/// A client has two names to hold something under, and now and then takes another's.
fn holder(random: &mut Random, mind: &Mind) -> String {
    let who = if random.percent(85) { mind.who as u64 } else { random.below(4) };
    format!("h{who}{}", random.pick(&["a", "b"]))
}

/// A holder gives back what it has, or has its whole time again.
fn given_back(random: &mut Random, mind: &Mind, mut args: Value) -> Command {
    args.as_object_mut().expect("arguments").remove("cost");
    args["holder"] = json!(holder(random, mind));
    let name = if random.percent(60) { "limits.release" } else { "limits.renew" };
    Command::new(name, args)
}

/// A gateway's slice; one in five times it is another's.
fn slice(random: &mut Random, mind: &Mind, mut args: Value) -> Command {
    let who = if random.percent(80) { mind.who as u64 } else { random.below(3) };
    args["id"] = json!(SLICED);
    // A slice stands for one tenant, as its name says.
    let tenant = args["descriptors"]["tenant"].as_str().unwrap_or_default();
    args["slice"] = json!(format!("g{who}{tenant}"));
    args["ttl"] = span(random.pick(&[50_000, 200_000, 600_000]));
    if random.percent(85) {
        args["permits"] = json!(1 + random.below(5));
    }
    if random.percent(75) {
        args["used"] = json!(random.below(6));
    }
    Command::new("limits.slice", args)
}
