//! The scenarios in `tests/scenarios`. `UPDATE_SCENARIOS=1` rewrites them.

use std::path::Path;

use holdfast_flow::topics::{
    COMMANDS, INSTRUMENTS, TIMERS,
    queues::row::{Deliveries, Due},
    row::{StoredMessages, Tails},
};
use holdfast_state::{
    Read, Scan,
    scenario::{Look, Mode, Vocabulary, World, check, readings},
};

const VOCABULARY: Vocabulary<'static> =
    Vocabulary { commands: COMMANDS, timers: TIMERS, looks: LOOKS };

const LOOKS: &[(&str, Look)] = &[("rows", rows), ("queued", queued), ("metrics", metrics)];

/// What those see who watch over topics.
fn metrics(world: &World, _: &[&str]) -> String {
    readings(world, INSTRUMENTS)
}

/// How messages are stored, a line for each partition: `bookings/0 1+1 2+3 ends 4`, first
/// offset and number of messages of each row, and the tail.
fn rows(world: &World, _: &[&str]) -> String {
    let view = world.view();
    let mut lines = Vec::new();
    for tail in view.scan::<Tails>(&(), Scan::up(1000)).unwrap() {
        let mut key = tail.key();
        let (id, partition) = (key.id().unwrap(), key.u16().unwrap());
        let mut line = format!("{id}/{partition}");
        let prefix = (id.as_str(), partition);
        for run in view.scan::<StoredMessages>(&prefix, Scan::up(1000)).unwrap() {
            let mut key = run.key();
            key.id().and_then(|_| key.u16()).unwrap();
            line.push_str(&format!(" {}+{}", key.u64().unwrap(), run.row.messages.len()));
        }
        lines.push(format!("{line} ends {}", tail.row.last));
    }
    lines.join("\n")
}

/// What the queues of all topics hold, a line for each delivery: its number, how often it was
/// given out, when it comes into sight, and which messages it has.
fn queued(world: &World, _: &[&str]) -> String {
    let view = world.view();
    let mut lines = Vec::new();
    for delivery in view.scan::<Deliveries>(&(), Scan::up(1000)).unwrap() {
        let mut key = delivery.key();
        let (topic, queue) = (key.id().unwrap(), key.id().unwrap());
        let (number, row) = (key.u64().unwrap(), delivery.row);
        let due = (topic.as_str(), queue.as_str(), row.until, number);
        assert!(view.get::<Due>(due).unwrap().is_some(), "{number} has no row in Due");
        let offsets: Vec<_> = row.span.offsets().map(|offset| offset.to_string()).collect();
        let (attempt, until) = (row.attempt, row.until);
        lines.push(format!("{number} attempt={attempt} until={until} {}", offsets.join(",")));
    }
    assert_eq!(view.scan::<Due>(&(), Scan::up(1000)).unwrap().len(), lines.len());
    lines.join("\n")
}

#[test]
fn scenarios_come_out_as_written() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let rewrite = std::env::var_os("UPDATE_SCENARIOS").is_some();
    let mode = if rewrite { Mode::Rewrite } else { Mode::Compare };
    match check(&dir, &VOCABULARY, mode) {
        Ok(files) => assert!(files >= 4, "only {files} scenarios were found"),
        Err(error) => panic!("{error}\nreview with UPDATE_SCENARIOS=1 and the diff"),
    }
}
