//! Which crates of others are used, and who may name them.
//!
//! `docs/dependencies.md` is not a description but the permission: a table with a row for each
//! outside crate, whose third column names the crates that may depend on it. A crate that wants
//! another asks there, with a reason, in the change that adds it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;

use crate::{
    rules::Finding,
    workspace::{Crate, Workspace},
};

/// Where the permissions are.
pub const DOCUMENT: &str = "docs/dependencies.md";

/// For each outside crate who may name it outside of tests.
#[derive(Clone, Debug, Default)]
pub struct Permissions(BTreeMap<String, BTreeSet<String>>);

impl Permissions {
    /// Reads the table: rows that begin with a crate's name in backticks.
    #[must_use]
    pub fn parse(document: &str) -> Self {
        let rows = document.lines().filter(|line| line.starts_with("| `"));
        let row = |line: &str| {
            let mut columns = line.trim_matches('|').split('|');
            let name = in_backticks(columns.next()?).next()?.to_owned();
            let users = columns.nth(1)?;
            Some((name, in_backticks(users).map(str::to_owned).collect()))
        };
        Self(rows.filter_map(row).collect())
    }
}

/// The words of a text that stand in backticks.
pub(crate) fn in_backticks(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Outside crates that are used without permission, permitted without use, or not declared.
///
/// # Errors
/// When the document or the root manifest cannot be read.
pub fn check(workspace: &Workspace) -> anyhow::Result<Vec<Finding>> {
    let permissions = Permissions::parse(&workspace.text(DOCUMENT)?);
    let manifest: toml::Table = workspace.text("Cargo.toml")?.parse().context("Cargo.toml")?;
    let declared = manifest
        .get("workspace")
        .and_then(|table| table.get("dependencies"))
        .and_then(toml::Value::as_table)
        .context("Cargo.toml has no [workspace.dependencies]")?;
    let declared = declared.keys().filter(|name| !workspace.has(name)).cloned().collect();
    Ok(compare(&workspace.crates, &declared, &permissions))
}

fn compare(
    crates: &[Crate],
    declared: &BTreeSet<String>,
    Permissions(permitted): &Permissions,
) -> Vec<Finding> {
    let mut found = Vec::new();
    for name in declared.iter().filter(|name| !permitted.contains_key(*name)) {
        found.push(Finding::new(DOCUMENT, format!("{name} has no row")));
    }
    for name in permitted.keys().filter(|name| !declared.contains(*name)) {
        found.push(Finding::new(DOCUMENT, format!("{name} is not among the dependencies")));
    }
    for name in declared.iter().filter(|name| !crates.iter().any(|member| member.names(name))) {
        found.push(Finding::new("Cargo.toml", format!("no crate depends on {name}")));
    }
    for (name, users) in permitted {
        for member in crates {
            let (uses, may) = (member.needs.contains(name), users.contains(&member.name));
            if uses && !may {
                let what = format!("{} may not depend on {name}; see {DOCUMENT}", member.name);
                found.push(Finding::new(&member.name, what));
            }
            if may && !uses {
                let what = format!("{name} is permitted to {}, which does not use it", member.name);
                found.push(Finding::new(DOCUMENT, what));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
        # Dependencies\n\
        | crate | why | who may use it | instead |\n\
        | --- | --- | --- | --- |\n\
        | `tokio` | sockets | `holdfast-node` | `std` |\n\
        | `tempfile` | folders that go away | tests | - |\n";

    fn member(name: &str, needs: &[&str]) -> Crate {
        let needs = needs.iter().map(|name| (*name).to_owned()).collect();
        Crate { name: name.to_owned(), needs, ..Crate::default() }
    }

    /// The same crate with tests that use a temporary folder.
    fn tested(mut member: Crate) -> Crate {
        member.tests_need.insert("tempfile".to_owned());
        member
    }

    fn check(crates: &[Crate], declared: &[&str]) -> Vec<String> {
        let declared = declared.iter().map(|name| (*name).to_owned()).collect();
        let found = compare(crates, &declared, &Permissions::parse(TABLE));
        found.iter().map(Finding::to_string).collect()
    }

    #[test]
    fn what_is_permitted_is_fine() {
        let crates = [tested(member("holdfast-node", &["tokio"])), member("holdfast-state", &[])];
        assert_eq!(check(&crates, &["tokio", "tempfile"]), [""; 0]);
    }

    #[test]
    fn a_crate_that_was_not_given_permission_is_named() {
        let crates =
            [tested(member("holdfast-node", &["tokio"])), member("holdfast-state", &["tokio"])];
        assert_eq!(
            check(&crates, &["tokio", "tempfile"]),
            ["holdfast-state: holdfast-state may not depend on tokio; see docs/dependencies.md"]
        );
    }

    #[test]
    fn what_the_table_leaves_out_or_keeps_too_long_is_named() {
        let crates = [member("holdfast-node", &[])];
        assert_eq!(
            check(&crates, &["tokio", "axum"]),
            [
                "docs/dependencies.md: axum has no row",
                "docs/dependencies.md: tempfile is not among the dependencies",
                "Cargo.toml: no crate depends on axum",
                "Cargo.toml: no crate depends on tokio",
                "docs/dependencies.md: tokio is permitted to holdfast-node, which does not use it",
            ]
        );
    }
}
