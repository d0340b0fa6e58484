//! Fields from the command line, as the command's schema wants them.

use std::time::Duration;

use holdfast_client::command::encode;
use holdfast_state::command::Entry;
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value};

/// The fields of a request.
#[derive(Debug, PartialEq)]
pub(super) struct Fields(Map<String, Value>);

/// Reads `name=value` pairs.
pub(super) fn read(entry: &Entry, pairs: &[String]) -> Result<Fields, String> {
    let types = Types::of(entry);
    let mut fields = Map::new();
    for pair in pairs {
        let (name, text) =
            pair.split_once('=').ok_or_else(|| format!("{pair:?} is not FIELD=VALUE"))?;
        let value = types
            .value(name, text)
            .map_err(|known| format!("{} has no field {name:?}; it has: {known}", entry.name))?;
        if fields.insert(name.to_owned(), value).is_some() {
            return Err(format!("{name} is given twice"));
        }
    }
    Ok(Fields(fields))
}

impl Fields {
    /// Takes a field out, as the path or the query carries it.
    pub(super) fn take_text(&mut self, name: &str) -> Option<String> {
        self.0.remove(name).map(text_of)
    }

    /// How long the server is asked to wait.
    pub(super) fn wait(&self) -> Duration {
        let seconds = self.0.get("wait").and_then(Value::as_u64);
        Duration::from_secs(seconds.unwrap_or_default())
    }

    /// All fields as a query.
    pub(super) fn query(self) -> String {
        let pairs = self.0.into_iter();
        let pairs: Vec<_> = pairs
            .map(|(name, value)| format!("{}={}", encode(&name), encode(&text_of(value))))
            .collect();
        if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
    }

    /// All fields as a body.
    pub(super) fn body(self) -> String {
        Value::Object(self.0).to_string()
    }
}

fn text_of(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// What the fields of a spec are.
struct Types {
    properties: Map<String, Value>,
    definitions: Map<String, Value>,
}

impl Types {
    fn of(entry: &Entry) -> Self {
        let mut generator: SchemaGenerator = SchemaSettings::draft2020_12().into_generator();
        let schema = (entry.spec_schema)(&mut generator).to_value();
        let definitions = generator.take_definitions(true);
        let mut types = Self { properties: Map::new(), definitions };
        let spec = types.resolve(&schema);
        let properties = spec.get("properties").and_then(Value::as_object).cloned();
        types.properties = properties.unwrap_or_default();
        types
    }

    fn value(&self, name: &str, text: &str) -> Result<Value, String> {
        let schema = self.properties.get(name).ok_or_else(|| {
            self.properties.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
        })?;
        if self.takes_text(schema) {
            return Ok(Value::String(text.to_owned()));
        }
        // What is no JSON goes as text: the server says best what it expects there.
        Ok(serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())))
    }

    fn resolve<'s>(&'s self, schema: &'s Value) -> &'s Value {
        let reference = schema.get("$ref").and_then(Value::as_str);
        let name = reference.and_then(|path| path.rsplit('/').next());
        name.and_then(|name| self.definitions.get(name)).unwrap_or(schema)
    }

    fn takes_text(&self, schema: &Value) -> bool {
        let schema = self.resolve(schema);
        let is_text = |kind: &Value| kind == "string";
        let of_type = match schema.get("type") {
            Some(Value::Array(kinds)) => kinds.iter().any(is_text),
            Some(kind) => is_text(kind),
            None => false,
        };
        let of_choice = ["anyOf", "oneOf"].iter().any(|word| {
            let choices = schema.get(word).and_then(Value::as_array);
            choices.is_some_and(|choices| choices.iter().any(|choice| self.takes_text(choice)))
        });
        of_type || of_choice
    }
}

#[cfg(test)]
mod tests {
    use holdfast_node::Registry;
    use serde_json::json;

    use super::*;

    fn fields(name: &str, pairs: &[&str]) -> Result<Fields, String> {
        let pairs: Vec<_> = pairs.iter().map(|pair| (*pair).to_owned()).collect();
        read(Registry::all().command(name).unwrap(), &pairs)
    }

    #[test]
    fn values_are_what_the_schema_says() {
        let fields = fields(
            "ledger.transfer",
            &[
                "id=17",
                "debit_account=true",
                "credit_account=b=c",
                "amount=5",
                "pending=true",
                "expires_in=PT15M",
            ],
        );
        let body: Value = serde_json::from_str(&fields.unwrap().body()).unwrap();
        assert_eq!(
            body,
            json!({
                "id": "17", "debit_account": "true", "credit_account": "b=c", "amount": 5,
                "pending": true, "expires_in": "PT15M",
            })
        );
    }

    #[test]
    fn a_query_is_encoded() {
        let mut fields = fields("ledger.history", &["account=a/b c", "limit=5"]).unwrap();
        assert_eq!(fields.take_text("account").as_deref(), Some("a/b c"));
        assert_eq!(fields.query(), "?limit=5");
    }

    #[test]
    fn mistakes_are_named() {
        assert!(fields("ledger.transfer", &["amont=5"]).unwrap_err().contains("debit_account"));
        assert!(fields("ledger.transfer", &["amount"]).unwrap_err().contains("FIELD=VALUE"));
        assert!(
            fields("ledger.transfer", &["amount=5", "amount=6"]).unwrap_err().contains("twice")
        );
    }
}
