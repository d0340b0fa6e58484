//! What is run: the protocol as it is, over every way to trim, and each rule left out.

use super::{
    explore::{Explored, Outcome, explore},
    learners::Learners,
    readers::Readers,
    rules::{Bounds, Proof, Rules, Trim},
};

/// A model to be explored.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// What people call it.
    pub name: &'static str,
    /// What is left out, as `docs/reliability.md` numbers it; `None` for the protocol as it is.
    pub without: Option<&'static str>,
    /// What nodes know.
    pub nodes: Nodes,
    /// What they keep to.
    pub rules: Rules,
    /// How far it goes.
    pub bounds: Bounds,
}

/// What nodes know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nodes {
    /// What the log holds: [`Readers`].
    Read,
    /// What answers told them: [`Learners`].
    Learn,
}

/// What must come of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// No state violates anything.
    Holds,
    /// Some state does.
    Violated,
}

impl Case {
    /// What must come of it.
    #[must_use]
    pub const fn expected(&self) -> Expected {
        match self.without {
            None => Expected::Holds,
            Some(_) => Expected::Violated,
        }
    }

    /// Explores it.
    #[must_use]
    pub fn run(&self, states_max: usize) -> Explored {
        match self.nodes {
            Nodes::Read => explore(&mut Readers::new(self.rules, self.bounds), states_max),
            Nodes::Learn => explore(&mut Learners::new(self.rules, self.bounds), states_max),
        }
    }

    /// Whether what came of it is what must. A bound that was reached settles nothing.
    #[must_use]
    pub const fn is_as_expected(&self, explored: &Explored) -> bool {
        match (self.expected(), &explored.outcome) {
            (Expected::Holds, Outcome::Holds) | (Expected::Violated, Outcome::Violated(_)) => true,
            (Expected::Holds | Expected::Violated, _) => false,
        }
    }
}

const fn bounds(positions: u8, epochs: u8, entries: u8) -> Bounds {
    Bounds { positions, epochs, entries }
}

const fn holds(name: &'static str, nodes: Nodes, trim: Trim, bounds: Bounds) -> Case {
    Case { name, without: None, nodes, rules: Rules::trimmed(trim), bounds }
}

const fn without(
    rule: &'static str,
    name: &'static str,
    nodes: Nodes,
    rules: Rules,
    bounds: Bounds,
) -> Case {
    Case { name, without: Some(rule), nodes, rules, bounds }
}

/// Everything that is run, the quickest first.
#[must_use]
pub fn cases() -> Vec<Case> {
    use Nodes::{Learn, Read};
    vec![
        without(
            "P3",
            "trimmed positions are free again",
            Learn,
            Rules::trimmed(Trim::Bare),
            bounds(4, 2, 2),
        ),
        without(
            "P4",
            "entries count in any order, and a displaced one is appended again alone",
            Read,
            Rules { sequence: false, ..Rules::ALL },
            bounds(6, 3, 2),
        ),
        without(
            "P5",
            "an entry is acknowledged when its own position is known",
            Learn,
            Rules { proof: Proof::Nothing, ..Rules::ALL },
            bounds(6, 3, 2),
        ),
        without(
            "P7",
            "two nodes claim with the same nonce",
            Learn,
            Rules { nonce: false, ..Rules::ALL },
            bounds(4, 2, 2),
        ),
        without(
            "P7",
            "a claim goes to a position that is not the first hole",
            Learn,
            Rules { first_hole: false, ..Rules::ALL },
            bounds(4, 2, 2),
        ),
        holds("nodes that read the log", Read, Trim::Never, bounds(6, 3, 2)),
        holds(
            "nodes that learn, of a log that marks and deletes entries later",
            Learn,
            Trim::MarkThenEntries,
            bounds(3, 2, 1),
        ),
        holds(
            "nodes that learn, of a log that marks and deletes all later",
            Learn,
            Trim::MarkThenAll,
            bounds(2, 2, 2),
        ),
        holds("nodes that learn, of a log trimmed with a mark", Learn, Trim::Mark, bounds(3, 2, 1)),
        holds("nodes that learn from answers", Learn, Trim::Never, bounds(4, 2, 2)),
    ]
}
