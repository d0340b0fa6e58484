//! The scenarios in `tests/scenarios/limits`. `UPDATE_SCENARIOS=1` rewrites them.

use std::path::Path;

use holdfast_coordination::limits::{COMMANDS, INSTRUMENTS, TABLES, TIMERS};
use holdfast_state::{
    Namespace, Read as _, Scan, Table as _,
    key::after_prefix,
    scenario::{Mode, Vocabulary, World, check, readings},
    table::stored_key,
    timer::Timers,
};

const VOCABULARY: Vocabulary<'static> = Vocabulary {
    commands: COMMANDS,
    timers: TIMERS,
    looks: &[("rows", rows), ("metrics", metrics)],
};

/// What those see who watch over limits.
fn metrics(world: &World, _: &[&str]) -> String {
    readings(world, INSTRUMENTS)
}

/// How many rows each table has that has any, and how many timers there are.
fn rows(world: &World, _: &[&str]) -> String {
    let view = world.view();
    let count = |namespace, table| {
        let from = stored_key(namespace, table, &());
        let to = after_prefix(&from).unwrap();
        view.scan_stored(&from, &to, Scan::up(10_000)).unwrap().len()
    };
    let tables = TABLES.iter().map(|(table, name)| (*name, count(Namespace::DEFAULT, *table)));
    let timers = ("timers", count(Namespace::SYSTEM, Timers::ID));
    let counts = tables.chain([timers]).filter(|(_, count)| *count > 0);
    let shown: Vec<_> = counts
        .map(|(name, count)| format!("{}={count}", name.strip_prefix("limits.").unwrap_or(name)))
        .collect();
    if shown.is_empty() { "none".to_owned() } else { shown.join(" ") }
}

#[test]
fn scenarios_come_out_as_written() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/limits");
    let rewrite = std::env::var_os("UPDATE_SCENARIOS").is_some();
    let mode = if rewrite { Mode::Rewrite } else { Mode::Compare };
    match check(&dir, &VOCABULARY, mode) {
        Ok(files) => assert!(files >= 9, "only {files} scenarios were found"),
        Err(error) => panic!("{error}\nreview with UPDATE_SCENARIOS=1 and the diff"),
    }
}
