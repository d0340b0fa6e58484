//! Does everything that one schema lets through pass the other as well?
//!
//! Yes is proved, place by place: `one` is looked at as the wider schema that is left when a
//! part of it is passed over, and `other` as all of what it asks for. Where a proof would need
//! more than that (a part of a union that only together with others covers something, a `not`,
//! `oneOf` or pattern that is not the same on both sides), the answer is that it cannot be told.
//! Parts that are written alike, and mean the same, are within one another whatever they say. A schema that
//! refers to itself is followed once around: what is being proved is taken for proved, as the
//! way there has gone down into the instance.
//!
//! `members` is what is said of objects.

use std::collections::BTreeSet;

use serde_json::Value;

mod members;

use super::{
    Fault,
    compile::refers,
    schema::{Bound, Count, Node, NodeId, ROOT, Refers, Rules, Schema, Types},
    validate::Steps,
};

/// The most steps that showing the values of an `enum` to a schema may take.
const STEPS: Steps = Steps(50_000);

/// How far down pairs may lie within one another.
const DEPTH_MAX: usize = 200;

/// Why it is not proved that one schema is within another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// It is not: something passes the one and not the other.
    Outside {
        /// Where in an instance: a JSON Pointer, with `*` for any item or member.
        pointer: String,
        /// The keyword of the other that does not let it through.
        keyword: &'static str,
    },
    /// It cannot be told.
    Unknown {
        /// Where in an instance.
        pointer: String,
        /// The keyword that keeps it from being told.
        keyword: &'static str,
    },
}

impl Difference {
    fn outside(keyword: &'static str) -> Self {
        Self::Outside { pointer: String::new(), keyword }
    }

    fn unknown(keyword: &'static str) -> Self {
        Self::Unknown { pointer: String::new(), keyword }
    }

    /// Seen from one level above.
    fn within(self, step: &str) -> Self {
        let deeper =
            |pointer: String| format!("/{}{pointer}", step.replace('~', "~0").replace('/', "~1"));
        match self {
            Self::Outside { pointer, keyword } => {
                Self::Outside { pointer: deeper(pointer), keyword }
            }
            Self::Unknown { pointer, keyword } => {
                Self::Unknown { pointer: deeper(pointer), keyword }
            }
        }
    }

    /// A schema that lets nothing through is the keyword above it.
    fn instead_of_false(self, by: &'static str) -> Self {
        match self {
            Self::Outside { pointer, keyword: "false" } if pointer.is_empty() => {
                Self::Outside { pointer, keyword: by }
            }
            other => other,
        }
    }

    /// A difference of a part that is none of the whole, since the whole may be narrower.
    fn doubted(self, by: &'static str) -> Self {
        match self {
            Self::Outside { pointer, .. } => Self::Unknown { pointer, keyword: by },
            unknown @ Self::Unknown { .. } => unknown,
        }
    }
}

/// Is every instance that is valid under `one` valid under `other`? `left` is how many pairs of
/// places may be looked at, and then how many are left.
///
/// # Errors
/// [`Difference`]
pub fn compare(one: &Schema, other: &Schema, left: &mut usize) -> Result<(), Difference> {
    let same_definitions =
        one.definitions == other.definitions && refers(&one.definitions) < Refers::Whole;
    let (assumed, trail) = (BTreeSet::new(), Vec::new());
    let mut comparing = Comparing { one, other, same_definitions, assumed, trail, left, depth: 0 };
    comparing.nodes(Some(ROOT), Some(ROOT), Types::ALL)
}

struct Comparing<'s> {
    one: &'s Schema,
    other: &'s Schema,
    /// A `$ref` into `$defs` means the same on both sides.
    same_definitions: bool,
    /// Pairs that are proved, or being proved.
    assumed: BTreeSet<Pair>,
    /// The same in the order in which they were assumed: when a proof fails, so does all that
    /// was proved within it, since that may have rested on it.
    trail: Vec<Pair>,
    left: &'s mut usize,
    depth: usize,
}

type Compared = Result<(), Difference>;

/// A place of the one, if it says anything, one of the other, and types.
type Pair = (Option<NodeId>, NodeId, u8);

impl Comparing<'_> {
    /// Of instances of these types only. `None` is a schema that lets everything through.
    fn nodes(&mut self, one: Option<NodeId>, other: Option<NodeId>, types: Types) -> Compared {
        let Some(other_id) = other else { return Ok(()) };
        if one.is_some_and(|id| self.are_alike(id, other_id)) {
            return Ok(());
        }
        let anything = Rules::default();
        let theirs = match &self.other.nodes[other_id] {
            Node::Any => return Ok(()),
            Node::Nothing => None,
            Node::Rules(rules) => Some(rules),
        };
        let ours = match one.map(|id| &self.one.nodes[id]) {
            Some(Node::Nothing) => return Ok(()),
            Some(Node::Rules(rules)) => rules,
            Some(Node::Any) | None => &anything,
        };
        let types = types.and(ours.types);
        if types == Types::NONE {
            return Ok(());
        }
        let Some(theirs) = theirs else { return Err(self.emptiness(ours)) };
        let pair = (one, other_id, types.0);
        if !self.assumed.insert(pair) {
            return Ok(());
        }
        let before = self.trail.len();
        self.trail.push(pair);
        let compared = if *self.left == 0 || self.depth == DEPTH_MAX {
            Err(Difference::unknown("$ref"))
        } else {
            *self.left -= 1;
            self.depth += 1;
            let compared = self.rules(ours, theirs, (one, other_id), types);
            self.depth -= 1;
            compared
        };
        if compared.is_err() {
            for failed in self.trail.drain(before..) {
                self.assumed.remove(&failed);
            }
        }
        compared
    }

    /// Are they written alike, and mean the same?
    fn are_alike(&self, one: NodeId, other: NodeId) -> bool {
        let (ours, theirs) = (&self.one.sources[one], &self.other.sources[other]);
        let roots = || self.one.sources[ROOT] == self.other.sources[ROOT];
        let same = match ours.refers {
            Refers::Nowhere => true,
            Refers::Definitions => self.same_definitions,
            Refers::Whole => roots(),
        };
        same && ours == theirs
    }

    /// Nothing is let through by the other: is the one as empty?
    fn emptiness(&self, ours: &Rules) -> Difference {
        let plain = ours.all.is_empty() && ours.any.is_empty() && ours.one.is_empty();
        let plain = plain && ours.imply.is_empty() && ours.condition.is_none();
        let plain = plain && ours.not.is_none() && ours.values.is_none();
        if plain { Difference::outside("false") } else { Difference::unknown("false") }
    }

    fn rules(
        &mut self,
        ours: &Rules,
        theirs: &Rules,
        ids: (Option<NodeId>, NodeId),
        types: Types,
    ) -> Compared {
        if let Some(values) = &ours.values {
            return self.values(values, ids, types);
        }
        if Types::NULL.or(Types::BOOLEAN).has(types) {
            return self.values(&[Value::Null, false.into(), true.into()], ids, types);
        }
        // What `ours` asks for together may be proved by a part of it alone.
        let direct = self.whole(ours, theirs, ids.0, types);
        let Err(difference) = direct else { return Ok(()) };
        for part in &ours.all {
            if self.nodes(Some(*part), Some(ids.1), types).is_ok() {
                return Ok(());
            }
        }
        for union in [&ours.any, &ours.one] {
            let mut within = |part: &NodeId| self.nodes(Some(*part), Some(ids.1), types).is_ok();
            if !union.is_empty() && union.iter().all(&mut within) {
                return Ok(());
            }
        }
        let narrowed = [
            (!ours.all.is_empty(), "allOf"),
            (!ours.any.is_empty(), "anyOf"),
            (!ours.one.is_empty(), "oneOf"),
            (ours.not.is_some(), "not"),
            (ours.condition.is_some(), "if"),
            (!ours.imply.is_empty(), "dependentSchemas"),
        ];
        let by = narrowed.into_iter().find(|(narrowed, _)| *narrowed);
        Err(match by {
            Some((_, keyword)) => difference.doubted(keyword),
            None => difference,
        })
    }

    /// Each value that passes the one is shown to the other: exact.
    fn values(
        &self,
        values: &[Value],
        (one, other): (Option<NodeId>, NodeId),
        types: Types,
    ) -> Compared {
        let mut steps = STEPS;
        for value in values.iter().filter(|value| types.meets(Types::of(value))) {
            let passes = match one.map(|id| self.one.check(id, value, &mut steps)) {
                None | Some(Ok(())) => self.other.check(other, value, &mut steps),
                Some(Err(Fault::Invalid { .. })) => Ok(()),
                Some(Err(Fault::TooCostly)) => Err(Fault::TooCostly),
            };
            match passes {
                Ok(()) => {}
                Err(Fault::Invalid { .. }) => return Err(Difference::outside("enum")),
                Err(Fault::TooCostly) => return Err(Difference::unknown("enum")),
            }
        }
        Ok(())
    }

    /// `ours` without what combines schemas, against all of `theirs`.
    fn whole(
        &mut self,
        ours: &Rules,
        theirs: &Rules,
        one: Option<NodeId>,
        types: Types,
    ) -> Compared {
        if theirs.values.is_some() {
            return Err(Difference::outside("enum"));
        }
        self.plain(ours, theirs, types)?;
        for part in &theirs.all {
            self.nodes(one, Some(*part), types)?;
        }
        if !theirs.any.is_empty() {
            self.union(&theirs.any, one, types)?;
        }
        let alike = |ours: &[NodeId], theirs: &[NodeId]| {
            let mut pairs = ours.iter().zip(theirs);
            ours.len() == theirs.len() && pairs.all(|(one, other)| self.are_alike(*one, *other))
        };
        if !theirs.one.is_empty() && !alike(&ours.one, &theirs.one) {
            return Err(Difference::unknown("oneOf"));
        }
        if theirs.not.is_some() && !alike(ours.not.as_slice(), theirs.not.as_slice()) {
            return Err(Difference::unknown("not"));
        }
        self.implied(ours, theirs, one, types)?;
        self.conditional(ours, theirs, one, types)
    }

    /// Whichever way `if` goes: all of `ours` is within both ways, or each way of the same `if`.
    fn conditional(
        &mut self,
        ours: &Rules,
        theirs: &Rules,
        one: Option<NodeId>,
        types: Types,
    ) -> Compared {
        let Some(condition) = theirs.condition else { return Ok(()) };
        let same = ours.condition.is_some_and(|ours| self.are_alike(ours, condition));
        for (ours, theirs) in [(ours.then, theirs.then), (ours.otherwise, theirs.otherwise)] {
            let within = same && self.nodes(ours, theirs, types).is_ok();
            if !within && self.nodes(one, theirs, types).is_err() {
                return Err(Difference::unknown("if"));
            }
        }
        Ok(())
    }

    /// Each type by itself lies within some part of a union of the other's.
    fn union(&mut self, parts: &[NodeId], one: Option<NodeId>, types: Types) -> Compared {
        for each in Types::EACH.into_iter().filter(|each| types.has(*each)) {
            let mut within = |part: &NodeId| self.nodes(one, Some(*part), each).is_ok();
            if !parts.iter().any(&mut within) {
                return Err(Difference::unknown("anyOf"));
            }
        }
        Ok(())
    }

    /// What is said of types, numbers, text, items and members.
    fn plain(&mut self, ours: &Rules, theirs: &Rules, types: Types) -> Compared {
        require(theirs.types.has(types), "type")?;
        if types.meets(Types::NUMBER) {
            numbers(ours, theirs, types)?;
        }
        if types.meets(Types::STRING) {
            counts(ours.length, theirs.length, ("minLength", "maxLength"))?;
            if let Some(pattern) = &theirs.pattern {
                let same = ours.pattern.as_ref().is_some_and(|ours| ours.text == pattern.text);
                if !same {
                    return Err(Difference::unknown("pattern"));
                }
            }
        }
        if types.meets(Types::ARRAY) {
            self.items(ours, theirs)?;
        }
        if types.meets(Types::OBJECT) {
            self.members(ours, theirs)?;
        }
        Ok(())
    }

    fn items(&mut self, ours: &Rules, theirs: &Rules) -> Compared {
        counts(ours.item_count, theirs.item_count, ("minItems", "maxItems"))?;
        require(ours.unique || !theirs.unique || at_most_one(ours.item_count), "uniqueItems")?;
        self.contained(ours, theirs)?;
        let longest = ours.prefix.len().max(theirs.prefix.len());
        let there = |index: usize| ours.item_count.max.is_none_or(|max| (index as u64) < max);
        for index in (0..longest).filter(|index| there(*index)) {
            let one = ours.prefix.get(index).copied().or(ours.items);
            let other = theirs.prefix.get(index).copied().or(theirs.items);
            let compared = self.nodes(one, other, Types::ALL);
            compared.map_err(|difference| difference.within(&index.to_string()))?;
        }
        if there(longest) {
            let compared = self.nodes(ours.items, theirs.items, Types::ALL);
            compared.map_err(|difference| difference.within("*"))?;
        }
        Ok(())
    }

    /// Items of a kind: the same kind, or a wider one of which there need not be more.
    fn contained(&mut self, ours: &Rules, theirs: &Rules) -> Compared {
        let Some(theirs_node) = theirs.contains else { return Ok(()) };
        let unknown = Err(Difference::unknown("contains"));
        let Some(ours_node) = ours.contains else {
            return if theirs.contained == Count::default() { Ok(()) } else { unknown };
        };
        let alike = self.are_alike(ours_node, theirs_node);
        let most = theirs.contained.max.is_none_or(|most| {
            alike && ours.contained.max.is_some_and(|ours_most| ours_most <= most)
        });
        let enough = ours.contained.min >= theirs.contained.min;
        let mut within = || self.nodes(Some(ours_node), Some(theirs_node), Types::ALL).is_ok();
        if most && (theirs.contained.min == 0 || enough && within()) { Ok(()) } else { unknown }
    }
}

fn require(holds: bool, keyword: &'static str) -> Compared {
    if holds { Ok(()) } else { Err(Difference::outside(keyword)) }
}

fn at_most_one(count: Count) -> bool {
    count.max.is_some_and(|max| max <= 1)
}

fn counts(ours: Count, theirs: Count, (min, max): (&'static str, &'static str)) -> Compared {
    require(ours.min >= theirs.min, min)?;
    let Some(most) = theirs.max else { return Ok(()) };
    require(ours.max.is_some_and(|ours| ours <= most), max)
}

fn numbers(ours: &Rules, theirs: &Rules, types: Types) -> Compared {
    let holds = |ours: Option<Bound>, theirs: Option<Bound>, lower: bool| match (ours, theirs) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(ours), Some(theirs)) => match ours.at.cmp(&theirs.at) {
            std::cmp::Ordering::Equal => ours.exclusive || !theirs.exclusive,
            order => order.is_gt() == lower,
        },
    };
    require(holds(ours.minimum, theirs.minimum, true), "minimum")?;
    require(holds(ours.maximum, theirs.maximum, false), "maximum")?;
    let Some(of) = theirs.multiple_of else { return Ok(()) };
    let of_ours = ours.multiple_of.is_some_and(|ours| ours.is_multiple_of(of));
    let integers = of == 1 && !types.meets(Types::FRACTION);
    require(of_ours || integers, "multipleOf")
}
