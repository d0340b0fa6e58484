//! Leases and sessions as clients ask for them.
//!
//! A client is an owner, and now and then says that it is another. It comes back to ask
//! whether its turn has come, acts under tokens that it has or had, and under some that
//! nobody was given: what it writes into the journal of a lease it writes behind a guard.

pub(super) mod naive;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Command, Mind, one_of, span};
use crate::random::Random;

/// The leases there are.
pub(super) const LEASES: &[&str] = &["a", "b", "c"];

/// The sessions there are.
pub(super) const SESSIONS: &[&str] = &["s", "t"];

/// Where what is done under leases is written down, a document for each lease.
pub(super) const JOURNAL: &str = "journal";

/// How long grants count, sessions are open, and owners wait.
const SPANS_US: &[u64] = &[40_000, 300_000, 1_500_000, 6_000_000];

/// What a client was told of leases.
#[derive(Clone, Debug, Default)]
pub(in crate::sim) struct Memory {
    /// Tokens by lease, in the order in which it heard of them.
    tokens: BTreeMap<String, Vec<u64>>,
    /// Versions of sessions by id.
    sessions: BTreeMap<String, Vec<u64>>,
}

impl Memory {
    pub(super) fn learn(&mut self, command: &Command, body: &Value) {
        let id = body["id"].as_str().unwrap_or_default().to_owned();
        let grants = [body, &body["next"], &body["grant"]];
        if command.name.starts_with("leases.") {
            let tokens = grants.iter().filter_map(|grant| grant["token"].as_u64());
            self.tokens.entry(id).or_default().extend(tokens);
        } else if command.name.starts_with("sessions.") {
            self.sessions.entry(id).or_default().extend(body["version"].as_u64());
        }
    }
}

/// Something to ask of leases.
pub(super) fn draw(random: &mut Random, mind: &Mind) -> Command {
    let id = random.pick(LEASES);
    let (known, none) = (&mind.leases.tokens, Vec::new());
    let token = one_of(random, known.get(id).unwrap_or(&none));
    match random.below(100) {
        0..40 => acquire(random, mind, id),
        40..52 => {
            let ttl = sometimes(random, span);
            Command::new("leases.renew", args(json!({ "id": id, "token": token }), ttl))
        }
        52..62 => Command::new("leases.release", json!({ "id": id, "token": token })),
        62..67 => transfer(random, mind, id, token),
        67..71 => {
            let owner = owner(random, mind);
            Command::new("leases.withdraw", json!({ "id": id, "owner": owner }))
        }
        71..82 => guarded(id, token),
        82..84 => Command::new("leases.guard", json!({ "id": id, "token": token })),
        84..88 => Command::new("leases.get", json!({ "id": id })),
        _ => session(random, mind),
    }
}

/// A write behind a guard.
fn guarded(id: &str, token: u64) -> Command {
    let write = json!({ "collection": JOURNAL, "id": id, "value": { "token": token } });
    Command::composed(&[
        ("leases.guard", json!({ "id": id, "token": token })),
        ("documents.put", write),
    ])
}

/// Mostly itself.
fn owner(random: &mut Random, mind: &Mind) -> String {
    let who = mind.who as u64;
    format!("o{}", if random.percent(90) { who } else { random.below(who + 2) })
}

fn sometimes(random: &mut Random, span: fn(u64) -> Value) -> Option<(&'static str, Value)> {
    random.percent(40).then(|| ("ttl", span(random.pick(SPANS_US))))
}

/// These arguments and some of these.
fn args(mut given: Value, more: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    for (name, value) in more {
        given[name] = value;
    }
    given
}

fn acquire(random: &mut Random, mind: &Mind, id: &str) -> Command {
    let mut given = json!({ "id": id, "owner": owner(random, mind) });
    let hangs = random.percent(30);
    if hangs {
        given["session"] = json!(random.pick(SESSIONS));
    }
    if !hangs || random.percent(40) {
        given["ttl"] = span(random.pick(SPANS_US));
    }
    if random.percent(60) {
        given["wait_for"] = span(random.pick(SPANS_US));
    }
    Command::new("leases.acquire", given)
}

fn transfer(random: &mut Random, mind: &Mind, id: &str, token: u64) -> Command {
    let to = format!("o{}", random.below(mind.who as u64 + 3));
    let mut given = json!({ "id": id, "token": token, "to": to });
    if random.percent(30) {
        given["session"] = json!(random.pick(SESSIONS));
    }
    let ttl = sometimes(random, span);
    Command::new("leases.transfer", args(given, ttl))
}

fn session(random: &mut Random, mind: &Mind) -> Command {
    let id = random.pick(SESSIONS);
    let none = Vec::new();
    let known = mind.leases.sessions.get(id).unwrap_or(&none);
    let mut given = json!({ "id": id });
    let choice = random.below(10);
    if choice < 5 {
        given["ttl"] = span(random.pick(SPANS_US));
        return Command::new("sessions.open", given);
    }
    if random.percent(60) {
        given["version"] = json!(one_of(random, known));
    }
    if choice >= 8 {
        return Command::new("sessions.close", given);
    }
    let ttl = sometimes(random, span);
    Command::new("sessions.renew", args(given, ttl))
}
