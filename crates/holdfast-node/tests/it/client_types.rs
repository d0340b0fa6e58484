//! The client's types are the registry's: they are generated from it, and compared here.
//!
//! The client knows nothing of the servers' crates, so what its commands take and answer is written
//! a second time; by this, so that it cannot differ. [`schemas`] has the named types of all specs and
//! outcomes, [`types`] says what a schema is in Rust, [`write`] writes structs and enums. A type lives with
//! the command that uses it, or, where several do, with their primitive, or with all. What this does
//! not understand becomes `Json`, which can hold anything.

mod schemas;
mod types;
mod write;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use holdfast_node::Registry;
use holdfast_state::command::Entry;

use schemas::Schemas;

/// Where a type is declared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Home {
    /// With everything.
    All,
    /// With its primitive.
    Primitive(String),
    /// With its command.
    Command(String),
}

/// Files by their path from `src`.
fn generate(registry: &Registry) -> BTreeMap<String, String> {
    let schemas = Schemas::of(registry);
    let homes = homes(registry, &schemas);
    let mut files = BTreeMap::new();
    let mut primitives: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in registry.commands() {
        let (primitive, verb) = parts(entry);
        primitives.entry(primitive).or_default().push(entry);
        let types = at_home(&homes, &Home::Command(entry.name.to_owned()));
        let text = write::command(entry, &schemas, &types, &homes);
        files.insert(format!("api/{primitive}/{verb}.rs"), text);
    }
    for (primitive, entries) in &mut primitives {
        entries.sort_by_key(|entry| parts(entry).1);
        let types = at_home(&homes, &Home::Primitive((*primitive).to_owned()));
        let text = write::primitive(primitive, entries, &schemas, &types, &homes);
        files.insert(format!("api/{primitive}.rs"), text);
    }
    let types = at_home(&homes, &Home::All);
    let names: Vec<_> = primitives.keys().copied().collect();
    files.insert("api.rs".to_owned(), write::all(&names, &schemas, &types, &homes));
    files
}

/// `leases.acquire` is `acquire` of `leases`.
fn parts(entry: &Entry) -> (&'static str, &'static str) {
    entry.name.split_once('.').expect("a name has a primitive and a verb")
}

fn homes(registry: &Registry, schemas: &Schemas) -> BTreeMap<String, Home> {
    let mut users: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for entry in registry.commands() {
        for name in schemas.reached_by(entry) {
            users.entry(name).or_default().insert(entry.name);
        }
    }
    let home = |names: &BTreeSet<&str>| {
        let primitives: BTreeSet<_> =
            names.iter().map(|name| name.split_once('.').unwrap().0).collect();
        match (names.len(), primitives.len()) {
            (1, _) => Home::Command((*names.first().unwrap()).to_owned()),
            (_, 1) => Home::Primitive((*primitives.first().unwrap()).to_owned()),
            _ => Home::All,
        }
    };
    users.into_iter().map(|(name, names)| (name, home(&names))).collect()
}

fn at_home(homes: &BTreeMap<String, Home>, home: &Home) -> Vec<String> {
    let here = homes.iter().filter(|(_, place)| *place == home);
    here.map(|(name, _)| name.clone()).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../holdfast-client/src")
}

/// Files below `src/api`, by their path from `src`.
fn files_in(folder: &Path, found: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_in(&path, found);
        } else {
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
            found.insert(name, fs::read_to_string(path).unwrap());
        }
    }
}

/// All that is generated, by its path from `src`.
fn present() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    files_in(&root().join("api"), &mut found);
    if let Ok(text) = fs::read_to_string(root().join("api.rs")) {
        found.insert("api.rs".to_owned(), text);
    }
    found
}

/// What a text says, however it is laid out: rustfmt may break its lines elsewhere.
fn said(text: Option<&String>) -> Option<String> {
    Some(text?.chars().filter(|c| !c.is_whitespace() && *c != ',').collect())
}

fn rewrite(present: &BTreeMap<String, String>, wanted: &BTreeMap<String, String>) {
    for gone in present.keys().filter(|name| !wanted.contains_key(*name)) {
        fs::remove_file(root().join(gone)).unwrap();
    }
    for (name, text) in wanted {
        if said(present.get(name)) == said(Some(text)) {
            continue;
        }
        let path = root().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

#[test]
fn the_api_is_that_of_the_registry() {
    let (present, wanted) = (present(), generate(&Registry::all()));
    if std::env::var_os("UPDATE_API").is_some() {
        rewrite(&present, &wanted);
        return;
    }
    let names = present.keys().chain(wanted.keys()).collect::<BTreeSet<_>>();
    let differs =
        names.into_iter().filter(|name| said(present.get(*name)) != said(wanted.get(*name)));
    let differing: Vec<_> = differs.collect();
    assert!(
        differing.is_empty(),
        "The registry has changed, and the client's types must follow. Run\n\
         UPDATE_API=1 cargo nextest run -p holdfast-node the_api_is_that_of_the_registry\n\
         and `cargo fmt`, and commit what they write. It concerns {differing:?}"
    );
}

#[test]
fn every_command_has_a_place_in_the_api() {
    let wanted = generate(&Registry::all());
    for entry in Registry::all().commands() {
        let name = format!("const NAME: &'static str = {:?};", entry.name);
        let files = wanted.values().filter(|text| text.contains(&name)).count();
        assert_eq!(files, 1, "{}", entry.name);
    }
}
