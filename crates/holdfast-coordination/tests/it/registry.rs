//! What the rows of the registry promise to those who iterate them.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_coordination::{documents, leases};
use holdfast_state::{
    TableId, TimerHandler,
    command::{Entry, Kind, Method},
};
use schemars::SchemaGenerator;

/// A primitive of this crate: the name its commands begin with, and the numbers of its tables.
struct Primitive {
    name: &'static str,
    commands: &'static [Entry],
    timers: &'static [(&'static str, TimerHandler)],
    tables: &'static [(TableId, &'static str)],
    numbers: std::ops::RangeInclusive<u16>,
}

const PRIMITIVES: &[Primitive] = &[
    Primitive {
        name: "documents.",
        commands: documents::COMMANDS,
        timers: documents::TIMERS,
        tables: documents::TABLES,
        numbers: 0x0400..=0x043f,
    },
    Primitive {
        name: "leases.",
        commands: leases::COMMANDS,
        timers: leases::TIMERS,
        tables: leases::TABLES,
        numbers: 0x0440..=0x047f,
    },
];

fn commands() -> impl Iterator<Item = &'static Entry> {
    PRIMITIVES.iter().flat_map(|primitive| primitive.commands)
}

#[test]
fn names_routes_and_tables_are_unique_and_ours() {
    for primitive in PRIMITIVES {
        let names: BTreeSet<_> = primitive.commands.iter().map(|entry| entry.name).collect();
        assert_eq!(names.len(), primitive.commands.len());
        let timers = primitive.timers.iter().map(|(name, _)| name);
        let tables: BTreeSet<_> = primitive.tables.iter().map(|(_, name)| *name).collect();
        let all = names.iter().chain(timers).chain(&tables);
        assert!(all.into_iter().all(|name| name.starts_with(primitive.name)));
        let numbers: BTreeSet<_> = primitive.tables.iter().map(|(id, _)| id.0).collect();
        assert_eq!((numbers.len(), tables.len()), (primitive.tables.len(), primitive.tables.len()));
        assert!(numbers.iter().all(|number| primitive.numbers.contains(number)));
    }
    let routes: BTreeSet<_> =
        commands().map(|entry| (format!("{:?}", entry.method), entry.path)).collect();
    assert_eq!(routes.len(), commands().count());
}

#[test]
fn every_refusal_has_one_entry_and_every_code_one_meaning() {
    let mut classes = BTreeMap::new();
    for entry in commands() {
        let codes: BTreeSet<_> = entry.refusals.iter().map(|info| info.code).collect();
        assert_eq!(codes.len(), entry.refusals.len(), "{}", entry.name);
        for info in entry.refusals {
            let class = *classes.entry(info.code).or_insert(info.class);
            assert_eq!(class, info.class, "{} in {}", info.code, entry.name);
            assert!(info.summary.ends_with('.'), "{}", info.code);
        }
    }
}

#[test]
fn the_fields_of_a_path_are_required_fields_of_the_spec() {
    for entry in commands() {
        let mut generator = SchemaGenerator::default();
        let schema = (entry.spec_schema)(&mut generator);
        let name = schema.get("$ref").and_then(|r| r.as_str()).unwrap_or_default();
        let name = name.rsplit('/').next().unwrap();
        let definition = &generator.definitions()[name];
        let required = definition["required"].as_array().cloned().unwrap_or_default();
        for field in entry.path_fields() {
            assert!(required.iter().any(|r| r == field), "{}: {field}", entry.name);
        }
        assert_eq!(definition["additionalProperties"], false, "{}", entry.name);
        assert!(entry.method != Method::Get || entry.kind == Kind::Query, "{}", entry.name);
        if entry.conditional && entry.kind == Kind::Write {
            assert!(definition["properties"]["if_match"].is_object(), "{}", entry.name);
        }
        (entry.outcome_schema)(&mut generator);
    }
}
