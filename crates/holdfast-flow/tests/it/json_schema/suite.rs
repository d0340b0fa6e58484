//! The test suite of JSON Schema, where `HOLDFAST_JSON_SCHEMA_SUITE` names the directory
//! `tests/draft2020-12` of a checkout: what is taken is judged as the suite says.

use std::{
    fs,
    path::{Path, PathBuf},
};

use holdfast_flow::json_schema::{Schema, Steps};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

/// Schemas about one thing, each with instances.
#[derive(Deserialize)]
struct Group {
    description: String,
    schema: Box<RawValue>,
    tests: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    description: String,
    data: Value,
    valid: bool,
}

/// The files of a directory, without those in directories of it.
fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    files
}

#[test]
fn what_is_taken_is_judged_as_the_suite_of_json_schema_says() {
    let Some(dir) = std::env::var_os("HOLDFAST_JSON_SCHEMA_SUITE").map(PathBuf::from) else {
        return eprintln!("skipped: HOLDFAST_JSON_SCHEMA_SUITE names no directory");
    };
    let (mut taken, mut refused, mut judged, mut wrong) = (0, 0, 0, Vec::new());
    for file in files(&dir).into_iter().chain(files(&dir.join("optional"))) {
        let groups: Vec<Group> = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        for Group { description, schema, tests } in groups {
            let Ok(schema) = Schema::compile(schema.get()) else {
                refused += 1;
                continue;
            };
            taken += 1;
            for case in tests {
                judged += 1;
                let valid = schema.validate(&case.data, &mut Steps(1_000_000)).is_ok();
                if valid != case.valid {
                    wrong.push(format!("{}: {description}: {}", file.display(), case.description));
                }
            }
        }
    }
    println!("{judged} instances judged by {taken} schemas; {refused} schemas refused");
    assert_eq!(wrong, Vec::<String>::new());
    assert!(judged > 500 && taken > 150, "the suite has far more: is it {}?", dir.display());
}
