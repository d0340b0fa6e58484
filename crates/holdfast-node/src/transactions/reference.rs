//! References to earlier results: `{"$from": NAME, "path": POINTER}`.
//!
//! Such an object, with these two members and no other, stands for the value at
//! the JSON Pointer (RFC 6901) in the result of the earlier operation of that name.

use std::collections::{HashMap, HashSet};

use holdfast_state::command::SpecError;
use serde_json::{Map, Value};

use super::{TransactionRefusal, invalid};

const FROM: &str = "$from";

/// Can there be a reference in this JSON? Where not, nothing needs to be looked at.
pub(super) fn may_be_in(json: &str) -> bool {
    // An escape could spell it too.
    json.contains(FROM) || json.contains("\\u00")
}

/// A reference as it is written.
struct Reference<'v> {
    from: &'v str,
    path: &'v str,
}

impl<'v> Reference<'v> {
    /// The reference that an object is, if it is one.
    fn of(object: &'v Map<String, Value>) -> Result<Option<Self>, String> {
        let Some(from) = object.get(FROM) else { return Ok(None) };
        match (from, object.get("path"), object.len()) {
            (Value::String(from), Some(Value::String(path)), 2) => Ok(Some(Self { from, path })),
            _ => Err(format!(
                "a reference is {{\"{FROM}\": name of an operation, \"path\": JSON Pointer}}"
            )),
        }
    }
}

/// What becomes of references to names that no earlier operation has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Others {
    /// They are mistakes.
    Refused,
    /// They belong to operations within these arguments.
    Left,
}

/// Are all references to operations that come earlier? Returns the names of these.
pub(super) fn check(
    value: &Value,
    earlier: &HashSet<String>,
    others: Others,
) -> Result<HashSet<String>, SpecError> {
    let mut found = HashSet::new();
    check_at(value, &mut String::new(), &mut |reference| {
        let Reference { from, path } = reference;
        if !(path.is_empty() || path.starts_with('/')) {
            return Err(format!("{path:?} is no JSON Pointer: it begins with a slash"));
        }
        if earlier.contains(from) {
            found.insert(from.to_owned());
        } else if others == Others::Refused {
            return Err(format!("no earlier operation is called {from:?}"));
        }
        Ok(())
    })?;
    Ok(found)
}

fn check_at(
    value: &Value,
    pointer: &mut String,
    check: &mut impl FnMut(Reference<'_>) -> Result<(), String>,
) -> Result<(), SpecError> {
    let length = pointer.len();
    match value {
        Value::Object(object) => {
            let found = Reference::of(object);
            let found =
                found.and_then(|found| found.map_or(Ok(false), |r| check(r).map(|()| true)));
            if found.map_err(|message| invalid(pointer.clone(), message))? {
                return Ok(());
            }
            for (key, value) in object {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
                check_at(value, pointer, check)?;
                pointer.truncate(length);
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                pointer.push_str(&format!("/{index}"));
                check_at(value, pointer, check)?;
                pointer.truncate(length);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    Ok(())
}

/// The arguments with the values that they refer to in results of the operations
/// `names`; other references stay.
pub(super) fn fill(
    value: &Value,
    names: &HashSet<String>,
    results: &HashMap<&str, Value>,
) -> Result<Value, TransactionRefusal> {
    let fill = |value| fill(value, names, results);
    Ok(match value {
        Value::Object(object) => match Reference::of(object) {
            Ok(Some(Reference { from, path })) if names.contains(from) => {
                let found = results.get(from).and_then(|result| result.pointer(path));
                found.cloned().ok_or_else(|| TransactionRefusal::ReferenceNotFound {
                    from: from.to_owned(),
                    path: path.to_owned(),
                })?
            }
            _ => {
                let filled = object.iter().map(|(key, value)| Ok((key.clone(), fill(value)?)));
                Value::Object(filled.collect::<Result<_, _>>()?)
            }
        },
        Value::Array(values) => {
            let filled = values.iter().map(fill);
            Value::Array(filled.collect::<Result<_, _>>()?)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    })
}
