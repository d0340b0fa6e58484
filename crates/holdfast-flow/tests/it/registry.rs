//! What the rows of the registry promise to those who iterate them.

use std::collections::BTreeSet;

use holdfast_flow::topics::{COMMANDS, TABLES, TIMERS};
use holdfast_state::command::Method;
use schemars::SchemaGenerator;

#[test]
fn names_routes_and_tables_are_unique_and_ours() {
    let names: BTreeSet<_> = COMMANDS.iter().map(|entry| entry.name).collect();
    assert_eq!(names.len(), COMMANDS.len());
    assert!(
        names
            .iter()
            .chain(TIMERS.iter().map(|(name, _)| name))
            .all(|name| { name.strip_prefix("topics.").is_some_and(|verb| !verb.is_empty()) })
    );
    let routes: BTreeSet<_> =
        COMMANDS.iter().map(|entry| (format!("{:?}", entry.method), entry.path)).collect();
    assert_eq!(routes.len(), COMMANDS.len());
    assert!(COMMANDS.iter().all(|entry| entry.path.starts_with("/v1/topics")));
    let numbers: BTreeSet<_> = TABLES.iter().map(|(id, _)| id).collect();
    let tables: BTreeSet<_> = TABLES.iter().map(|(_, name)| name).collect();
    assert_eq!((numbers.len(), tables.len()), (TABLES.len(), TABLES.len()));
    assert!(numbers.iter().all(|id| (0x0300..=0x03ff).contains(&id.0)));
}

#[test]
fn every_refusal_has_one_entry_and_every_code_one_meaning() {
    let mut classes = std::collections::BTreeMap::new();
    for entry in COMMANDS {
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
    for entry in COMMANDS {
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
        (entry.outcome_schema)(&mut generator);
        assert_eq!(
            entry.method == Method::Get,
            entry.kind == holdfast_state::command::Kind::Query,
            "{}",
            entry.name
        );
    }
}
