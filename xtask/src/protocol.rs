//! The table of the protocol's rules in `docs/reliability.md` is true.
//!
//! Every rule has a row. The tests that a row names exist and carry the rule's number
//! (`p5_…`, `p4_p5_…`); a row that names none says so, and then there is none.

use std::collections::BTreeSet;

use crate::{dependencies::in_backticks, documents, rules::Finding, workspace::Workspace};

const TABLE: &str = "docs/reliability.md";

/// The rules are P1 up to this.
const RULES: u8 = 26;

/// What a row says that names no test.
const NONE_YET: &str = "none yet";

/// What is not true of the table.
///
/// # Errors
/// When a file cannot be read.
pub fn check(workspace: &Workspace) -> anyhow::Result<Vec<Finding>> {
    let tests = documents::declared(&workspace.root.join("crates"))?;
    Ok(untrue(&workspace.text(TABLE)?, &tests))
}

fn untrue(text: &str, declared: &BTreeSet<String>) -> Vec<Finding> {
    let mut found: Vec<String> = Vec::new();
    let mut missing: BTreeSet<u8> = (1..=RULES).collect();
    for row in text.lines() {
        let Some(rule) = rule_of(row) else { continue };
        missing.remove(&rule);
        let named: Vec<&str> =
            in_backticks(row).filter(|name| !rules_in(name).is_empty()).collect();
        for name in &named {
            if !declared.contains(*name) {
                found.push(format!("names {name}, which is declared nowhere"));
            } else if !rules_in(name).contains(&rule) {
                found.push(format!("names {name} for P{rule}, whose number it does not carry"));
            }
        }
        let test = declared.iter().find(|name| rules_in(name).contains(&rule));
        match test {
            Some(test) if row.contains(NONE_YET) => {
                found.push(format!("says that P{rule} has no test; there is {test}"));
            }
            None if !row.contains(NONE_YET) => {
                found.push(format!("does not say that P{rule} has no test: write {NONE_YET:?}"));
            }
            Some(_) if named.is_empty() => found.push(format!("names no test of P{rule}")),
            Some(_) | None => {}
        }
    }
    found.extend(missing.into_iter().map(|rule| format!("has no row for P{rule}")));
    found.into_iter().map(|what| Finding::new(TABLE, what)).collect()
}

/// Of `| P5 | … |`, 5.
fn rule_of(row: &str) -> Option<u8> {
    row.strip_prefix("| P")?.split(' ').next()?.parse().ok()
}

/// Of `p4_p5_whatever`, 4 and 5.
fn rules_in(name: &str) -> Vec<u8> {
    let parts = name.split('_').map(|part| part.strip_prefix('p')?.parse().ok());
    parts.map_while(|rule: Option<u8>| rule).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table with this row for P5, and true rows for all others.
    fn found(row: &str) -> Vec<String> {
        let others = (1..=RULES).filter(|rule| *rule != 5);
        let others: Vec<String> = others.map(|rule| format!("| P{rule} | none yet |")).collect();
        let declared = ["p5_in_order", "p50_us", "read"].map(str::to_owned).into();
        let found = untrue(&format!("{row}\n{}", others.join("\n")), &declared);
        found.into_iter().map(|found| found.what).collect()
    }

    #[test]
    fn a_row_with_a_test_that_exists_is_true() {
        assert_eq!(found("| P5 | acknowledgement | `p5_in_order` |"), [""; 0]);
    }

    #[test]
    fn rows_that_are_not_true_are_found() {
        for (row, what) in [
            ("| P5 | `p5_gone`, `p5_in_order` |", "names p5_gone, which is declared nowhere"),
            ("| P5 | none yet |", "says that P5 has no test; there is p5_in_order"),
            ("| P5 | a promise |", "names no test of P5"),
            ("", "has no row for P5"),
        ] {
            assert_eq!(found(row), [what], "{row}");
        }
    }

    #[test]
    fn a_test_stands_for_the_rules_whose_numbers_it_carries() {
        assert_eq!(rules_in("p4_p5_p13_whatever_happens"), [4, 5, 13]);
        assert_eq!(rules_in("whatever_p5_happens"), [0; 0]);
        let declared = BTreeSet::from(["p4_x".to_owned()]);
        let found = untrue("| P5 | `p4_x` none yet |", &declared);
        assert!(found[0].what.starts_with("names p4_x for P5"), "{found:?}");
    }
}
