//! What is said of objects: which members there are, and what each of them is.
//!
//! A member is subject to all that is said of its name: by the name itself, and by every pattern
//! that matches it; where nothing is, to what is said of all others. Of `ours` any one of these
//! may be what proves that it is within `theirs`; of `theirs` each has to be proved.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Compared, Comparing, Count, Difference, Fault, Node, NodeId, Rules, STEPS, Types};
use super::{counts, require};

impl Comparing<'_> {
    pub(super) fn members(&mut self, ours: &Rules, theirs: &Rules) -> Compared {
        let named = ours.properties.len() as u64;
        let most = ours.property_count.max;
        let count = Count {
            min: ours.property_count.min.max(ours.required.len() as u64),
            max: if self.is_closed(ours) {
                most.map_or(named, |max| max.min(named)).into()
            } else {
                most
            },
        };
        counts(count, theirs.property_count, ("minProperties", "maxProperties"))?;
        require(theirs.required.is_subset(&ours.required), "required")?;
        self.brought(ours, theirs)?;
        self.names(ours, theirs)?;
        self.named_members(ours, theirs)?;
        self.other_members(ours, theirs)
    }

    /// Are there no members but those that have a name of their own?
    fn is_closed(&self, ours: &Rules) -> bool {
        let others = ours.additional.map(|id| &self.one.nodes[id]);
        ours.patterns.is_empty() && matches!(others, Some(Node::Nothing))
    }

    /// Is there never a member of this name?
    fn is_never(&self, ours: &Rules, name: &str) -> bool {
        let said = ours.of_member(name);
        said.iter().any(|(node, _)| matches!(self.one.nodes[*node], Node::Nothing))
    }

    /// Members that others bring along.
    fn brought(&self, ours: &Rules, theirs: &Rules) -> Compared {
        for (name, brought) in &theirs.bring {
            let known = |other: &String| {
                let along = ours.bring.get(name).is_some_and(|ours| ours.contains(other));
                along || ours.required.contains(other) || name == other
            };
            let holds = self.is_never(ours, name) || brought.iter().all(known);
            require(holds, "dependentRequired")?;
        }
        Ok(())
    }

    /// `dependentSchemas`: where the member is, the whole is as they say.
    pub(super) fn implied(
        &mut self,
        ours: &Rules,
        theirs: &Rules,
        one: Option<NodeId>,
        types: Types,
    ) -> Compared {
        let types = types.and(Types::OBJECT);
        for (name, implied) in &theirs.imply {
            if types == Types::NONE || self.is_never(ours, name) {
                continue;
            }
            let said = [ours.imply.get(name).copied(), one];
            let mut within =
                |ours: &Option<NodeId>| self.nodes(*ours, Some(*implied), types).is_ok();
            if !said.iter().any(&mut within) {
                return Err(Difference::unknown("dependentSchemas"));
            }
        }
        Ok(())
    }

    /// What names may be.
    fn names(&mut self, ours: &Rules, theirs: &Rules) -> Compared {
        let Some(node) = theirs.names else { return Ok(()) };
        if self.is_closed(ours) {
            for name in ours.properties.keys().filter(|name| !self.is_never(ours, name)) {
                let mut steps = STEPS;
                match self.other.check(node, &Value::from(name.as_str()), &mut steps) {
                    Ok(()) => {}
                    Err(Fault::Invalid { .. }) => {
                        return Err(Difference::outside("propertyNames").within(name));
                    }
                    Err(Fault::TooCostly) => return Err(Difference::unknown("propertyNames")),
                }
            }
            return Ok(());
        }
        let free = ours.patterns.is_empty();
        self.nodes(ours.names, Some(node), Types::STRING).map_err(|difference| match difference {
            Difference::Outside { .. } if free => Difference::outside("propertyNames"),
            _ => Difference::unknown("propertyNames"),
        })
    }

    /// Members that have names of their own, on either side.
    fn named_members(&mut self, ours: &Rules, theirs: &Rules) -> Compared {
        let names: BTreeSet<_> = ours.properties.keys().chain(theirs.properties.keys()).collect();
        for name in names {
            let said = ours.of_member(name);
            for (node, keyword) in theirs.of_member(name) {
                let compared = match &said[..] {
                    [] => self.nodes(None, Some(node), Types::ALL),
                    [(only, _)] => self.nodes(Some(*only), Some(node), Types::ALL),
                    several => self.some_within(several.iter().map(|(id, _)| *id), node),
                };
                compared.map_err(|it| it.instead_of_false(keyword).within(name))?;
            }
        }
        Ok(())
    }

    /// Is one of several that hold together within this?
    fn some_within(&mut self, ours: impl Iterator<Item = NodeId>, node: NodeId) -> Compared {
        let mut compared = Ok(());
        for one in ours {
            compared = self.nodes(Some(one), Some(node), Types::ALL);
            if compared.is_ok() {
                return Ok(());
            }
        }
        compared.map_err(|difference| difference.doubted("patternProperties"))
    }

    /// All members that have no name of their own.
    fn other_members(&mut self, ours: &Rules, theirs: &Rules) -> Compared {
        const BY: &str = "patternProperties";
        for (pattern, node) in &theirs.patterns {
            let same = ours.patterns.iter().find(|(ours, _)| ours.text == pattern.text);
            let compared = match same {
                Some((_, same)) => self.nodes(Some(*same), Some(*node), Types::ALL),
                None => self.each_other_within(ours, *node),
            };
            compared.map_err(|it| it.doubted(BY).within("*"))?;
        }
        let plain = ours.patterns.is_empty() && theirs.patterns.is_empty();
        let Some(node) = theirs.additional else { return Ok(()) };
        let compared = self.nodes(ours.additional, Some(node), Types::ALL);
        compared.map_err(|difference| {
            let difference = difference.instead_of_false("additionalProperties").within("*");
            if plain { difference } else { difference.doubted(BY) }
        })?;
        let known = |text: &str| theirs.patterns.iter().any(|(pattern, _)| pattern.text == text);
        for (_, ours) in ours.patterns.iter().filter(|(pattern, _)| !known(&pattern.text)) {
            let compared = self.nodes(Some(*ours), Some(node), Types::ALL);
            compared.map_err(|it| it.doubted(BY).within("*"))?;
        }
        Ok(())
    }

    /// Is every member that has no name of its own within this, whatever it is called?
    fn each_other_within(&mut self, ours: &Rules, node: NodeId) -> Compared {
        self.nodes(ours.additional, Some(node), Types::ALL)?;
        for (_, ours) in &ours.patterns {
            self.nodes(Some(*ours), Some(node), Types::ALL)?;
        }
        Ok(())
    }
}
