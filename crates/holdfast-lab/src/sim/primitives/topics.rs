//! Topics, groups of consumers and queues as clients use them.
//!
//! One topic with a few partitions, a group and a queue upon it. Producers append with ids of
//! their own, and again with the same id, in the same words or in others. Members join,
//! commit, leave, and commit in generations that are over; consumers receive, acknowledge,
//! keep and give back, by receipts that they have, had, or that were another's.

mod group;
pub(super) mod naive;
mod queue;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Command, Mind, one_of, span};
use crate::random::Random;

/// The topic.
const TOPIC: &str = "t";

/// How many partitions it has.
const PARTITIONS: u64 = 3;

/// The group of consumers.
const GROUP: &str = "g";

/// The queue.
const QUEUE: &str = "q";

/// How often it gives a message out.
const DELIVERIES_MAX: u64 = 3;

/// How long messages are out, and members stay.
const SPANS_US: &[u64] = &[40_000, 250_000, 1_500_000];

/// What a client was told of topics.
#[derive(Clone, Debug, Default)]
pub(in crate::sim) struct Memory {
    /// Ids that it has given, or seen.
    ids: Vec<String>,
    generations: Vec<u64>,
    /// The partitions it was given with the newest of them, and where to go on.
    places: Vec<(u64, u64)>,
    receipts: Vec<String>,
}

impl Memory {
    pub(super) fn learn(&mut self, command: &Command, body: &Value) {
        let list = |name: &str| body[name].as_array().cloned().unwrap_or_default();
        let texts = |name: &str| {
            let texts = list("messages")
                .into_iter()
                .filter_map(|message| message[name].as_str().map(str::to_owned));
            texts.collect::<Vec<_>>()
        };
        match command.name {
            "topics.append" => self.ids.extend(body["id"].as_str().map(str::to_owned)),
            "topics.read" => self.ids.extend(texts("id")),
            "queues.receive" => self.receipts.extend(texts("receipt")),
            "groups.join" => {
                self.generations.extend(body["generation"].as_u64());
                let place =
                    |place: &Value| Some((place["partition"].as_u64()?, place["offset"].as_u64()?));
                self.places = list("partitions").iter().filter_map(place).collect();
            }
            _ => {}
        }
    }
}

/// Something to ask of topics.
pub(super) fn draw(random: &mut Random, mind: &Mind) -> Command {
    match random.below(100) {
        0..6 => Command::new("topics.create", json!({ "id": TOPIC, "partitions": PARTITIONS })),
        6..10 => {
            let args = json!({
                "topic": TOPIC, "id": QUEUE, "max_deliveries": DELIVERIES_MAX,
                "visibility": span(300_000),
            });
            Command::new("queues.create", args)
        }
        10..34 => append(random, mind),
        34..40 => {
            let (partition, after) = (random.below(PARTITIONS), random.below(12));
            let args = json!({ "topic": TOPIC, "partition": partition, "after": after });
            Command::new("topics.read", args)
        }
        40..62 => of_group(random, mind),
        _ => of_queue(random, mind),
    }
}

fn append(random: &mut Random, mind: &Mind) -> Command {
    let mut args = json!({ "topic": TOPIC, "type": "said", "data": random.below(2) });
    if random.percent(60) {
        args["key"] = json!(format!("k{}", random.below(4)));
    }
    let (known, fresh) = (&mind.topics.ids, format!("m{}-{}", mind.who, random.below(1_000_000)));
    match random.below(10) {
        0..3 => {}
        3..5 if !known.is_empty() => {
            let at = usize::try_from(random.below(known.len() as u64)).expect("an index");
            args["id"] = json!(known[at]);
        }
        // Two clients may come upon one id.
        5 => args["id"] = json!(format!("m{}", random.below(20))),
        _ => args["id"] = json!(fresh),
    }
    Command::new("topics.append", args)
}

fn of_group(random: &mut Random, mind: &Mind) -> Command {
    let who = if random.percent(90) { mind.who as u64 } else { random.below(4) };
    let mut args = json!({ "topic": TOPIC, "group": GROUP, "member": format!("m{who}") });
    match random.below(20) {
        0..8 => {
            args["ttl"] = span(random.pick(SPANS_US));
            Command::new("groups.join", args)
        }
        8..16 => {
            let known = &mind.topics;
            args["generation"] = json!(one_of(random, &known.generations));
            let places = if known.places.is_empty() || random.percent(10) {
                vec![(random.below(PARTITIONS), 0)]
            } else {
                known.places.clone()
            };
            let ahead = random.below(4);
            let place =
                |(partition, offset)| json!({ "partition": partition, "offset": offset + ahead });
            args["offsets"] = places.into_iter().map(place).collect();
            Command::new("groups.commit", args)
        }
        16..18 => Command::new("groups.leave", args),
        _ => Command::new("groups.get", json!({ "topic": TOPIC, "group": GROUP })),
    }
}

fn of_queue(random: &mut Random, mind: &Mind) -> Command {
    let mut args = json!({ "topic": TOPIC, "queue": QUEUE });
    let known = &mind.topics.receipts;
    let choice = random.below(40);
    if choice < 16 || (choice < 34 && known.is_empty()) {
        args["limit"] = json!(1 + random.below(5));
        if random.percent(60) {
            args["visibility"] = span(random.pick(SPANS_US));
        }
        return Command::new("queues.receive", args);
    }
    if choice >= 34 {
        return match choice {
            34..37 => {
                args["limit"] = json!(1 + random.below(3));
                Command::new("queues.redrive", args)
            }
            37 => Command::new("queues.dead_letters", args),
            _ => Command::new("queues.get", args),
        };
    }
    args["receipts"] = json!(receipts(random, known));
    match choice {
        16..25 => Command::new("queues.ack", args),
        25..28 => {
            args["visibility"] = span(random.pick(SPANS_US));
            Command::new("queues.extend", args)
        }
        28..32 => {
            if random.percent(50) {
                args["delay"] = span(random.pick(SPANS_US));
            }
            Command::new("queues.nack", args)
        }
        _ => Command::new("queues.reject", args),
    }
}

/// Some of the receipts that a client was given, mostly of the newest.
fn receipts(random: &mut Random, known: &[String]) -> BTreeSet<String> {
    let all = known.len() as u64;
    let reach = if random.percent(75) { all.min(4) } else { all };
    let mut some = BTreeSet::new();
    for _ in 0..=random.below(3) {
        let back = usize::try_from(random.below(reach)).expect("an index");
        some.insert(known[known.len() - 1 - back].clone());
    }
    some
}
