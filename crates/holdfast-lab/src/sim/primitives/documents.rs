//! Documents as clients write them.
//!
//! Few of them, so that clients come upon one another: written whole, created, compared and
//! set, patched and deleted, with an end of their own or hanging on a session, listed and found
//! by an index. What is compared with is the version that the client heard of last, or one of
//! before.

pub(super) mod naive;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Command, Mind, leases::SESSIONS, one_of, span};
use crate::random::Random;

/// The collection.
pub(super) const COLLECTION: &str = "docs";

/// The index, of [`NUMBER`].
pub(super) const INDEX: &str = "by_n";

/// The member that is indexed.
pub(super) const NUMBER: &str = "n";

const IDS: &[&str] = &["a", "b", "c", "d"];

/// How long documents live.
const SPANS_US: &[u64] = &[30_000, 500_000, 3_000_000];

/// What a client was told of documents: versions by id, as it heard of them.
#[derive(Clone, Debug, Default)]
pub(in crate::sim) struct Memory(BTreeMap<String, Vec<u64>>);

impl Memory {
    pub(super) fn learn(&mut self, command: &Command, body: &Value) {
        if !command.name.starts_with("documents.") {
            return;
        }
        let listed = body["documents"].as_array().into_iter().flatten();
        for document in listed.chain([body]) {
            if let (Some(id), Some(version)) =
                (document["id"].as_str(), document["version"].as_u64())
            {
                self.0.entry(id.to_owned()).or_default().push(version);
            }
        }
    }
}

/// Something to ask of documents.
pub(super) fn draw(random: &mut Random, mind: &Mind) -> Command {
    let id = random.pick(IDS);
    let place = json!({ "collection": COLLECTION, "id": id });
    let version = one_of(random, mind.documents.0.get(id).unwrap_or(&Vec::new()));
    let with = |args: Value, name: &str, value: Value| {
        let mut args = args;
        args[name] = value;
        args
    };
    match random.below(100) {
        0..24 => put(random, place),
        24..36 => put(random, with(place, "if_none_match", json!("*"))),
        36..58 => put(random, with(place, "if_match", json!(version))),
        58..70 => {
            let place =
                if random.percent(50) { with(place, "if_match", json!(version)) } else { place };
            let patch = random.percent(70).then(|| random.below(4));
            let place = with(place, "patch", json!({ NUMBER: patch, "by": mind.who }));
            Command::new("documents.patch", lasting(random, place))
        }
        70..75 => Command::new("documents.delete", place),
        75..79 => Command::new("documents.delete", with(place, "if_match", json!(version))),
        79..84 => Command::new("documents.get", place),
        84..89 => Command::new("documents.list", json!({ "collection": COLLECTION })),
        89..94 => {
            let equals = random.below(4);
            let args = json!({ "collection": COLLECTION, "index": INDEX, "equals": equals });
            Command::new("documents.query", args)
        }
        94..98 => {
            let path = format!("/{NUMBER}");
            let args = json!({ "collection": COLLECTION, "id": INDEX, "path": path });
            Command::new("documents.create_index", args)
        }
        _ => {
            let args = json!({ "collection": COLLECTION, "id": INDEX });
            Command::new("documents.drop_index", args)
        }
    }
}

fn put(random: &mut Random, mut args: Value) -> Command {
    args["value"] = json!({ NUMBER: random.below(4), "is": random.below(1_000) });
    if random.percent(15) {
        args["session"] = json!(random.pick(SESSIONS));
    }
    Command::new("documents.put", lasting(random, args))
}

fn lasting(random: &mut Random, mut args: Value) -> Value {
    if random.percent(30) {
        args["expires_in"] = span(random.pick(SPANS_US));
    }
    args
}
