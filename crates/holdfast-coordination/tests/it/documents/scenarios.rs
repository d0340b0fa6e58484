//! The scenarios in `tests/scenarios/documents`. `UPDATE_SCENARIOS=1` rewrites them.

use std::path::Path;

use holdfast_coordination::documents::{
    COMMANDS, INSTRUMENTS, TIMERS,
    row::{Documents, Entries},
};
use holdfast_state::{
    Read, Scan,
    scenario::{Mode, Vocabulary, World, check, readings},
};

const VOCABULARY: Vocabulary<'static> = Vocabulary {
    commands: COMMANDS,
    timers: TIMERS,
    looks: &[("rows", rows), ("entries", entries), ("metrics", metrics)],
};

/// What those see who watch over documents.
fn metrics(world: &World, _: &[&str]) -> String {
    readings(world, INSTRUMENTS)
}

/// What is stored, also of what nobody sees any more: `carts/a@3`.
fn rows(world: &World, _: &[&str]) -> String {
    let view = world.view();
    let rows = view.scan::<Documents>(&(), Scan::up(1000)).unwrap();
    let shown = rows.iter().map(|found| {
        let mut key = found.key();
        let (collection, id) = (key.str().unwrap(), key.str().unwrap());
        format!("{collection}/{id}@{}", found.row.version)
    });
    shown.collect::<Vec<_>>().join(" ")
}

/// What indexes have: `orders/0 paid o-1`, the scalar as it is kept without its kind.
fn entries(world: &World, _: &[&str]) -> String {
    let view = world.view();
    let rows = view.scan::<Entries>(&(), Scan::up(1000)).unwrap();
    let shown = rows.iter().map(|found| {
        let mut key = found.key();
        let (collection, number) = (key.str().unwrap(), key.u32().unwrap());
        let (scalar, id) = (key.bytes().unwrap(), key.str().unwrap());
        let text = scalar[1..].escape_ascii();
        format!("{collection}/{number} {}:{text} {id}", scalar[0])
    });
    shown.collect::<Vec<_>>().join("\n")
}

#[test]
fn scenarios_come_out_as_written() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/documents");
    let rewrite = std::env::var_os("UPDATE_SCENARIOS").is_some();
    let mode = if rewrite { Mode::Rewrite } else { Mode::Compare };
    match check(&dir, &VOCABULARY, mode) {
        Ok(files) => assert!(files >= 7, "only {files} scenarios were found"),
        Err(error) => panic!("{error}\nreview with UPDATE_SCENARIOS=1 and the diff"),
    }
}
