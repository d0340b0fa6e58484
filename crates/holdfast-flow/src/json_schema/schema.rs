//! What a schema is once it is compiled: nodes that name each other.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{number::Num, pattern::Pattern};

/// A compiled schema.
#[derive(Debug)]
pub struct Schema {
    pub(super) nodes: Vec<Node>,
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
    pub(super) properties: BTreeMap<String, NodeId>,
    pub(super) required: BTreeSet<String>,
    pub(super) additional: Option<NodeId>,
    pub(super) property_count: Count,
    /// `$ref` and `allOf`: all of these.
    pub(super) all: Vec<NodeId>,
    pub(super) any: Vec<NodeId>,
    pub(super) one: Vec<NodeId>,
    pub(super) not: Option<NodeId>,
}

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
            properties: BTreeMap::new(),
            required: BTreeSet::new(),
            additional: None,
            property_count: Count::default(),
            all: Vec::new(),
            any: Vec::new(),
            one: Vec::new(),
            not: None,
        }
    }
}

impl Rules {
    /// The nodes that look at the same place of an instance.
    pub(super) fn in_place(&self) -> impl Iterator<Item = NodeId> + '_ {
        let lists = [&self.all, &self.any, &self.one];
        lists.into_iter().flatten().copied().chain(self.not)
    }
}
