//! The named schemas of a registry, each with what it is used for.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_node::Registry;
use holdfast_state::command::Entry;
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value};

use super::types;

/// Named schemas.
#[derive(Debug)]
pub(super) struct Schemas {
    named: BTreeMap<String, Value>,
    /// Names of the types of each command: spec and outcome.
    commands: BTreeMap<&'static str, (String, String)>,
    /// Types that are sent.
    sent: BTreeSet<String>,
    /// Types that are received.
    received: BTreeSet<String>,
}

impl Schemas {
    pub(super) fn of(registry: &Registry) -> Self {
        // What a spec may leave out and what an outcome may are two things.
        let mut specs = SchemaSettings::draft2020_12().for_deserialize().into_generator();
        let mut outcomes = SchemaSettings::draft2020_12().for_serialize().into_generator();
        let mut commands = BTreeMap::new();
        for entry in registry.commands() {
            let spec = name_of(entry, (entry.spec_schema)(&mut specs).as_value());
            let outcome = name_of(entry, (entry.outcome_schema)(&mut outcomes).as_value());
            commands.insert(entry.name, (spec, outcome));
        }
        let (sent, received) = (definitions(specs), definitions(outcomes));
        let (sent_names, received_names) = (sent.keys().cloned(), received.keys().cloned());
        let mut schemas = Self {
            commands,
            sent: sent_names.collect(),
            received: received_names.collect(),
            named: sent,
        };
        for (name, schema) in received {
            let merged = match schemas.named.remove(&name) {
                Some(other) => merged(other, &schema),
                None => schema,
            };
            schemas.named.insert(name, merged);
        }
        schemas
    }

    pub(super) fn get(&self, name: &str) -> &Value {
        &self.named[name]
    }

    pub(super) fn spec(&self, entry: &Entry) -> &str {
        &self.commands[entry.name].0
    }

    pub(super) fn outcome(&self, entry: &Entry) -> &str {
        &self.commands[entry.name].1
    }

    pub(super) fn is_sent(&self, name: &str) -> bool {
        self.sent.contains(name)
    }

    pub(super) fn is_received(&self, name: &str) -> bool {
        self.received.contains(name)
    }

    /// Names of all types with a declaration that a command needs.
    pub(super) fn reached_by(&self, entry: &Entry) -> BTreeSet<String> {
        let mut reached = BTreeSet::new();
        let mut open = vec![self.spec(entry).to_owned(), self.outcome(entry).to_owned()];
        while let Some(name) = open.pop() {
            let schema = self.get(&name);
            if !types::is_declared(schema) || reached.insert(name) {
                open.extend(types::references(schema));
            }
        }
        reached
    }
}

fn definitions(mut generator: SchemaGenerator) -> BTreeMap<String, Value> {
    generator.take_definitions(true).into_iter().collect()
}

fn name_of(entry: &Entry, schema: &Value) -> String {
    let name = types::reference(schema);
    name.unwrap_or_else(|| panic!("{} has types with names", entry.name)).to_owned()
}

/// A type that is sent and received: it must have what both must.
fn merged(mut sent: Value, received: &Value) -> Value {
    let must = |schema: &Value| -> Vec<Value> {
        schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let both: Vec<_> = must(&sent).into_iter().filter(|n| must(received).contains(n)).collect();
    let fields: Option<&mut Map<String, Value>> = sent.as_object_mut();
    if let Some(fields) = fields.filter(|fields| fields.contains_key("properties")) {
        fields.insert("required".to_owned(), both.into());
    }
    sent
}
