//! Is an instance what a schema asks for? And if not, where, and by which keyword.
//!
//! Each look at a place of the instance is a step, and so is each bound of work that a
//! pattern or a list of distinct items takes; when the steps are used up, there is no answer.

use serde_json::{Map, Value};

use super::{
    number::{Num, same},
    schema::{Bound, Node, NodeId, ROOT, Rules, Schema, Types},
};

/// Steps that are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps(pub u64);

impl Steps {
    fn take(&mut self, steps: u64) -> Result<(), Fault> {
        self.0 = self.0.checked_sub(steps).ok_or(Fault::TooCostly)?;
        Ok(())
    }
}

/// Why an instance is not valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not what the schema asks for.
    Invalid {
        /// JSON Pointer into the instance.
        pointer: String,
        /// The keyword that does not let it through.
        keyword: &'static str,
    },
    /// The steps are used up.
    TooCostly,
}

impl Fault {
    fn here(keyword: &'static str) -> Self {
        Self::Invalid { pointer: String::new(), keyword }
    }

    /// A schema that lets nothing through is the keyword above it.
    fn instead_of_false(self, by: &'static str) -> Self {
        match self {
            Self::Invalid { pointer, keyword: "false" } if pointer.is_empty() => Self::here(by),
            other => other,
        }
    }

    /// Seen from one level above.
    fn within(self, step: &str) -> Self {
        match self {
            Self::Invalid { pointer, keyword } => {
                let step = step.replace('~', "~0").replace('/', "~1");
                Self::Invalid { pointer: format!("/{step}{pointer}"), keyword }
            }
            Self::TooCostly => Self::TooCostly,
        }
    }
}

impl Schema {
    /// Is this instance valid?
    ///
    /// # Errors
    /// [`Fault`]: the first that there is, in the order of the instance.
    pub fn validate(&self, instance: &Value, steps: &mut Steps) -> Result<(), Fault> {
        self.check(ROOT, instance, steps)
    }

    pub(super) fn check(
        &self,
        node: NodeId,
        instance: &Value,
        steps: &mut Steps,
    ) -> Result<(), Fault> {
        steps.take(1)?;
        let rules = match &self.nodes[node] {
            Node::Any => return Ok(()),
            Node::Nothing => return Err(Fault::here("false")),
            Node::Rules(rules) => rules,
        };
        demand(rules.types.meets(Types::of(instance)), "type")?;
        if let Some(values) = &rules.values {
            steps.take(values.len() as u64)?;
            demand(values.iter().any(|value| same(value, instance)), "enum")?;
        }
        match instance {
            Value::Number(number) => check_number(rules, Num::of(number))?,
            Value::String(text) => check_text(rules, text, steps)?,
            Value::Array(items) => self.check_items(rules, items, steps)?,
            Value::Object(members) => self.check_members(rules, members, steps)?,
            Value::Null | Value::Bool(_) => {}
        }
        self.check_combined(rules, instance, steps)
    }

    fn check_items(&self, rules: &Rules, items: &[Value], steps: &mut Steps) -> Result<(), Fault> {
        demand(items.len() as u64 >= rules.item_count.min, "minItems")?;
        demand(rules.item_count.holds(items.len()), "maxItems")?;
        if rules.unique {
            for (index, item) in items.iter().enumerate() {
                steps.take(index as u64)?;
                demand(!items[..index].iter().any(|other| same(other, item)), "uniqueItems")?;
            }
        }
        if let Some(node) = rules.contains {
            let mut found = 0;
            for item in items {
                found += usize::from(self.passes(node, item, steps)?);
            }
            demand(found as u64 >= rules.contained.min, "contains")?;
            demand(rules.contained.holds(found), "maxContains")?;
        }
        for (index, item) in items.iter().enumerate() {
            let Some(node) = rules.prefix.get(index).copied().or(rules.items) else { break };
            let checked = self.check(node, item, steps);
            checked.map_err(|fault| fault.within(&index.to_string()))?;
        }
        Ok(())
    }

    fn check_members(
        &self,
        rules: &Rules,
        members: &Map<String, Value>,
        steps: &mut Steps,
    ) -> Result<(), Fault> {
        demand(members.len() as u64 >= rules.property_count.min, "minProperties")?;
        demand(rules.property_count.holds(members.len()), "maxProperties")?;
        demand(rules.required.iter().all(|name| members.contains_key(name)), "required")?;
        for (name, brought) in &rules.bring {
            let all = || brought.iter().all(|name| members.contains_key(name));
            demand(!members.contains_key(name) || all(), "dependentRequired")?;
        }
        for (name, member) in members {
            if let Some(node) = rules.names {
                let passes = self.passes(node, &Value::from(name.as_str()), steps)?;
                demand(passes, "propertyNames").map_err(|fault| fault.within(name))?;
            }
            steps.take(rules.patterns.iter().map(|(pattern, _)| pattern.steps(name)).sum())?;
            for (node, keyword) in rules.of_member(name) {
                self.check(node, member, steps)
                    .map_err(|fault| fault.instead_of_false(keyword).within(name))?;
            }
        }
        Ok(())
    }

    /// Schemas for the same place.
    fn check_combined(
        &self,
        rules: &Rules,
        instance: &Value,
        steps: &mut Steps,
    ) -> Result<(), Fault> {
        for node in &rules.all {
            self.check(*node, instance, steps)?;
        }
        if !rules.any.is_empty() {
            let found = self.count(&rules.any, instance, 1, steps)?;
            demand(found == 1, "anyOf")?;
        }
        if !rules.one.is_empty() {
            let found = self.count(&rules.one, instance, 2, steps)?;
            demand(found == 1, "oneOf")?;
        }
        if let Some(node) = rules.not {
            demand(!self.passes(node, instance, steps)?, "not")?;
        }
        for (name, node) in &rules.imply {
            if instance.get(name).is_some() {
                self.check(*node, instance, steps)?;
            }
        }
        let Some(condition) = rules.condition else { return Ok(()) };
        let holds = self.passes(condition, instance, steps)?;
        let then = if holds { rules.then } else { rules.otherwise };
        then.map_or(Ok(()), |node| self.check(node, instance, steps))
    }

    fn passes(&self, node: NodeId, instance: &Value, steps: &mut Steps) -> Result<bool, Fault> {
        match self.check(node, instance, steps) {
            Ok(()) => Ok(true),
            Err(Fault::Invalid { .. }) => Ok(false),
            Err(Fault::TooCostly) => Err(Fault::TooCostly),
        }
    }

    /// How many of these let an instance through: no more are looked for than `enough`.
    fn count(
        &self,
        nodes: &[NodeId],
        instance: &Value,
        enough: usize,
        steps: &mut Steps,
    ) -> Result<usize, Fault> {
        let mut found = 0;
        for node in nodes {
            found += usize::from(self.passes(*node, instance, steps)?);
            if found == enough {
                break;
            }
        }
        Ok(found)
    }
}

fn demand(holds: bool, keyword: &'static str) -> Result<(), Fault> {
    if holds { Ok(()) } else { Err(Fault::here(keyword)) }
}

fn check_number(rules: &Rules, number: Num) -> Result<(), Fault> {
    if let Some(Bound { at, exclusive }) = rules.minimum {
        let keyword = if exclusive { "exclusiveMinimum" } else { "minimum" };
        demand(number > at || (number == at && !exclusive), keyword)?;
    }
    if let Some(Bound { at, exclusive }) = rules.maximum {
        let keyword = if exclusive { "exclusiveMaximum" } else { "maximum" };
        demand(number < at || (number == at && !exclusive), keyword)?;
    }
    demand(rules.multiple_of.is_none_or(|of| number.is_multiple_of(of)), "multipleOf")
}

fn check_text(rules: &Rules, text: &str, steps: &mut Steps) -> Result<(), Fault> {
    if rules.length.min > 0 || rules.length.max.is_some() {
        let length = text.chars().count();
        demand(length as u64 >= rules.length.min, "minLength")?;
        demand(rules.length.holds(length), "maxLength")?;
    }
    let Some(pattern) = &rules.pattern else { return Ok(()) };
    steps.take(pattern.steps(text))?;
    demand(pattern.is_match(text), "pattern")
}
