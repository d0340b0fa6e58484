//! JSON merge patch (RFC 7396).
//!
//! An object changes members by name, `null` removes one, anything else replaces the
//! whole. Only objects that the patch reaches into are taken apart, and their members
//! are sorted by name then; all else stays letter for letter, so that no number loses
//! digits.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::value::Value;

type Members<'j> = BTreeMap<String, &'j RawValue>;

/// The value with the patch applied, as JSON without spaces.
pub(super) fn merge(value: &Value, patch: &Value) -> String {
    let mut out = String::with_capacity(value.as_str().len() + patch.as_str().len());
    push_merged(&mut out, Some(value.as_str()), patch.as_str());
    out
}

fn push_merged(out: &mut String, target: Option<&str>, patch: &str) {
    let Some(changes) = members(patch) else {
        out.push_str(patch);
        return;
    };
    let mut kept = target.and_then(members).unwrap_or_default();
    let mut all: BTreeMap<String, (Option<&str>, Option<&str>)> = BTreeMap::new();
    for (name, change) in changes {
        let old = kept.remove(&name).map(RawValue::get);
        if change.get() != "null" {
            all.insert(name, (old, Some(change.get())));
        }
    }
    all.extend(kept.into_iter().map(|(name, old)| (name, (Some(old.get()), None))));
    out.push('{');
    for (index, (name, (old, change))) in all.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(&serde_json::to_string(&name).expect("text is JSON"));
        out.push(':');
        match (old, change) {
            (old, Some(change)) => push_merged(out, old, change),
            (old, None) => out.push_str(old.unwrap_or("null")),
        }
    }
    out.push('}');
}

/// The members of an object; `None` for any other JSON.
fn members(json: &str) -> Option<Members<'_>> {
    let object = json.starts_with('{');
    object.then(|| serde_json::from_str(json).expect("it was checked when it came in"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    use super::*;

    fn merged(value: &str, patch: &str) -> String {
        merge(&Value::new(value).unwrap(), &Value::new(patch).unwrap())
    }

    /// The examples of RFC 7396, appendix A, in its order.
    #[test]
    fn the_examples_of_the_standard_come_out() {
        for (value, patch, expected) in [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"a":null}"#, "{}"),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
            (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"["a","b"]"#, r#"["c","d"]"#, r#"["c","d"]"#),
            (r#"{"a":"b"}"#, r#"["c"]"#, r#"["c"]"#),
            (r#"{"a":"foo"}"#, "null", "null"),
            (r#"{"a":"foo"}"#, r#""bar""#, r#""bar""#),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"a":1,"e":null}"#),
            ("[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
            ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
        ] {
            assert_eq!(merged(value, patch), expected, "{value} {patch}");
        }
    }

    #[test]
    fn what_the_patch_does_not_reach_keeps_its_letters() {
        let value = r#"{"n":12345678901234567890.10,"o":{"z":1e400,"a":0.10},"p":{"b":1}}"#;
        // A number without a double near it is refused when it comes in; the rest is not.
        assert!(Value::new(value).is_err());
        let value = r#"{"n":12345678901234567890.10,"o":{"z":1.0e3,"a":0.10},"p":{"b":1}}"#;
        let expected = r#"{"n":12345678901234567890.10,"o":{"z":1.0e3,"a":0.10},"p":{"b":2.50}}"#;
        assert_eq!(merged(value, r#"{"p":{"b":2.50}}"#), expected);
        assert_eq!(merged(r#"{"a\u0062":1,"c":2}"#, r#"{"ab":null}"#), r#"{"c":2}"#);
    }

    /// As the standard writes it, on values.
    fn naive(target: Json, patch: &Json) -> Json {
        let Json::Object(changes) = patch else { return patch.clone() };
        let mut object = match target {
            Json::Object(object) => object,
            _ => serde_json::Map::new(),
        };
        for (name, change) in changes {
            if change.is_null() {
                object.remove(name);
            } else {
                let old = object.remove(name).unwrap_or(Json::Null);
                object.insert(name.clone(), naive(old, change));
            }
        }
        Json::Object(object)
    }

    fn json_value() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            (0..3_i32).prop_map(Json::from),
            "[a-c]{0,1}".prop_map(Json::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Json::from),
                prop::collection::btree_map("[a-d]", inner, 0..4)
                    .prop_map(|members| json!(members)),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_is_the_algorithm_of_the_standard(value in json_value(), patch in json_value()) {
            let found: Json = serde_json::from_str(&merged(&value.to_string(), &patch.to_string())).unwrap();
            prop_assert_eq!(found, naive(value, &patch));
        }
    }
}
