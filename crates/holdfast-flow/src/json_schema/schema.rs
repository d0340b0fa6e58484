//! What a schema is once it is compiled: nodes that name each other.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{number::Num, pattern::Pattern};

/// A compiled schema.
#[derive(Debug)]
pub struct Schema {
    pub(super) nodes: Vec<Node>,
    /// What each node was compiled from.
    pub(super) sources: Vec<Source>,
    /// What a `$ref` may lead to: the value of `$defs`.
    pub(super) definitions: Value,
}

/// What a node was compiled from.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Source {
    pub(super) json: Value,
    /// How far what it means depends on what stands elsewhere.
    pub(super) refers: Refers,
}

/// Where the `$ref`s in a schema lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Refers {
    /// There is none.
    Nowhere,
    /// Into `$defs`, which may lead on.
    Definitions,
    /// To the whole, by way of others or not.
    Whole,
}

/// A node of a schema. The first is the whole.
pub(super) type NodeId = usize;

/// The whole.
pub(super) const ROOT: NodeId = 0;

/// What an instance must be at a place.
#[derive(Debug)]
pub(super) enum Node {
    /// Anything.
    Any,
    /// Nothing will do.
    Nothing,
    /// All of this.
    Rules(Box<Rules>),
}

/// Sets of JSON's types. Numbers are two: those that are integers, and the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Types(pub(super) u8);

impl Types {
    pub(super) const NULL: Self = Self(1);
    pub(super) const BOOLEAN: Self = Self(2);
    pub(super) const INTEGER: Self = Self(4);
    pub(super) const FRACTION: Self = Self(8);
    pub(super) const STRING: Self = Self(16);
    pub(super) const ARRAY: Self = Self(32);
    pub(super) const OBJECT: Self = Self(64);
    pub(super) const NUMBER: Self = Self(4 | 8);
    pub(super) const ALL: Self = Self(127);
    pub(super) const NONE: Self = Self(0);
    /// Each by itself.
    pub(super) const EACH: [Self; 7] = [
        Self::NULL,
        Self::BOOLEAN,
        Self::INTEGER,
        Self::FRACTION,
        Self::STRING,
        Self::ARRAY,
        Self::OBJECT,
    ];

    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::NULL,
            Value::Bool(_) => Self::BOOLEAN,
            Value::Number(number) if Num::of(number).is_integer() => Self::INTEGER,
            Value::Number(_) => Self::FRACTION,
            Value::String(_) => Self::STRING,
            Value::Array(_) => Self::ARRAY,
            Value::Object(_) => Self::OBJECT,
        }
    }

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub(super) const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Where numbers end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bound {
    pub(super) at: Num,
    pub(super) exclusive: bool,
}

/// How long, or how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) min: u64,
    pub(super) max: Option<u64>,
}

impl Count {
    pub(super) fn holds(self, count: usize) -> bool {
        let count = count as u64;
        count >= self.min && self.max.is_none_or(|max| count <= max)
    }
}

/// What an instance must be: everything that is said here.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) types: Types,
    /// `enum` and `const`: one of these.
    pub(super) values: Option<Vec<Value>>,
    pub(super) minimum: Option<Bound>,
    pub(super) maximum: Option<Bound>,
    pub(super) multiple_of: Option<u64>,
    pub(super) length: Count,
    pub(super) pattern: Option<Pattern>,
    pub(super) prefix: Vec<NodeId>,
    pub(super) items: Option<NodeId>,
    pub(super) item_count: Count,
    pub(super) unique: bool,
    pub(super) contains: Option<NodeId>,
    /// How many items are as `contains` says.
    pub(super) contained: Count,
    pub(super) properties: BTreeMap<String, NodeId>,
    pub(super) patterns: Vec<(Pattern, NodeId)>,
    /// `propertyNames`
    pub(super) names: Option<NodeId>,
    pub(super) required: BTreeSet<String>,
    pub(super) additional: Option<NodeId>,
    pub(super) property_count: Count,
    /// `dependentRequired`
    pub(super) bring: BTreeMap<String, BTreeSet<String>>,
    /// `dependentSchemas`
    pub(super) imply: BTreeMap<String, NodeId>,
    /// `$ref` and `allOf`: all of these.
    pub(super) all: Vec<NodeId>,
    pub(super) any: Vec<NodeId>,
    pub(super) one: Vec<NodeId>,
    pub(super) not: Option<NodeId>,
    /// `if`
    pub(super) condition: Option<NodeId>,
    pub(super) then: Option<NodeId>,
    /// `else`
    pub(super) otherwise: Option<NodeId>,
}

/// `contains` without numbers.
pub(super) const SOME: Count = Count { min: 1, max: None };

impl Default for Rules {
    fn default() -> Self {
        Self {
            types: Types::ALL,
            values: None,
            minimum: None,
            maximum: None,
            multiple_of: None,
            length: Count::default(),
            pattern: None,
            prefix: Vec::new(),
            items: None,
            item_count: Count::default(),
            unique: false,
            contains: None,
            contained: SOME,
            properties: BTreeMap::new(),
            patterns: Vec::new(),
            names: None,
            required: BTreeSet::new(),
            additional: None,
            property_count: Count::default(),
            bring: BTreeMap::new(),
            imply: BTreeMap::new(),
            all: Vec::new(),
            any: Vec::new(),
            one: Vec::new(),
            not: None,
            condition: None,
            then: None,
            otherwise: None,
        }
    }
}

impl Rules {
    /// The nodes that look at the same place of an instance.
    pub(super) fn in_place(&self) -> impl Iterator<Item = NodeId> + '_ {
        let lists = [&self.all, &self.any, &self.one].into_iter().flatten();
        let single = [self.not, self.condition, self.then, self.otherwise].into_iter().flatten();
        lists.chain(self.imply.values()).copied().chain(single)
    }

    /// What is said of the member of this name, and by which keyword.
    pub(super) fn of_member(&self, name: &str) -> Vec<(NodeId, &'static str)> {
        let named = self.properties.get(name).map(|node| (*node, "properties"));
        let matching = self.patterns.iter().filter(|(pattern, _)| pattern.is_match(name));
        let matching = matching.map(|(_, node)| (*node, "patternProperties"));
        let mut found: Vec<_> = named.into_iter().chain(matching).collect();
        if found.is_empty() {
            found.extend(self.additional.map(|node| (node, "additionalProperties")));
        }
        found
    }
}
