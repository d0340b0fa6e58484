//! What the rows of the registry promise to those who iterate them, whoever wrote the rows.
//! That names, places and numbers are used once, `Registry` itself sees to.

use std::collections::BTreeMap;

use holdfast_node::{Registry, registry::PRIMITIVES};
use holdfast_state::command::{Entry, Kind, Method};
use schemars::SchemaGenerator;

/// The part of a name before the dot.
fn primitive(name: &str) -> &str {
    let (primitive, rest) = name.split_once('.').unwrap_or_else(|| panic!("{name} has no dot"));
    assert!(!rest.is_empty(), "{name}");
    primitive
}

#[test]
fn what_belongs_together_is_named_and_numbered_together() {
    let mut blocks = BTreeMap::new();
    for of_one in PRIMITIVES {
        let commands: Vec<_> = of_one.commands.iter().map(|entry| primitive(entry.name)).collect();
        let timers = of_one.timers.iter().map(|(name, _)| primitive(name));
        let tables = of_one.tables.iter().map(|table| primitive(table.name));
        for name in timers.chain(tables) {
            assert!(commands.contains(&name), "{name} has no commands");
        }
        for table in of_one.tables {
            // Sixty-four numbers belong to one primitive, and to no other.
            let owner = *blocks.entry(table.id.0 >> 6).or_insert(primitive(table.name));
            assert_eq!(owner, primitive(table.name), "{} has a number of {owner}", table.name);
        }
    }
}

#[test]
fn every_refusal_has_one_entry_and_every_code_one_meaning() {
    let mut classes = BTreeMap::new();
    for entry in Registry::all().commands() {
        for (at, info) in entry.refusals.iter().enumerate() {
            let before = &entry.refusals[..at];
            assert!(before.iter().all(|other| other.code != info.code), "{}", entry.name);
            let class = *classes.entry(info.code).or_insert(info.class);
            assert_eq!(class, info.class, "{} in {}", info.code, entry.name);
            assert!(info.summary.ends_with('.'), "{}", info.code);
        }
    }
}

#[test]
fn a_spec_names_all_its_fields_and_requires_those_of_its_path() {
    for entry in Registry::all().commands() {
        let spec = spec_of(entry);
        assert_eq!(spec["additionalProperties"], false, "{}", entry.name);
        let required = spec["required"].as_array().cloned().unwrap_or_default();
        for field in entry.path_fields() {
            assert!(required.iter().any(|name| name == field), "{}: {field}", entry.name);
        }
        if entry.conditional && entry.kind == Kind::Write {
            assert!(spec["properties"]["if_match"].is_object(), "{}", entry.name);
        }
        assert!(entry.method != Method::Get || entry.kind == Kind::Query, "{}", entry.name);
    }
}

fn spec_of(entry: &Entry) -> serde_json::Value {
    let mut generator = SchemaGenerator::default();
    let schema = (entry.spec_schema)(&mut generator);
    let name = schema.get("$ref").and_then(|name| name.as_str()).unwrap_or_default();
    let name = name.rsplit('/').next().unwrap_or_default();
    generator.definitions()[name].clone()
}
