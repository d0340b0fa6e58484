//! What a schema is in Rust.

use serde_json::Value;

use super::schemas::Schemas;

/// Types that are written by hand, in `src/values.rs`.
const BY_HAND: &[&str] = &["IfMatch", "IfNoneMatch", "Moment"];

const REFERENCE: &str = "$ref";

/// The type that a schema refers to.
pub(super) fn reference(schema: &Value) -> Option<&str> {
    schema.get(REFERENCE)?.as_str()?.rsplit('/').next()
}

/// All types that a schema refers to, somewhere.
pub(super) fn references(schema: &Value) -> Vec<String> {
    match schema {
        Value::Object(fields) => {
            let deeper = fields.values().flat_map(references);
            reference(schema).map(str::to_owned).into_iter().chain(deeper).collect()
        }
        Value::Array(parts) => parts.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

/// A struct's fields: those that must be there, as they are declared, then the others by name. Name,
/// schema, whether it must be there.
pub(super) fn fields(schema: &Value) -> Option<Vec<(&str, &Value, bool)>> {
    let required = schema.get("required").and_then(Value::as_array);
    let place = |name: &str| required?.iter().position(|required| required == name);
    let properties = schema.get("properties")?.as_object()?.iter();
    let mut fields: Vec<_> =
        properties.map(|(name, schema)| (&**name, schema, place(name).is_some())).collect();
    fields.sort_by_key(|(name, ..)| (place(name).is_none(), place(name)));
    Some(fields)
}

/// The names of an enumeration, with what they mean.
pub(super) fn names(schema: &Value) -> Option<Vec<(&str, Option<&str>)>> {
    if let Some(plain) = schema.get("enum") {
        return plain.as_array()?.iter().map(|name| Some((name.as_str()?, None))).collect();
    }
    let each = schema.get("oneOf")?.as_array()?.iter();
    each.map(|one| {
        let description = one.get("description").and_then(Value::as_str);
        Some((one.get("const")?.as_str()?, description))
    })
    .collect()
}

/// A choice of structs, told apart by a field that says which: its name, and each with its own name.
pub(super) fn choices(schema: &Value) -> Option<(&str, Vec<(&str, &Value)>)> {
    let each = schema.get("oneOf")?.as_array()?;
    let first = each.first()?.get("properties")?.as_object()?;
    let (tag, _) = first.iter().find(|(_, value)| value.get("const").is_some())?;
    let all = each.iter().map(|one| {
        let name = one.get("properties")?.get(tag)?.get("const")?.as_str()?;
        Some((name, one))
    });
    Some((tag, all.collect::<Option<_>>()?))
}

/// Does it become a struct or an enum?
pub(super) fn is_declared(schema: &Value) -> bool {
    fields(schema).is_some() || names(schema).is_some() || choices(schema).is_some()
}

/// The Rust name of a named type. A number that schemars appended to keep two primitives' names
/// apart says nothing where each has a module.
pub(super) fn rust_name(name: &str) -> String {
    name.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned()
}

/// What a field is: its type, and whether that can say that there is nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Type {
    pub(super) rust: String,
    pub(super) optional: bool,
}

pub(super) fn of(schema: &Value, schemas: &Schemas) -> Type {
    let some = |rust: String| Type { rust, optional: false };
    if let Some(name) = reference(schema) {
        if BY_HAND.contains(&name) {
            return some(format!("crate::{name}"));
        }
        let named = schemas.get(name);
        return if is_declared(named) { some(rust_name(name)) } else { of(named, schemas) };
    }
    if let Some(alternatives) = schema.get("anyOf").and_then(Value::as_array) {
        return either(alternatives, schemas);
    }
    match schema.get("type") {
        Some(Value::Array(kinds)) => {
            let kinds: Vec<_> = kinds.iter().filter_map(Value::as_str).collect();
            let [kind, "null"] = kinds[..] else { return some("Json".to_owned()) };
            Type { rust: plain(kind, schema, schemas), optional: true }
        }
        Some(Value::String(kind)) => some(plain(kind, schema, schemas)),
        _ => some("Json".to_owned()),
    }
}

fn either(alternatives: &[Value], schemas: &Schemas) -> Type {
    let is_null = |schema: &&Value| schema.get("type").is_some_and(|kind| kind == "null");
    let [one] = alternatives.iter().filter(|a| !is_null(a)).collect::<Vec<_>>()[..] else {
        return Type { rust: "Json".to_owned(), optional: false };
    };
    Type { optional: true, ..of(one, schemas) }
}

fn plain(kind: &str, schema: &Value, schemas: &Schemas) -> String {
    let format = schema.get("format").and_then(Value::as_str);
    let not_negative = schema.get("minimum").and_then(Value::as_i64).is_some_and(|min| min >= 0);
    match (kind, format) {
        ("string", Some("duration")) => "Lifetime".to_owned(),
        ("string", _) => "String".to_owned(),
        ("boolean", _) => "bool".to_owned(),
        ("integer", Some(bits @ ("uint8" | "uint16" | "uint32"))) => bits.replace("uint", "u"),
        ("integer", _) if not_negative => "u64".to_owned(),
        ("integer", _) => "i64".to_owned(),
        ("array", _) => match schema.get("items") {
            Some(items) => format!("Vec<{}>", of(items, schemas).rust),
            None => "Vec<Json>".to_owned(),
        },
        ("object", _) => match schema.get("additionalProperties") {
            Some(values @ Value::Object(_)) => {
                format!("BTreeMap<String, {}>", of(values, schemas).rust)
            }
            _ => "Json".to_owned(),
        },
        _ => "Json".to_owned(),
    }
}
