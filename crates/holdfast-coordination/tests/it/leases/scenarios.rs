//! The scenarios in `tests/scenarios/leases`. `UPDATE_SCENARIOS=1` rewrites them.

use std::path::Path;

use holdfast_coordination::leases::{
    COMMANDS, INSTRUMENTS, TIMERS,
    row::{Leases, Waiters, Waits},
};
use holdfast_state::{
    Namespace, Read as _, Scan, Table as _,
    scenario::{Mode, Vocabulary, World, check, readings},
    table::stored_key,
    timer::Timers,
};

const VOCABULARY: Vocabulary<'static> = Vocabulary {
    commands: COMMANDS,
    timers: TIMERS,
    looks: &[("rows", rows), ("metrics", metrics)],
};

/// What those see who watch over leases.
fn metrics(world: &World, _: &[&str]) -> String {
    readings(world, INSTRUMENTS)
}

/// What is stored: leases with owner, token and queue, then how many rows of waits and
/// timers there are.
fn rows(world: &World, _: &[&str]) -> String {
    let view = world.view();
    let mut shown = Vec::new();
    for found in view.scan::<Leases>(&(), Scan::up(1000)).unwrap() {
        let id = found.key().str().unwrap();
        let queue = view.scan::<Waiters>(&(&*id,), Scan::up(1000)).unwrap();
        assert_eq!(queue.len(), found.row.waiting as usize, "{id} counts who waits");
        let names: String = queue.iter().map(|waiter| format!(" < {}", waiter.row.owner)).collect();
        shown.push(format!("{id}: {}@{}{names}", found.row.owner, found.row.token));
    }
    let waits = view.scan::<Waits>(&(), Scan::up(1000)).unwrap().len();
    let from = stored_key(Namespace::SYSTEM, Timers::ID, &());
    let to = holdfast_state::key::after_prefix(&from).unwrap();
    let timers = view.rows::<Timers>(&from, &to, Scan::up(1000)).unwrap().len();
    shown.push(format!("{waits} waits, {timers} timers"));
    shown.join("\n")
}

#[test]
fn scenarios_come_out_as_written() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/leases");
    let rewrite = std::env::var_os("UPDATE_SCENARIOS").is_some();
    let mode = if rewrite { Mode::Rewrite } else { Mode::Compare };
    match check(&dir, &VOCABULARY, mode) {
        Ok(files) => assert!(files >= 7, "only {files} scenarios were found"),
        Err(error) => panic!("{error}\nreview with UPDATE_SCENARIOS=1 and the diff"),
    }
}
