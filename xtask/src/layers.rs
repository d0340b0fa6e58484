//! Who may depend on whom.
//!
//! Dependencies point down only. What a crate may know is said crate by crate rather than by a
//! layer's number, since two crates of one layer differ: the engine runs any closure and knows no
//! primitive, a primitive knows state and no log. ARCHITECTURE.md gives the reasons.

use crate::{rules::Finding, workspace::Crate};

/// What one crate may depend on.
#[derive(Clone, Copy, Debug)]
pub struct Layer {
    /// The crate.
    pub name: &'static str,
    /// The crates of this workspace that it may name.
    pub may_use: &'static [&'static str],
}

/// The layers, from the ground up.
pub const LAYERS: &[Layer] = &[
    Layer { name: "holdfast-planted", may_use: &[] },
    Layer { name: "holdfast-log", may_use: &["holdfast-planted"] },
    Layer { name: "holdfast-state", may_use: &["holdfast-planted"] },
    Layer { name: "holdfast-log-postgres", may_use: &["holdfast-log"] },
    Layer {
        name: "holdfast-engine",
        may_use: &["holdfast-planted", "holdfast-log", "holdfast-state"],
    },
    Layer { name: "holdfast-ledger", may_use: &["holdfast-state"] },
    Layer { name: "holdfast-reservations", may_use: &["holdfast-state"] },
    Layer { name: "holdfast-flow", may_use: &["holdfast-planted", "holdfast-state"] },
    Layer { name: "holdfast-coordination", may_use: &["holdfast-planted", "holdfast-state"] },
    Layer {
        name: "holdfast-node",
        may_use: &[
            "holdfast-planted",
            "holdfast-log",
            "holdfast-state",
            "holdfast-engine",
            "holdfast-ledger",
            "holdfast-reservations",
            "holdfast-flow",
            "holdfast-coordination",
        ],
    },
    Layer {
        name: "holdfast-http",
        may_use: &[
            "holdfast-log",
            "holdfast-state",
            "holdfast-engine",
            "holdfast-ledger",
            "holdfast-reservations",
            "holdfast-flow",
            "holdfast-coordination",
            "holdfast-node",
        ],
    },
    // What it knows of servers it knows by their HTTP API.
    Layer { name: "holdfast-client", may_use: &[] },
    Layer {
        name: "holdfast-lab",
        may_use: &[
            "holdfast-planted",
            "holdfast-log",
            "holdfast-log-postgres",
            "holdfast-state",
            "holdfast-engine",
            "holdfast-node",
            "holdfast-http",
        ],
    },
    Layer {
        name: "holdfast",
        may_use: &[
            "holdfast-log",
            "holdfast-log-postgres",
            "holdfast-state",
            "holdfast-engine",
            "holdfast-ledger",
            "holdfast-reservations",
            "holdfast-flow",
            "holdfast-coordination",
            "holdfast-node",
            "holdfast-http",
            "holdfast-client",
            "holdfast-lab",
        ],
    },
    Layer { name: "xtask", may_use: &[] },
];

/// Dependencies that point the wrong way, and crates that nobody gave a place.
#[must_use]
pub fn violations(crates: &[Crate]) -> Vec<Finding> {
    crates.iter().flat_map(|member| upward(member, crates)).chain(unknown(crates)).collect()
}

fn upward(member: &Crate, crates: &[Crate]) -> Vec<Finding> {
    let Some(layer) = LAYERS.iter().find(|layer| layer.name == member.name) else {
        let what = "has no place among the layers; give it one in xtask/src/layers.rs";
        return vec![Finding::new(&member.name, what)];
    };
    let ours = |name: &&String| crates.iter().any(|other| other.name == **name);
    let wrong = member.needs.iter().filter(ours);
    let wrong = wrong.filter(|name| !layer.may_use.contains(&name.as_str()));
    wrong.map(|name| Finding::new(&member.name, may_not(&member.name, name))).collect()
}

fn may_not(from: &str, to: &str) -> String {
    format!("{from} may not depend on {to}; see ARCHITECTURE.md")
}

fn unknown(crates: &[Crate]) -> impl Iterator<Item = Finding> {
    let gone = |layer: &&Layer| crates.iter().all(|member| member.name != layer.name);
    LAYERS
        .iter()
        .filter(gone)
        .map(|layer| Finding::new(layer.name, "has a place among the layers but does not exist"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All crates of the table, with nothing but these dependencies.
    fn crates(edges: &[(&str, &str)]) -> Vec<Crate> {
        let with = |name: &str| Crate {
            name: name.to_owned(),
            needs: edges.iter().filter(|e| e.0 == name).map(|e| e.1.to_owned()).collect(),
            ..Crate::default()
        };
        LAYERS.iter().map(|layer| with(layer.name)).collect()
    }

    #[test]
    fn downward_is_fine() {
        let fine = [("holdfast-engine", "holdfast-log"), ("holdfast-state", "bytes")];
        assert_eq!(violations(&crates(&fine)), []);
    }

    #[test]
    fn upward_and_sideways_are_not() {
        for (from, to) in [
            ("holdfast-log", "holdfast-state"),
            ("holdfast-state", "holdfast-engine"),
            ("holdfast-engine", "holdfast-ledger"),
            ("holdfast-log-postgres", "holdfast-engine"),
            ("holdfast-ledger", "holdfast-log"),
            ("holdfast-ledger", "holdfast-engine"),
            ("holdfast-reservations", "holdfast-ledger"),
            ("holdfast-flow", "holdfast-engine"),
            ("holdfast-node", "holdfast-http"),
            ("holdfast-http", "holdfast"),
        ] {
            let found = violations(&crates(&[(from, to)]));
            assert_eq!(found, [Finding::new(from, may_not(from, to))]);
        }
    }

    #[test]
    fn a_test_may_look_up() {
        let mut crates = crates(&[]);
        crates[0].tests_need.insert("holdfast".to_owned());
        assert_eq!(violations(&crates), []);
    }

    #[test]
    fn every_crate_has_a_place_and_every_place_a_crate() {
        let mut crates = crates(&[]);
        crates[0].name = "holdfast-new".to_owned();
        let places: Vec<String> =
            violations(&crates).into_iter().map(|found| found.place).collect();
        assert_eq!(places, ["holdfast-new", "holdfast-planted"]);
    }

    #[test]
    fn nothing_may_use_itself_or_what_stands_above_it() {
        for (at, layer) in LAYERS.iter().enumerate() {
            for name in layer.may_use {
                let below = LAYERS.iter().position(|other| other.name == *name);
                assert!(below.is_some_and(|below| below < at), "{} on {name}", layer.name);
            }
        }
    }
}
