//! What members of a group and consumers of a queue ask.
//!
//! They act upon what they were told: mostly upon the newest, often upon what is over, and
//! sometimes upon what is another's.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    super::{Command, Mind, one_of, span},
    DELIVERIES_MAX, GROUP, PARTITIONS, QUEUE, SPANS_US, TOPIC,
};
use crate::random::Random;

/// A queue, from the beginning or from the end of its topic.
pub(super) fn queue(random: &mut Random) -> Command {
    let begin = if random.percent(70) { "beginning" } else { "end" };
    let args = json!({
        "topic": TOPIC, "id": QUEUE, "max_deliveries": DELIVERIES_MAX,
        "visibility": span(300_000), "begin": begin,
    });
    Command::new("queues.create", args)
}

/// Something to ask of a group.
pub(super) fn of_group(random: &mut Random, mind: &Mind) -> Command {
    let who = if random.percent(90) { mind.who as u64 } else { random.below(4) };
    let mut args = json!({ "topic": TOPIC, "group": GROUP, "member": format!("m{who}") });
    match random.below(22) {
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
        18..20 => seek(random, mind),
        _ => Command::new("groups.get", json!({ "topic": TOPIC, "group": GROUP })),
    }
}

/// Back or forth, in one partition or two; now and then where there is none.
fn seek(random: &mut Random, mind: &Mind) -> Command {
    let there = PARTITIONS + u64::from(random.percent(20));
    let first = random.below(there);
    let count = 1 + random.below(2);
    let known = mind.topics.places.first().map_or(0, |(_, offset)| *offset);
    let mut place = |partition: u64| {
        let reach = if random.percent(50) { 12 } else { known + 4 };
        json!({ "partition": partition, "offset": random.below(reach) })
    };
    let places: Vec<_> = (first..first + count).map(|at| place(at % (PARTITIONS + 1))).collect();
    Command::new("groups.seek", json!({ "topic": TOPIC, "group": GROUP, "offsets": places }))
}

/// Something to ask of a queue.
pub(super) fn of_queue(random: &mut Random, mind: &Mind) -> Command {
    let mut args = json!({ "topic": TOPIC, "queue": QUEUE });
    let known = &mind.topics.receipts;
    let choice = random.below(44);
    if choice < 16 || (choice < 34 && known.is_empty()) {
        args["limit"] = json!(1 + random.below(5));
        if random.percent(60) {
            args["visibility"] = span(random.pick(SPANS_US));
        }
        return Command::new("queues.receive", args);
    }
    if choice >= 34 {
        return of_letters(random, mind, args);
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

/// What people do about dead letters, by names that they read, or guess.
fn of_letters(random: &mut Random, mind: &Mind, mut args: Value) -> Command {
    let (known, guessed) = (&mind.topics.letters, format!("0-{}", 1 + random.below(9)));
    let mut letter = || {
        let at = usize::try_from(random.below(known.len().max(1) as u64)).expect("an index");
        known.get(at).unwrap_or(&guessed).clone()
    };
    let (one, other) = (letter(), letter());
    let named: BTreeSet<_> = [&one, &other].into_iter().collect();
    match random.below(20) {
        0..6 => {
            args["limit"] = json!(1 + random.below(3));
            Command::new("queues.redrive", args)
        }
        6..9 => {
            args["letters"] = json!(named);
            Command::new("queues.redrive", args)
        }
        9 => Command::new("queues.purge", args),
        10 => {
            args["letters"] = json!(named);
            Command::new("queues.purge", args)
        }
        11..14 => {
            (args["letter"], args["data"]) = (json!(one), json!(10 + random.below(90)));
            Command::new("queues.edit", args)
        }
        14 => {
            args["letter"] = json!(one);
            Command::new("queues.dead_letter", args)
        }
        15..18 => Command::new("queues.dead_letters", args),
        _ => Command::new("queues.get", args),
    }
}
