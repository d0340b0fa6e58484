//! JSON Schema against a naive judge, which reads the schema anew at every place, and what is
//! called compatible against instances: whatever passes the one passes the other.

mod generated;
mod naive;
mod suite;

use holdfast_flow::json_schema::{Difference, Fault, Schema, Steps, compare};
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

use generated::{instance, looser, schema};
use naive::passes;

fn compiled(json: &Value) -> Schema {
    Schema::compile(&json.to_string()).unwrap_or_else(|error| panic!("{error}: {json}"))
}

fn judged(schema: &Schema, instance: &Value) -> bool {
    schema.validate(instance, &mut Steps(1_000_000)).is_ok()
}

fn within(one: &Value, other: &Value) -> Result<(), Difference> {
    compare(&compiled(one), &compiled(other), &mut 50_000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn instances_are_judged_as_a_naive_judge_does(
        schema in schema(),
        instances in vec(instance(), 1..12),
    ) {
        let ours = compiled(&schema);
        for instance in instances {
            let expected = passes(&schema, &schema, &instance);
            prop_assert_eq!(judged(&ours, &instance), expected, "{} {}", schema, instance);
        }
    }

    #[test]
    fn what_is_called_compatible_is(
        (one, other) in prop_oneof![
            (schema(), schema()),
            schema().prop_flat_map(|one| { let other = looser(one.clone()); (Just(one), other) }),
        ],
        instances in vec(instance(), 40),
    ) {
        if within(&one, &other).is_ok() {
            for instance in instances {
                let fine = !passes(&one, &one, &instance) || passes(&other, &other, &instance);
                prop_assert!(fine, "{} passes {} and not {}", instance, one, other);
            }
        }
    }
}

/// What people do to schemas, and what is said of it: `Ok`, or where and by which keyword.
#[test]
fn changes_that_people_make_are_told_apart() {
    let trip = json!({ "type": "object", "properties": {
        "id": { "type": "string", "maxLength": 40 },
        "state": { "enum": ["held", "paid"] },
        "price": { "type": "integer", "minimum": 0 },
        "tags": { "type": "array", "items": { "type": "string" } },
    }, "required": ["id"], "additionalProperties": false });
    let with = |pointer: &str, value: Value| {
        let mut changed = trip.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        changed
            .pointer_mut(parent)
            .unwrap()
            .as_object_mut()
            .unwrap()
            .insert(name.to_owned(), value);
        changed
    };
    let outside =
        |pointer: &str, keyword| Err(Difference::Outside { pointer: pointer.to_owned(), keyword });
    for (changed, backward, forward) in [
        (
            with("/properties/note", json!({ "type": "string" })),
            Ok(()),
            outside("/note", "additionalProperties"),
        ),
        (with("/required", json!(["id", "price"])), outside("", "required"), Ok(())),
        (
            with("/properties/state", json!({ "enum": ["held", "paid", "lost"] })),
            Ok(()),
            outside("/state", "enum"),
        ),
        (
            with("/properties/price", json!({ "type": "number", "minimum": 0 })),
            Ok(()),
            outside("/price", "type"),
        ),
        (
            with("/properties/price", json!({ "type": "integer", "minimum": 1 })),
            outside("/price", "minimum"),
            Ok(()),
        ),
        (with("/properties/id", json!({ "type": "string" })), Ok(()), outside("/id", "maxLength")),
        (
            with("/properties/tags/items", json!({ "type": ["string", "null"] })),
            Ok(()),
            outside("/tags/*", "type"),
        ),
        (with("/additionalProperties", json!(true)), Ok(()), outside("/*", "additionalProperties")),
        (with("/title", json!("Trip")), Ok(()), Ok(())),
    ] {
        assert_eq!(within(&trip, &changed), backward, "{changed}");
        assert_eq!(within(&changed, &trip), forward, "{changed}");
    }
}

#[test]
fn what_cannot_be_told_is_not_called_compatible() {
    let unknown = |one: Value, other: Value, keyword| {
        let Err(Difference::Unknown { keyword: found, .. }) = within(&one, &other) else {
            panic!("{one} {other}: {:?}", within(&one, &other));
        };
        assert_eq!(found, keyword, "{one} {other}");
    };
    unknown(json!({ "type": "string" }), json!({ "pattern": "^.*$" }), "pattern");
    unknown(json!({ "type": "string" }), json!({ "not": { "type": "null" } }), "not");
    unknown(
        json!({ "type": "string" }),
        json!({ "oneOf": [{ "type": "string" }, false] }),
        "oneOf",
    );
    let object = || json!({ "type": "object" });
    unknown(object(), json!({ "if": { "required": ["a"] }, "then": { "required": ["b"] } }), "if");
    unknown(
        object(),
        json!({ "patternProperties": { "^a": { "type": "null" } } }),
        "patternProperties",
    );
    unknown(
        object(),
        json!({ "dependentSchemas": { "a": { "required": ["b"] } } }),
        "dependentSchemas",
    );
    unknown(json!({ "minItems": 9 }), json!({ "contains": { "type": "null" } }), "contains");
    let twice = json!({ "contains": { "type": "integer" }, "minContains": 2 });
    unknown(json!({ "contains": { "const": 1 } }), twice, "contains");
    let when = |what: &str| json!({ "if": { "required": [what] }, "then": { "required": ["c"] } });
    unknown(when("a"), when("b"), "if");
    let only = |pattern: &str, of: &str| json!({ "patternProperties": { pattern: { "type": of } }, "additionalProperties": false });
    unknown(
        only("^y", "null"),
        json!({ "patternProperties": { "^x": { "type": "string" } } }),
        "patternProperties",
    );
    unknown(only("^y", "null"), only("^x", "null"), "patternProperties");
    let list = |of: Value| json!({ "type": of, "properties": { "l": { "not": { "items": { "$ref": "#" } } } } });
    unknown(list(json!("object")), list(json!(["object", "null"])), "not");
    let halves = json!({ "anyOf": [{ "maximum": 5 }, { "minimum": 5 }] });
    unknown(json!({ "type": "integer" }), halves, "anyOf");
    let both = json!({ "allOf": [{ "minimum": 5 }], "minimum": 2 });
    unknown(both, json!({ "minimum": 7 }), "allOf");
}

/// Whatever a part says, beside it something may change.
#[test]
fn what_is_the_same_on_both_sides_is_compatible() {
    for part in [
        json!({ "not": { "required": ["x"] } }),
        json!({ "oneOf": [{ "required": ["x"] }, { "required": ["y"] }] }),
        json!({ "if": { "properties": { "x": { "const": 1 } } }, "then": { "required": ["y"] } }),
        json!({ "if": { "required": ["x"] }, "else": { "minProperties": 3 } }),
        json!({ "patternProperties": { "^x-": { "pattern": "a.*b" } }, "additionalProperties": { "type": "null" } }),
        json!({ "propertyNames": { "maxLength": 4 }, "dependentRequired": { "x": ["y"] } }),
        json!({ "dependentSchemas": { "x": { "properties": { "y": { "type": "integer" } } } } }),
        json!({ "properties": { "l": { "contains": { "$ref": "#/$defs/d" }, "maxContains": 2 } }, "$defs": { "d": { "not": true } } }),
    ] {
        let with = |member: Value| {
            let mut whole = part.clone();
            whole["properties"]["n"] = member;
            whole
        };
        let (narrow, wide) = (with(json!({ "maximum": 5 })), with(json!({ "maximum": 6 })));
        assert_eq!(within(&narrow, &wide), Ok(()), "{part}");
        assert!(within(&wide, &narrow).is_err(), "{part}");
        let different = json!({ "$defs": { "d": { "not": { "type": "null" } } } });
        let mut other = part.clone();
        if other.get("$defs").is_some() {
            other["$defs"] = different["$defs"].clone();
            assert!(within(&part, &other).is_err(), "the same words, and another meaning");
        }
    }
}

#[test]
fn members_are_compared_by_all_that_is_said_of_their_names() {
    let outside =
        |pointer: &str, keyword| Err(Difference::Outside { pointer: pointer.to_owned(), keyword });
    let tags = |of: Value| json!({ "patternProperties": { "^x-": of } });
    assert_eq!(
        within(&tags(json!({ "type": "integer" })), &tags(json!({ "type": "number" }))),
        Ok(())
    );
    let named =
        json!({ "properties": { "x-a": { "type": "string" } }, "additionalProperties": false });
    assert_eq!(within(&named, &tags(json!({ "type": "string" }))), Ok(()));
    assert_eq!(within(&named, &tags(json!({ "type": "null" }))), outside("/x-a", "type"));
    assert_eq!(within(&named, &json!({ "propertyNames": { "maxLength": 3 } })), Ok(()));
    let short = json!({ "propertyNames": { "maxLength": 2 } });
    assert_eq!(within(&named, &short), outside("/x-a", "propertyNames"));
    assert_eq!(within(&json!({ "type": "object" }), &short), outside("", "propertyNames"));
    let both = json!({ "properties": { "x-a": true }, "patternProperties": { "^x-": { "maxLength": 3 } } });
    assert_eq!(within(&named, &both), outside("/x-a", "maxLength"));
    let none = json!({ "maxProperties": 0 });
    let few = json!({ "patternProperties": { "^x-": true }, "additionalProperties": false });
    assert_eq!(within(&few, &none), outside("", "maxProperties"));
    let brings = json!({ "dependentRequired": { "a": ["b"] } });
    assert_eq!(within(&json!({ "required": ["b"] }), &brings), Ok(()));
    assert_eq!(within(&named, &brings), Ok(()), "there is never an a");
    let another = json!({ "dependentRequired": { "c": ["b"] } });
    assert_eq!(within(&another, &brings), outside("", "dependentRequired"));
    assert_eq!(within(&json!({ "type": "object" }), &brings), outside("", "dependentRequired"));
    let thrice = json!({ "contains": { "const": 1 }, "minContains": 3 });
    assert_eq!(within(&thrice, &json!({ "contains": { "type": "integer" } })), Ok(()));
}

#[test]
fn schemas_that_refer_to_themselves_are_compared() {
    let tree = |extra: Value| {
        json!({ "$ref": "#/$defs/tree", "$defs": { "tree": { "type": "object",
            "properties": { "left": { "$ref": "#/$defs/tree" }, "n": extra } } } })
    };
    let (narrow, wide) = (tree(json!({ "type": "integer" })), tree(json!({ "type": "number" })));
    assert_eq!(within(&narrow, &narrow), Ok(()));
    assert_eq!(within(&narrow, &wide), Ok(()));
    assert!(within(&wide, &narrow).is_err());
    let endless = json!({ "items": { "$ref": "#" }, "type": ["array", "null"] });
    assert!(within(&json!(true), &endless).is_err());
    assert_eq!(within(&json!({ "type": "null" }), &endless), Ok(()));
}

#[test]
fn what_is_not_judged_is_refused_and_named() {
    for (schema, pointer) in [
        (json!(5), ""),
        (json!({ "unevaluatedItems": true }), "/unevaluatedItems"),
        (
            json!({ "properties": { "a/b": { "$dynamicRef": "#" } } }),
            "/properties/a~1b/$dynamicRef",
        ),
        (json!({ "then": true }), ""),
        (json!({ "items": { "minContains": 2 } }), "/items"),
        (json!({ "patternProperties": { "(": true } }), "/patternProperties/("),
        (json!({ "dependentRequired": { "a": "b" } }), "/dependentRequired/a"),
        (json!({ "dependentRequired": ["a"] }), "/dependentRequired"),
        (json!({ "if": { "$ref": "#" } }), ""),
        (json!({ "dependentSchemas": { "a": { "$ref": "#" } } }), ""),
        (json!({ "$schema": "http://json-schema.org/draft-07/schema#" }), "/$schema"),
        (json!({ "$ref": "https://example.com/s" }), "/$ref"),
        (json!({ "$ref": "#/$defs/none" }), "/$ref"),
        (json!({ "$ref": "#" }), ""),
        (json!({ "$ref": "#/$defs/a", "$defs": { "a": { "anyOf": [{ "$ref": "#" }] } } }), ""),
        (json!({ "items": { "$defs": {} } }), "/items/$defs"),
        (json!({ "type": "int" }), "/type"),
        (json!({ "type": [] }), "/type"),
        (json!({ "enum": [] }), "/enum"),
        (json!({ "multipleOf": 0.1 }), "/multipleOf"),
        (json!({ "minLength": -1 }), "/minLength"),
        (json!({ "pattern": "(?=a)" }), "/pattern"),
        (json!({ "pattern": "(a)\\1" }), "/pattern"),
        (json!({ "required": "a" }), "/required"),
        (json!({ "anyOf": [] }), "/anyOf"),
        (json!({ "minimum": "1" }), "/minimum"),
    ] {
        let error = Schema::compile(&schema.to_string()).unwrap_err();
        assert_eq!(error.pointer, pointer, "{schema}: {error}");
    }
    let deep = (0..17).fold(json!(true), |inner, _| json!({ "allOf": [inner] }));
    assert!(Schema::compile(&deep.to_string()).is_err());
    let long = format!("{{\"title\":\"{}\"}}", "x".repeat(32 << 10));
    assert!(Schema::compile(&long).is_err() && Schema::compile("{").is_err());
}

#[test]
fn what_is_wrong_is_named_by_place_and_keyword() {
    let schema = compiled(&json!({ "type": "object", "properties": {
        "a/b": { "type": "array", "items": { "type": "integer", "exclusiveMaximum": 5 }, "uniqueItems": true },
        "c": { "pattern": "^x+$", "minLength": 2 },
        "d": false,
        "e": { "oneOf": [{ "minimum": 1 }, { "maximum": 3 }] },
        "g": { "contains": { "const": 1 }, "maxContains": 1 },
        "h": { "if": { "type": "integer" }, "then": { "minimum": 5 }, "else": { "type": "null" } },
    }, "patternProperties": { "^x-": { "type": "null" }, "secret": false }, "additionalProperties": false,
       "dependentRequired": { "c": ["e"] },
       "propertyNames": { "maxLength": 9 } }));
    for (instance, pointer, keyword) in [
        (json!([]), "", "type"),
        (json!({ "a/b": [1, 5] }), "/a~1b/1", "exclusiveMaximum"),
        (json!({ "a/b": [1, 1.0] }), "/a~1b", "uniqueItems"),
        (json!({ "c": "xy", "e": 0 }), "/c", "pattern"),
        (json!({ "c": "x", "e": 0 }), "/c", "minLength"),
        (json!({ "c": "xx" }), "", "dependentRequired"),
        (json!({ "g": [2] }), "/g", "contains"),
        (json!({ "g": [1, 1] }), "/g", "maxContains"),
        (json!({ "h": 3 }), "/h", "minimum"),
        (json!({ "h": "3" }), "/h", "type"),
        (json!({ "x-y": 1 }), "/x-y", "type"),
        (json!({ "x-secret": null }), "/x-secret", "patternProperties"),
        (json!({ "x-yyyyyyyy": null }), "/x-yyyyyyyy", "propertyNames"),
        (json!({ "d": 1 }), "/d", "properties"),
        (json!({ "e": 2 }), "/e", "oneOf"),
        (json!({ "f": 1 }), "/f", "additionalProperties"),
    ] {
        let fault = schema.validate(&instance, &mut Steps(1000)).unwrap_err();
        assert_eq!(fault, Fault::Invalid { pointer: pointer.to_owned(), keyword }, "{instance}");
    }
}

#[test]
fn steps_are_counted() {
    // Each level asks twice of the one below it.
    let mut definitions = serde_json::Map::new();
    definitions.insert("d0".to_owned(), json!({ "type": "string" }));
    for level in 1..15 {
        let below = json!({ "$ref": format!("#/$defs/d{}", level - 1) });
        definitions.insert(format!("d{level}"), json!({ "anyOf": [below, below] }));
    }
    let schema = json!({ "items": { "$ref": "#/$defs/d7" }, "$defs": definitions });
    let refused = Schema::compile(&schema.to_string());
    assert!(refused.is_err(), "more than so many look at one place");
    let schema = json!({ "uniqueItems": true, "items": { "pattern": "(a*)*b" } });
    let schema = compiled(&schema);
    let many = Value::from((0..2000).collect::<Vec<_>>());
    assert_eq!(schema.validate(&many, &mut Steps(1_000_000)), Err(Fault::TooCostly));
    let long = json!(["a".repeat(60_000)]);
    assert_eq!(schema.validate(&long, &mut Steps(10_000)), Err(Fault::TooCostly));
    let mut steps = Steps(1_000_000);
    assert!(schema.validate(&long, &mut steps).is_err() && steps.0 < 990_000);
}
