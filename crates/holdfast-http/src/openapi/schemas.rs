//! Schemas of specs and outcomes, each named once under `components`.

use holdfast_state::command::{
    Entry,
    foreign::{AnsweredForm, AskedForm},
};
use schemars::{Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value};

/// Where named schemas stand.
const PLACE: &str = "/components/schemas";

/// Collects schemas. What a spec may leave out and what an outcome may lack are different things, even
/// of one type; so there are two collections, which agree about every name that is in both.
#[derive(Debug)]
pub(super) struct Schemas {
    specs: SchemaGenerator,
    outcomes: SchemaGenerator,
}

/// A field of a spec.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) schema: Value,
    pub(super) required: bool,
}

impl Schemas {
    pub(super) fn new() -> Self {
        let settings = SchemaSettings::draft2020_12()
            .with(|settings| settings.definitions_path = PLACE.into());
        Self {
            specs: settings.clone().into_generator(),
            outcomes: settings.for_serialize().into_generator(),
        }
    }

    /// The schema of a command's outcome.
    pub(super) fn outcome(&mut self, entry: &Entry) -> Value {
        (entry.outcome_schema)(&mut self.outcomes).to_value()
    }

    /// The schema of a form in which commands are asked.
    pub(super) fn asked(&mut self, form: &AskedForm) -> Value {
        (form.schema)(&mut self.specs).to_value()
    }

    /// The schema of a form in which commands are answered.
    pub(super) fn answered(&mut self, form: &AnsweredForm) -> Value {
        (form.schema)(&mut self.outcomes).to_value()
    }

    /// The schema of a command's spec.
    pub(super) fn spec(&mut self, entry: &Entry) -> Value {
        (entry.spec_schema)(&mut self.specs).to_value()
    }

    /// The fields of a command's spec, in order of their names.
    pub(super) fn fields(&mut self, entry: &Entry) -> Vec<Field> {
        let spec = self.resolved(entry);
        let required = spec.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
        let properties = spec.get("properties").and_then(Value::as_object).cloned();
        let named = properties.unwrap_or_default().into_iter();
        named
            .map(|(name, schema)| {
                let required = required.iter().any(|field| *field == *name);
                Field { name, schema, required }
            })
            .collect()
    }

    /// A spec's schema without the fields that stand in the path.
    pub(super) fn body(&mut self, entry: &Entry) -> Value {
        if entry.path_fields().next().is_none() {
            return self.spec(entry);
        }
        let mut spec = self.resolved(entry);
        for field in entry.path_fields() {
            if let Some(Value::Object(properties)) = spec.get_mut("properties") {
                properties.remove(field);
            }
            if let Some(Value::Array(required)) = spec.get_mut("required") {
                required.retain(|name| name != field);
            }
        }
        Value::Object(spec)
    }

    /// The spec's schema itself rather than a reference to it.
    fn resolved(&mut self, entry: &Entry) -> Map<String, Value> {
        let schema: Schema = (entry.spec_schema)(&mut self.specs);
        let schema = schema.to_value();
        let reference = schema.get("$ref").and_then(Value::as_str);
        let name = reference.and_then(|path| path.rsplit('/').next());
        let found = name.and_then(|name| self.specs.definitions().get(name)).cloned();
        match found.unwrap_or(schema) {
            Value::Object(spec) => spec,
            other => panic!("the spec of {} is an object, not {other}", entry.name),
        }
    }

    /// All named schemas.
    ///
    /// # Panics
    /// When a name means one thing in specs and another in outcomes: the type needs two names then.
    pub(super) fn finish(mut self) -> Map<String, Value> {
        let mut all = self.specs.take_definitions(true);
        for (name, schema) in self.outcomes.take_definitions(true) {
            if let Some(other) = all.get(&name) {
                assert_eq!(other, &schema, "{name} is read otherwise than it is written");
            }
            all.insert(name, schema);
        }
        all
    }
}
