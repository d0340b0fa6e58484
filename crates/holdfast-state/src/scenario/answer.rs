//! How an answer reads in a script.

use serde_json::{Map, Value};

use crate::{
    command::{Refused, SpecError},
    tx::Stop,
};

/// An answer, with the fields that are wanted of it.
pub(super) fn answer(result: &Result<Vec<u8>, Stop<Refused>>, wanted: &[&str]) -> String {
    match result {
        Ok(json) => match serde_json::from_slice(json) {
            Ok(Value::Object(fields)) => outcome(&fields, wanted),
            Ok(other) => other.to_string(),
            Err(error) => format!("an outcome that is not JSON: {error}"),
        },
        Err(Stop::Refused(refused)) => {
            let mut text = format!("refused: {}", refused.info.code);
            push_fields(&mut text, &refused.facts, &[]);
            text
        }
        Err(Stop::Aborted(abort)) => format!("aborted: {abort}"),
    }
}

/// A request that is not a command's spec.
pub(super) fn not_a_spec(error: &SpecError) -> String {
    let what = if error.malformed { "malformed" } else { "invalid" };
    let at = if error.pointer.is_empty() { "" } else { " at " };
    format!("{what}{at}{}: {}", error.pointer, error.message)
}

fn outcome(fields: &Map<String, Value>, wanted: &[&str]) -> String {
    let mut text = String::new();
    if let Some(Value::String(outcome)) = fields.get("outcome") {
        text.push_str(outcome);
        if fields.get("existed") == Some(&Value::Bool(true)) {
            text.push_str(" (existed)");
        }
        if wanted.is_empty() {
            return text;
        }
    }
    push_fields(&mut text, fields, wanted);
    text
}

/// `name=value` for each field that is not a list, then a line for each element
/// of the lists.
fn push_fields(text: &mut String, fields: &Map<String, Value>, wanted: &[&str]) {
    let is_list = |value: &Value| value.as_array().is_some_and(|l| l.iter().all(Value::is_object));
    let single = |(name, value): (&String, &Value)| {
        (!is_list(value)).then(|| format!("{name}={}", shown(value)))
    };
    let singles: Vec<String> = if wanted.is_empty() {
        fields.iter().filter_map(single).collect()
    } else {
        wanted.iter().filter_map(|name| single(fields.get_key_value(*name)?)).collect()
    };
    for each in singles {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&each);
    }
    let lists = fields.values().filter(|value| is_list(value)).filter_map(Value::as_array);
    for element in lists.flatten().filter_map(Value::as_object) {
        let mut line = String::new();
        push_fields(&mut line, element, wanted);
        if !line.is_empty() {
            text.push('\n');
            text.push_str(&line);
        }
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if !text.is_empty() && !text.contains([' ', '"', '=']) => text.clone(),
        other => other.to_string(),
    }
}
