//! Schemas and instances over few names and few numbers, so that they meet often.

use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Map, Value, json};

const TYPES: [&str; 7] = ["null", "boolean", "integer", "number", "string", "array", "object"];

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        4 => (-2..4_i64).prop_map(Value::from),
        2 => select(vec![json!(0.5), json!(1.0), json!(2.5), json!(1e300)]),
        4 => select(vec!["", "a", "b", "ab", "abc"]).prop_map(Value::from),
    ]
}

/// Any value.
pub(super) fn instance() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(2, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(select(vec!["a", "b", "c"]), inner, 0..4)
                .prop_map(|members| members.into_iter().map(|(n, v)| (n.to_owned(), v)).collect()),
        ]
    })
}

/// Keywords that are written together.
type Keywords = Vec<(String, Value)>;

fn with_others(
    (name, value): (&str, Value),
    others: impl IntoIterator<Item = (&'static str, Option<Value>)>,
) -> Keywords {
    let others = others.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    std::iter::once((name.to_owned(), value)).chain(others).collect()
}

/// Those that are not all there is to be said of a place.
fn together(inner: &BoxedStrategy<Value>) -> impl Strategy<Value = Keywords> + use<> {
    let (branch, most) =
        (|| option::of(inner.clone()), || option::of((0..3_u64).prop_map(Value::from)));
    let names = || select(vec!["a", "b", "c"]);
    let lists = prop::collection::btree_map(names(), vec(names(), 0..3), 1..3);
    let implied = prop::collection::btree_map(names(), inner.clone(), 1..3);
    let patterns = prop::collection::btree_map(select(vec!["^a", "b$"]), inner.clone(), 1..3);
    prop_oneof![
        (inner.clone(), branch(), branch())
            .prop_map(|(when, then, or)| with_others(("if", when), [("then", then), ("else", or)])),
        (inner.clone(), most(), most()).prop_map(|(what, least, most)| {
            with_others(("contains", what), [("minContains", least), ("maxContains", most)])
        }),
        (patterns, branch()).prop_map(|(patterns, others)| {
            with_others(("patternProperties", json!(patterns)), [("additionalProperties", others)])
        }),
        inner.clone().prop_map(|names| with_others(("propertyNames", names), [])),
        lists.prop_map(|lists| with_others(("dependentRequired", json!(lists)), [])),
        implied.prop_map(|implied| with_others(("dependentSchemas", json!(implied)), [])),
    ]
}

fn keyword(inner: &BoxedStrategy<Value>) -> impl Strategy<Value = (String, Value)> + use<> {
    let list = || vec(inner.clone(), 1..3).prop_map(Value::from);
    let named = prop::collection::btree_map(select(vec!["a", "b"]), inner.clone(), 0..3);
    let number = || prop_oneof![(-1..4_i64).prop_map(Value::from), Just(json!(1.5))];
    let with = |name: &'static str| move |value: Value| (name.to_owned(), value);
    let counting =
        ["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"];
    let bounding = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"];
    prop_oneof![
        4 => select(&TYPES[..]).prop_map(|name| ("type".to_owned(), name.into())),
        2 => vec(select(&TYPES[..]), 1..4).prop_map(|names| ("type".to_owned(), json!(names))),
        2 => vec(instance(), 1..4).prop_map(|values| ("enum".to_owned(), values.into())),
        1 => instance().prop_map(with("const")),
        3 => (select(bounding.to_vec()), number()).prop_map(|(name, value)| (name.to_owned(), value)),
        1 => (1..4_u64).prop_map(|of| ("multipleOf".to_owned(), of.into())),
        3 => (select(counting.to_vec()), 0..4_u64).prop_map(|(name, n)| (name.to_owned(), n.into())),
        1 => select(vec!["^a", "b$"]).prop_map(|text| ("pattern".to_owned(), text.into())),
        1 => any::<bool>().prop_map(|unique| ("uniqueItems".to_owned(), unique.into())),
        2 => vec(select(vec!["a", "b", "c"]), 0..3).prop_map(|names| ("required".to_owned(), json!(names))),
        2 => inner.clone().prop_map(with("items")),
        1 => list().prop_map(with("prefixItems")),
        3 => named.prop_map(|named| ("properties".to_owned(), json!(named))),
        2 => inner.clone().prop_map(with("additionalProperties")),
        1 => list().prop_map(with("allOf")),
        1 => list().prop_map(with("anyOf")),
        1 => list().prop_map(with("oneOf")),
        1 => inner.clone().prop_map(with("not")),
    ]
}

fn part() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        1 => any::<bool>().prop_map(Value::from),
        // Down an item or a member, so that it does not go round at one place.
        1 => Just(json!({ "items": { "$ref": "#" } })),
        1 => Just(json!({ "properties": { "a": { "$ref": "#/$defs/d" } } })),
        2 => select(&TYPES[..]).prop_map(|name| json!({ "type": name })),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let inner = inner.boxed();
        let single = vec(keyword(&inner), 0..4);
        (single, option::weighted(0.4, together(&inner))).prop_map(|(single, together)| {
            Value::Object(single.into_iter().chain(together.into_iter().flatten()).collect())
        })
    })
}

/// Any schema, with one under `$defs`.
pub(super) fn schema() -> impl Strategy<Value = Value> {
    (part(), part()).prop_map(|(whole, named)| {
        let mut whole = match whole {
            Value::Object(whole) => whole,
            other => Map::from_iter([("allOf".to_owned(), json!([other]))]),
        };
        whole.insert("$defs".to_owned(), json!({ "d": named }));
        Value::Object(whole)
    })
}

/// Keywords that may be changed, in order of their places.
fn places(schema: &Value, at: &str, found: &mut Vec<String>) {
    match schema {
        Value::Object(members) => {
            for (name, member) in members {
                let place = format!("{at}/{name}");
                if name != "$defs" && name != "d" {
                    found.push(place.clone());
                }
                places(member, &place, found);
            }
        }
        Value::Array(all) => {
            for (index, one) in all.iter().enumerate() {
                places(one, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// The same schema with a thing or two taken away or made wider: often, not always, a looser one.
pub(super) fn looser(schema: Value) -> impl Strategy<Value = Value> {
    vec((any::<prop::sample::Index>(), option::of(1..3_i64)), 1..3).prop_map(move |changes| {
        let mut schema = schema.clone();
        for (which, by) in changes {
            let mut found = Vec::new();
            places(&schema, "", &mut found);
            if found.is_empty() {
                continue;
            }
            let place = &found[which.index(found.len())];
            let (parent, name) = place.rsplit_once('/').unwrap();
            let parent = schema.pointer_mut(parent).unwrap().as_object_mut().unwrap();
            let widened = parent[name].as_i64().zip(by).map(|(number, by)| match name {
                _ if name.starts_with("min") => (number - by).max(0),
                _ => number + by,
            });
            match widened {
                Some(number) => parent.insert(name.to_owned(), number.into()),
                None => {
                    // These mean nothing without it, and are refused.
                    let beside: &[&str] = match name {
                        "if" => &["then", "else"],
                        "contains" => &["minContains", "maxContains"],
                        _ => &[],
                    };
                    beside.iter().for_each(|other| drop(parent.remove(*other)));
                    parent.remove(name)
                }
            };
        }
        schema
    })
}
