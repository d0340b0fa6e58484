//! From JSON to a schema, with everything refused that would not be judged.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{
    number::{Num, same},
    pattern::Pattern,
    schema::{Bound, Node, NodeId, Refers, Rules, SOME, Schema, Source, Types},
};

/// The most bytes that a schema may have as text.
pub const BYTES_MAX: usize = 32 << 10;

/// The most places that a schema may speak of.
const NODES_MAX: usize = 2_000;

/// How many nodes may look at the same place of an instance, one by way of the other.
const IN_PLACE_MAX: usize = 16;

/// The largest number that counts something, and the largest divisor.
const COUNT_MAX: u64 = 1 << 53;

/// The one dialect.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Keywords that say something to people and nothing about instances. `format` is one of
/// them in this dialect.
const ANNOTATIONS: &[&str] = &[
    "$comment",
    "$id",
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "format",
    "contentEncoding",
    "contentMediaType",
];

/// Why a text is not a schema that can be judged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{pointer}: {message}")]
pub struct NotASchema {
    /// JSON Pointer into the schema.
    pub pointer: String,
    /// What is wrong there.
    pub message: String,
}

impl Schema {
    /// The schema that this JSON text is.
    ///
    /// # Errors
    /// [`NotASchema`] names the place: not JSON, too large, a keyword or pattern that is not
    /// judged here, a `$ref` that leads elsewhere or goes round.
    pub fn compile(json: &str) -> Result<Self, NotASchema> {
        let bad = |message: String| NotASchema { pointer: String::new(), message };
        if json.len() > BYTES_MAX {
            return Err(bad(format!("a schema has at most {BYTES_MAX} bytes, not {}", json.len())));
        }
        let root: Value = serde_json::from_str(json).map_err(|error| bad(error.to_string()))?;
        let mut compiler = Compiler::default();
        compiler.definitions(&root)?;
        compiler.node(&root, "")?;
        compiler.finish(root.get("$defs").cloned().unwrap_or_default())
    }
}

#[derive(Default)]
struct Compiler {
    nodes: Vec<Option<(Node, Source)>>,
    /// JSON Pointers to the nodes.
    places: Vec<String>,
    /// What `$ref` may name.
    named: BTreeMap<String, NodeId>,
}

impl Compiler {
    /// Gives the whole, and what `$defs` name, their numbers.
    fn definitions(&mut self, root: &Value) -> Result<(), NotASchema> {
        self.reserve(String::new())?;
        self.named.insert("#".to_owned(), 0);
        let Some(Value::Object(definitions)) = root.get("$defs") else { return Ok(()) };
        for name in definitions.keys() {
            let step = escape(name);
            let id = self.reserve(format!("/$defs/{step}"))?;
            self.named.insert(format!("#/$defs/{step}"), id);
        }
        Ok(())
    }

    fn reserve(&mut self, place: String) -> Result<NodeId, NotASchema> {
        if self.nodes.len() >= NODES_MAX {
            let message = format!("a schema speaks of at most {NODES_MAX} places");
            return Err(NotASchema { pointer: place, message });
        }
        self.nodes.push(None);
        self.places.push(place);
        Ok(self.nodes.len() - 1)
    }

    /// Compiles a schema at a place, which has its number already if it can be named.
    fn node(&mut self, json: &Value, place: &str) -> Result<NodeId, NotASchema> {
        let reserved = self.named.get(&format!("#{place}")).copied();
        let id = match reserved {
            Some(id) => id,
            None => self.reserve(place.to_owned())?,
        };
        let node = match json {
            Value::Bool(true) => Node::Any,
            Value::Bool(false) => Node::Nothing,
            Value::Object(keywords) => Node::Rules(Box::new(self.rules(keywords, place)?)),
            _ => return Err(at(place, "a schema is an object, true or false")),
        };
        let source = Source { json: json.clone(), refers: refers(json) };
        self.nodes[id] = Some((node, source));
        Ok(id)
    }

    fn rules(&mut self, keywords: &Map<String, Value>, place: &str) -> Result<Rules, NotASchema> {
        let mut rules = Rules::default();
        for (keyword, value) in keywords {
            let here = format!("{place}/{}", escape(keyword));
            let known = number_rule(&mut rules, keyword, value, &here)?
                || counting_rule(&mut rules, keyword, value, &here)?
                || value_rule(&mut rules, keyword, value, &here)?
                || self.inner_rule(&mut rules, keyword, value, &here)?
                || self.combining_rule(&mut rules, keyword, value, &here)?;
            if !known && !is_annotation(keyword, value, place) {
                return Err(at(&here, "this keyword is not judged here"));
            }
        }
        if rules.contains.is_none() && rules.contained != SOME {
            return Err(at(place, "minContains and maxContains stand beside contains"));
        }
        if rules.condition.is_none() && rules.then.or(rules.otherwise).is_some() {
            return Err(at(place, "then and else stand beside if"));
        }
        Ok(rules)
    }

    /// Keywords with schemas for what lies within.
    fn inner_rule(
        &mut self,
        rules: &mut Rules,
        keyword: &str,
        value: &Value,
        here: &str,
    ) -> Result<bool, NotASchema> {
        match keyword {
            "prefixItems" => rules.prefix = self.list(value, here)?,
            "items" => rules.items = Some(self.node(value, here)?),
            "contains" => rules.contains = Some(self.node(value, here)?),
            "additionalProperties" => rules.additional = Some(self.node(value, here)?),
            "properties" => rules.properties = self.named_schemas(value, here)?,
            "patternProperties" => {
                for (text, node) in self.named_schemas(value, here)? {
                    let place = format!("{here}/{}", escape(&text));
                    let pattern = Pattern::new(&text).map_err(|error| at(&place, &error))?;
                    rules.patterns.push((pattern, node));
                }
            }
            "propertyNames" => rules.names = Some(self.node(value, here)?),
            "$defs" => {
                if here != "/$defs" {
                    return Err(at(here, "$defs stands at the top"));
                }
                self.named_schemas(value, here)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Keywords with schemas for the same place.
    fn combining_rule(
        &mut self,
        rules: &mut Rules,
        keyword: &str,
        value: &Value,
        here: &str,
    ) -> Result<bool, NotASchema> {
        match keyword {
            "$ref" => {
                let target = value.as_str().and_then(|name| self.named.get(name));
                let message = "a $ref is # or #/$defs/NAME, and the schema has that";
                rules.all.push(*target.ok_or_else(|| at(here, message))?);
            }
            "allOf" => rules.all.extend(self.list(value, here)?),
            "anyOf" => rules.any = self.list(value, here)?,
            "oneOf" => rules.one = self.list(value, here)?,
            "not" => rules.not = Some(self.node(value, here)?),
            "if" => rules.condition = Some(self.node(value, here)?),
            "then" => rules.then = Some(self.node(value, here)?),
            "else" => rules.otherwise = Some(self.node(value, here)?),
            "dependentSchemas" => rules.imply = self.named_schemas(value, here)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn list(&mut self, value: &Value, here: &str) -> Result<Vec<NodeId>, NotASchema> {
        let all = value.as_array().filter(|all| !all.is_empty());
        let all = all.ok_or_else(|| at(here, "expected a list of at least one schema"))?;
        all.iter().enumerate().map(|(at, one)| self.node(one, &format!("{here}/{at}"))).collect()
    }

    fn named_schemas(
        &mut self,
        value: &Value,
        here: &str,
    ) -> Result<BTreeMap<String, NodeId>, NotASchema> {
        let all = value.as_object().ok_or_else(|| at(here, "expected an object of schemas"))?;
        all.iter()
            .map(|(name, one)| {
                Ok((name.clone(), self.node(one, &format!("{here}/{}", escape(name)))?))
            })
            .collect()
    }

    /// Nothing looks at one place of an instance for ever, or very often.
    fn finish(self, definitions: Value) -> Result<Schema, NotASchema> {
        let whole =
            self.nodes.into_iter().map(|node| node.expect("all that has a number is there"));
        let (nodes, sources) = whole.unzip();
        let schema = Schema { nodes, sources, definitions };
        let mut depths = vec![Depth::Unknown; schema.nodes.len()];
        for id in 0..schema.nodes.len() {
            if depth(&schema, id, &mut depths).is_none() {
                let message = format!(
                    "a $ref goes round, or more than {IN_PLACE_MAX} schemas look at one place, each by way of another"
                );
                return Err(NotASchema { pointer: self.places[id].clone(), message });
            }
        }
        Ok(schema)
    }
}

/// How many nodes look at one place, from a node on.
#[derive(Clone, Copy, Debug)]
enum Depth {
    Unknown,
    /// It is on the way to itself.
    Open,
    Known(usize),
}

/// `None` for too many. It looks at each node once.
fn depth(schema: &Schema, id: NodeId, depths: &mut [Depth]) -> Option<usize> {
    match depths[id] {
        Depth::Known(depth) => return Some(depth),
        Depth::Open => return None,
        Depth::Unknown => depths[id] = Depth::Open,
    }
    let mut deepest = 0;
    if let Node::Rules(rules) = &schema.nodes[id] {
        for next in rules.in_place() {
            deepest = deepest.max(depth(schema, next, depths)?);
        }
    }
    depths[id] = Depth::Known(deepest + 1);
    (deepest < IN_PLACE_MAX).then_some(deepest + 1)
}

/// Where the `$ref`s in this lead, at any depth.
pub(super) fn refers(json: &Value) -> Refers {
    let within = |values: &mut dyn Iterator<Item = &Value>| values.map(refers).max();
    let deepest = match json {
        Value::Object(members) => {
            let here = members.get("$ref").map(|target| match target.as_str() {
                Some("#") => Refers::Whole,
                _ => Refers::Definitions,
            });
            within(&mut members.values()).max(here)
        }
        Value::Array(items) => within(&mut items.iter()),
        _ => None,
    };
    deepest.unwrap_or(Refers::Nowhere)
}

fn is_annotation(keyword: &str, value: &Value, place: &str) -> bool {
    match keyword {
        "$schema" => place.is_empty() && value == DIALECT,
        other => ANNOTATIONS.contains(&other),
    }
}

fn at(pointer: &str, message: &str) -> NotASchema {
    NotASchema { pointer: pointer.to_owned(), message: message.to_owned() }
}

fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn number_rule(
    rules: &mut Rules,
    keyword: &str,
    value: &Value,
    here: &str,
) -> Result<bool, NotASchema> {
    let number = || match value {
        Value::Number(number) => Ok(Num::of(number)),
        _ => Err(at(here, "expected a number")),
    };
    let (place, exclusive, lower) = match keyword {
        "minimum" => (&mut rules.minimum, false, true),
        "exclusiveMinimum" => (&mut rules.minimum, true, true),
        "maximum" => (&mut rules.maximum, false, false),
        "exclusiveMaximum" => (&mut rules.maximum, true, false),
        "multipleOf" => {
            let of = value.as_u64().filter(|of| (1..=COUNT_MAX).contains(of));
            let of = of.ok_or_else(|| at(here, "expected an integer of 1 to 2^53"))?;
            rules.multiple_of = Some(of);
            return Ok(true);
        }
        _ => return Ok(false),
    };
    let bound = Bound { at: number()?, exclusive };
    // Both may be there: the narrower one holds.
    let narrower = place.is_none_or(|other| match bound.at.cmp(&other.at) {
        std::cmp::Ordering::Equal => exclusive,
        order => order.is_gt() == lower,
    });
    if narrower {
        *place = Some(bound);
    }
    Ok(true)
}

fn counting_rule(
    rules: &mut Rules,
    keyword: &str,
    value: &Value,
    here: &str,
) -> Result<bool, NotASchema> {
    let (count, is_max) = match keyword {
        "minLength" => (&mut rules.length, false),
        "maxLength" => (&mut rules.length, true),
        "minItems" => (&mut rules.item_count, false),
        "maxItems" => (&mut rules.item_count, true),
        "minProperties" => (&mut rules.property_count, false),
        "maxProperties" => (&mut rules.property_count, true),
        "minContains" => (&mut rules.contained, false),
        "maxContains" => (&mut rules.contained, true),
        _ => return Ok(false),
    };
    let number = value.as_u64().filter(|number| *number <= COUNT_MAX);
    let number = number.ok_or_else(|| at(here, "expected an integer of 0 to 2^53"))?;
    if is_max {
        count.max = Some(number);
    } else {
        count.min = number;
    }
    Ok(true)
}

fn value_rule(
    rules: &mut Rules,
    keyword: &str,
    value: &Value,
    here: &str,
) -> Result<bool, NotASchema> {
    match keyword {
        "type" => rules.types = types(value, here)?,
        "enum" => {
            let values = value.as_array().filter(|values| !values.is_empty());
            let values = values.ok_or_else(|| at(here, "expected a list of values"))?;
            narrow(rules, values.clone());
        }
        "const" => narrow(rules, vec![value.clone()]),
        "pattern" => rules.pattern = Some(pattern(value, here)?),
        "uniqueItems" => {
            let unique = value.as_bool();
            rules.unique = unique.ok_or_else(|| at(here, "expected true or false"))?;
        }
        "required" => rules.required = names(value, here)?,
        "dependentRequired" => {
            let all = value.as_object();
            let all = all.ok_or_else(|| at(here, "expected an object of lists of names"))?;
            let lists = all.iter().map(|(name, list)| {
                Ok((name.clone(), names(list, &format!("{here}/{}", escape(name)))?))
            });
            rules.bring = lists.collect::<Result<_, _>>()?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn names(value: &Value, here: &str) -> Result<BTreeSet<String>, NotASchema> {
    let names = value.as_array().into_iter().flatten();
    let names: Option<_> = names.map(|name| name.as_str().map(str::to_owned)).collect();
    names.filter(|_| value.is_array()).ok_or_else(|| at(here, "expected a list of names"))
}

fn narrow(rules: &mut Rules, mut values: Vec<Value>) {
    if let Some(before) = &rules.values {
        values.retain(|value| before.iter().any(|other| same(value, other)));
    }
    rules.values = Some(values);
}

fn types(value: &Value, here: &str) -> Result<Types, NotASchema> {
    let one = |value: &Value| match value.as_str() {
        Some("null") => Ok(Types::NULL),
        Some("boolean") => Ok(Types::BOOLEAN),
        Some("integer") => Ok(Types::INTEGER),
        Some("number") => Ok(Types::NUMBER),
        Some("string") => Ok(Types::STRING),
        Some("array") => Ok(Types::ARRAY),
        Some("object") => Ok(Types::OBJECT),
        _ => Err(at(here, "expected types of JSON")),
    };
    match value {
        Value::Array(all) if !all.is_empty() => {
            all.iter().try_fold(Types::NONE, |types, value| Ok(types.or(one(value)?)))
        }
        value => one(value),
    }
}

fn pattern(value: &Value, here: &str) -> Result<Pattern, NotASchema> {
    let text = value.as_str().ok_or_else(|| at(here, "expected a pattern"))?;
    Pattern::new(text).map_err(|error| at(here, &error))
}
