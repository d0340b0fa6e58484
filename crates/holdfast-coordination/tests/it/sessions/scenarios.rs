//! The scenarios in `tests/scenarios/sessions`. `UPDATE_SCENARIOS=1` rewrites them.

use std::path::Path;

use holdfast_coordination::{
    documents::{self, row::Documents},
    leases::{
        self,
        row::{Leases, Waiters},
    },
    sessions,
    ties::row::{Sessions, Ties},
};
use holdfast_state::{
    Namespace, Read as _, Scan, Table as _,
    scenario::{Look, Mode, Vocabulary, World, check, readings},
    table::stored_key,
    timer::Timers,
};

use crate::timers;

/// How many rows there are of what, also of what nobody sees any more.
fn rows(world: &World, _: &[&str]) -> String {
    let (view, all) = (world.view(), Scan::up(1000));
    let sessions = view.scan::<Sessions>(&(), all).unwrap().len();
    let ties = view.scan::<Ties>(&(), all).unwrap().len();
    let leases = view.scan::<Leases>(&(), all).unwrap().len();
    let waiters = view.scan::<Waiters>(&(), all).unwrap().len();
    let documents = view.scan::<Documents>(&(), all).unwrap().len();
    let from = stored_key(Namespace::SYSTEM, Timers::ID, &());
    let to = holdfast_state::key::after_prefix(&from).unwrap();
    let timers = view.rows::<Timers>(&from, &to, all).unwrap().len();
    format!(
        "{sessions} sessions, {ties} ties, {leases} leases, {waiters} waiters, \
         {documents} documents, {timers} timers"
    )
}

/// What those see who watch over leases and sessions.
fn metrics(world: &World, _: &[&str]) -> String {
    readings(world, &[leases::INSTRUMENTS, sessions::INSTRUMENTS].concat())
}

#[test]
fn scenarios_come_out_as_written() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/sessions");
    let rewrite = std::env::var_os("UPDATE_SCENARIOS").is_some();
    let mode = if rewrite { Mode::Rewrite } else { Mode::Compare };
    let commands = [sessions::COMMANDS, leases::COMMANDS, documents::COMMANDS].concat();
    let timers = timers();
    let looks: &[(&str, Look)] = &[("rows", rows), ("metrics", metrics)];
    let vocabulary = Vocabulary { commands: &commands, timers: &timers, looks };
    match check(&dir, &vocabulary, mode) {
        Ok(files) => assert!(files >= 6, "only {files} scenarios were found"),
        Err(error) => panic!("{error}\nreview with UPDATE_SCENARIOS=1 and the diff"),
    }
}
