//! JSON Schema as one would write it down from the specification, keyword by keyword.

use serde_json::Value;

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(_), Value::Number(_)) => number(one) == number(other),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(a, b)| same(a, b))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, a)| other.get(name).is_some_and(|b| same(a, b)))
        }
        _ => one == other,
    }
}

fn has_type(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_number() && number(value).fract() == 0.0,
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no type: {other}"),
    }
}

/// Does an instance pass a schema, which is a part of `root`?
pub(super) fn passes(root: &Value, schema: &Value, value: &Value) -> bool {
    let Value::Object(keywords) = schema else { return schema == &Value::Bool(true) };
    keywords.iter().all(|(keyword, what)| holds(root, schema, keyword, what, value))
}

fn holds(root: &Value, schema: &Value, keyword: &str, what: &Value, value: &Value) -> bool {
    let count = |what: &Value| usize::try_from(what.as_u64().unwrap()).unwrap();
    let all = || what.as_array().unwrap().iter().filter(|one| passes(root, one, value)).count();
    match keyword {
        "type" if what.is_array() => {
            what.as_array().unwrap().iter().any(|one| has_type(one.as_str().unwrap(), value))
        }
        "type" => has_type(what.as_str().unwrap(), value),
        "enum" => what.as_array().unwrap().iter().any(|one| same(one, value)),
        "const" => same(what, value),
        "$ref" => {
            let pointer = what.as_str().unwrap().strip_prefix('#').unwrap();
            passes(root, root.pointer(pointer).unwrap(), value)
        }
        "allOf" => all() == what.as_array().unwrap().len(),
        "anyOf" => all() > 0,
        "oneOf" => all() == 1,
        "not" => !passes(root, what, value),
        "if" => {
            let branch = if passes(root, what, value) { "then" } else { "else" };
            schema.get(branch).is_none_or(|schema| passes(root, schema, value))
        }
        "dependentSchemas" => {
            let mut all = what.as_object().unwrap().iter();
            all.all(|(name, schema)| value.get(name).is_none() || passes(root, schema, value))
        }
        _ => match value {
            Value::Number(_) => match keyword {
                "minimum" => number(value) >= number(what),
                "maximum" => number(value) <= number(what),
                "exclusiveMinimum" => number(value) > number(what),
                "exclusiveMaximum" => number(value) < number(what),
                "multipleOf" => number(value) % number(what) == 0.0,
                _ => true,
            },
            Value::String(text) => match keyword {
                "minLength" => text.chars().count() >= count(what),
                "maxLength" => text.chars().count() <= count(what),
                "pattern" => matches(what.as_str().unwrap(), text),
                _ => true,
            },
            Value::Array(items) => of_items(root, schema, keyword, what, items),
            Value::Object(members) => match keyword {
                "minProperties" => members.len() >= count(what),
                "maxProperties" => members.len() <= count(what),
                "required" => {
                    let mut names = what.as_array().unwrap().iter();
                    names.all(|name| members.contains_key(name.as_str().unwrap()))
                }
                "properties" => members.iter().all(|(name, member)| {
                    what.get(name).is_none_or(|schema| passes(root, schema, member))
                }),
                "patternProperties" => what.as_object().unwrap().iter().all(|(pattern, schema)| {
                    let mut members = members.iter();
                    members.all(|(name, member)| {
                        !matches(pattern, name) || passes(root, schema, member)
                    })
                }),
                "additionalProperties" => members.iter().all(|(name, member)| {
                    let named = schema.pointer("/properties").and_then(|all| all.get(name));
                    let patterns = schema.get("patternProperties").and_then(Value::as_object);
                    let mut patterns = patterns.into_iter().flat_map(|all| all.keys());
                    let known = named.is_some() || patterns.any(|pattern| matches(pattern, name));
                    known || passes(root, what, member)
                }),
                "propertyNames" => {
                    members.keys().all(|name| passes(root, what, &Value::from(name.as_str())))
                }
                "dependentRequired" => what.as_object().unwrap().iter().all(|(name, others)| {
                    let mut others = others.as_array().unwrap().iter();
                    !members.contains_key(name)
                        || others.all(|other| members.contains_key(other.as_str().unwrap()))
                }),
                _ => true,
            },
            Value::Null | Value::Bool(_) => true,
        },
    }
}

fn matches(pattern: &str, text: &str) -> bool {
    match pattern {
        "^a" => text.starts_with('a'),
        "b$" => text.ends_with('b'),
        other => panic!("no pattern of ours: {other}"),
    }
}

fn of_items(root: &Value, schema: &Value, keyword: &str, what: &Value, items: &[Value]) -> bool {
    let count = |what: &Value| usize::try_from(what.as_u64().unwrap()).unwrap();
    let prefix = schema.get("prefixItems").and_then(Value::as_array).map_or(0, Vec::len);
    match keyword {
        "minItems" => items.len() >= count(what),
        "maxItems" => items.len() <= count(what),
        "uniqueItems" => {
            let twice = |at: usize| items[..at].iter().any(|other| same(other, &items[at]));
            what == &Value::Bool(false) || !(0..items.len()).any(twice)
        }
        "contains" => {
            let found = items.iter().filter(|item| passes(root, what, item)).count();
            found >= schema.get("minContains").map_or(1, count)
                && schema.get("maxContains").is_none_or(|most| found <= count(most))
        }
        "prefixItems" => {
            let pairs = what.as_array().unwrap().iter().zip(items);
            pairs.into_iter().all(|(schema, item)| passes(root, schema, item))
        }
        "items" => items.iter().skip(prefix).all(|item| passes(root, what, item)),
        _ => true,
    }
}
