//! Topics, groups of consumers and queues as clients use them.
//!
//! One topic with a few partitions, a group and a queue upon it. Producers append with ids of
//! their own, one by one and in batches, and again with the same id, in the same words or in
//! others. Members join, commit, leave, and commit in generations that are over; consumers
//! receive, acknowledge, keep and give back, by receipts that they have, had, or that were
//! another's. Now and then somebody changes how long messages are kept, or deletes any of it.
//! In some runs there is another topic, of batches so large that retention by size has
//! something to remove.

mod batch;
mod consumers;
mod group;
mod letters;
pub(super) mod naive;
mod partition;
mod queue;
mod retention;
mod topic;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Command, Mind, span};
use crate::random::Random;

/// The topic.
const TOPIC: &str = "t";

/// How many partitions it has.
const PARTITIONS: u64 = 3;

/// The topic of large batches, which has one.
const LARGE: &str = "large";

/// A client that was told of so many large batches appends no more: a few are more than the topic
/// keeps, and every node, the log and each snapshot holds them.
const LARGE_MAX: u64 = 8;

/// The group of consumers.
const GROUP: &str = "g";

/// The queue.
const QUEUE: &str = "q";

/// How often it gives a message out.
const DELIVERIES_MAX: u64 = 3;

/// How long messages are out, and members stay.
const SPANS_US: &[u64] = &[40_000, 250_000, 1_500_000];

/// How old messages may become.
const AGES_US: &[u64] = &[300_000, 1_500_000, 5_000_000];

/// What a client was told of topics.
#[derive(Clone, Debug, Default)]
pub(in crate::sim) struct Memory {
    /// Ids that it has given, or seen.
    ids: Vec<String>,
    generations: Vec<u64>,
    /// The partitions it was given with the newest of them, and where to go on.
    places: Vec<(u64, u64)>,
    receipts: Vec<String>,
    /// The batches that it appended.
    batches: Vec<Vec<Value>>,
    /// How many large batches it appended.
    large: u64,
    /// Names of dead letters, as they were last listed.
    letters: Vec<String>,
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
            "topics.append_batch" if command.args["topic"] == TOPIC => {
                let messages = &command.args["messages"];
                self.ids.extend(ids_of(messages));
                self.batches.extend(messages.as_array().cloned());
            }
            "topics.append_batch" => self.large += 1,
            "queues.dead_letters" => {
                let letters = list("letters").into_iter();
                let names =
                    letters.filter_map(|letter| letter["letter"].as_str().map(str::to_owned));
                self.letters = names.collect();
            }
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

/// Ids that messages have.
fn ids_of(messages: &Value) -> impl Iterator<Item = String> {
    let messages = messages.as_array().into_iter().flatten();
    messages.filter_map(|message| message["id"].as_str().map(str::to_owned))
}

/// Something to ask of topics; of large batches only where there may be any.
pub(super) fn draw(random: &mut Random, mind: &Mind, large: bool) -> Command {
    if large && random.percent(12) {
        return of_large(random, mind);
    }
    match random.below(100) {
        0..6 => create(random),
        6..10 => consumers::queue(random),
        10..27 => append(random, mind),
        27..35 => append_batch(random, mind),
        35..40 => {
            let (partition, after) = (random.below(PARTITIONS), random.below(12));
            let args = json!({ "topic": TOPIC, "partition": partition, "after": after });
            Command::new("topics.read", args)
        }
        40..42 => {
            let retention = age(random);
            Command::new("topics.update", json!({ "id": TOPIC, "retention": retention }))
        }
        42 => Command::new("topics.get", json!({ "id": TOPIC })),
        43 => delete(random),
        44..66 => consumers::of_group(random, mind),
        _ => consumers::of_queue(random, mind),
    }
}

fn create(random: &mut Random) -> Command {
    let mut args = json!({ "id": TOPIC, "partitions": PARTITIONS });
    if random.percent(20) {
        args["retention"] = age(random);
    }
    Command::new("topics.create", args)
}

/// A retention by age, or none.
fn age(random: &mut Random) -> Value {
    if random.percent(40) {
        return json!({});
    }
    json!({ "age": span(random.pick(AGES_US)) })
}

fn delete(random: &mut Random) -> Command {
    match random.below(4) {
        0 => Command::new("topics.delete", json!({ "id": TOPIC })),
        1 => Command::new("queues.delete", json!({ "topic": TOPIC, "queue": QUEUE })),
        _ => Command::new("groups.delete", json!({ "topic": TOPIC, "group": GROUP })),
    }
}

/// Of the topic of large batches: a few of them are more than it keeps.
fn of_large(random: &mut Random, mind: &Mind) -> Command {
    let choice = if mind.topics.large < LARGE_MAX { random.below(20) } else { random.below(9) };
    match choice {
        0..4 => Command::new("topics.create", json!({ "id": LARGE })),
        4..7 => {
            let mut retention = if random.percent(30) { age(random) } else { json!({}) };
            if random.percent(80) {
                retention["bytes"] = json!(1 << 20);
            }
            Command::new("topics.update", json!({ "id": LARGE, "retention": retention }))
        }
        7..9 => {
            let args = json!({ "topic": LARGE, "after": random.below(80), "limit": 2 });
            Command::new("topics.read", args)
        }
        _ => {
            let text = |letter: char| String::from(letter).repeat(60_000);
            let message = |letter| json!({ "type": partition::TYPE, "data": text(letter) });
            let letters = ('a'..).take(3 + usize::try_from(random.below(4)).expect("a few"));
            let messages: Vec<_> = letters.map(message).collect();
            Command::new("topics.append_batch", json!({ "topic": LARGE, "messages": messages }))
        }
    }
}

fn append(random: &mut Random, mind: &Mind) -> Command {
    let mut args = message(random, mind);
    args["topic"] = json!(TOPIC);
    Command::new("topics.append", args)
}

/// Messages together; now and then some that were appended before, together or not.
fn append_batch(random: &mut Random, mind: &Mind) -> Command {
    let before = &mind.topics.batches;
    if !before.is_empty() && random.percent(30) {
        let at = usize::try_from(random.below(before.len() as u64)).expect("an index");
        let mut messages = before[at].clone();
        if random.percent(40) {
            messages.push(message(random, mind));
        }
        return batch(messages);
    }
    batch((0..=random.below(4)).map(|_| message(random, mind)).collect())
}

/// A batch of these, but for those whose id another of them has.
fn batch(mut messages: Vec<Value>) -> Command {
    let mut seen = BTreeSet::new();
    let mut is_new = |id: &str| seen.insert(id.to_owned());
    messages.retain(|message| message["id"].as_str().is_none_or(&mut is_new));
    Command::new("topics.append_batch", json!({ "topic": TOPIC, "messages": messages }))
}

fn message(random: &mut Random, mind: &Mind) -> Value {
    let mut args = json!({ "type": partition::TYPE, "data": random.below(2) });
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
    args
}
