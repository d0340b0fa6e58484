//! The scenarios in `tests/scenarios`. `UPDATE_SCENARIOS=1` rewrites them.

use std::path::Path;

use holdfast_reservations::{
    COMMANDS, TIMERS,
    audit::{Audit, Report},
    row::{LevelRow, Levels, Resources, night_of},
};
use holdfast_state::{
    Namespace, Read, Scan,
    scenario::{Mode, Vocabulary, World, check},
};

const VOCABULARY: Vocabulary<'static> = Vocabulary {
    commands: COMMANDS,
    timers: TIMERS,
    looks: &[("levels", levels), ("audit", audit)],
};

fn audit(world: &World, _: &[&str]) -> String {
    let mut audit = Audit::from_nothing(Namespace::DEFAULT);
    world.log().iter().for_each(|batch| audit.batch(batch));
    let report = audit.finish(&world.view()).unwrap();
    let differences = report.differences.in_words().listed;
    if differences.is_empty() {
        let Report { resources, holds, entries, .. } = report;
        format!("clean: {resources} resources, {holds} holds, {entries} waitlist entries")
    } else {
        format!("DIFFERENCES\n{}", differences.join("\n"))
    }
}

/// What is taken, a line for each resource: `lisbon 2026-12-24=1+2/5`, held, sold and
/// stock of each night that has a row.
fn levels(world: &World, _: &[&str]) -> String {
    let view = world.view();
    let mut lines = Vec::new();
    for resource in view.scan::<Resources>(&(), Scan::up(1000)).unwrap() {
        let id = resource.key().id().unwrap();
        let mut line = id.to_string();
        for level in view.scan::<Levels>(&(id.as_str(),), Scan::up(1000)).unwrap() {
            let mut key = level.key();
            key.id().unwrap();
            let night = night_of(resource.row.kind, key.u32().unwrap());
            let LevelRow { held, sold, .. } = level.row;
            let stock = level.row.stock(resource.row.stock);
            let night = night.map_or_else(|| "units".to_owned(), |night| night.to_string());
            line.push_str(&format!(" {night}={held}+{sold}/{stock}"));
        }
        lines.push(line);
    }
    lines.join("\n")
}

#[test]
fn scenarios_come_out_as_written() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let rewrite = std::env::var_os("UPDATE_SCENARIOS").is_some();
    let mode = if rewrite { Mode::Rewrite } else { Mode::Compare };
    match check(&dir, &VOCABULARY, mode) {
        Ok(files) => assert!(files >= 9, "only {files} scenarios were found"),
        Err(error) => panic!("{error}\nreview with UPDATE_SCENARIOS=1 and the diff"),
    }
}
