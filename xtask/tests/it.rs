//! This very tree keeps the rules.

use xtask::{rules, workspace::Workspace};

#[test]
fn the_tree_keeps_its_rules() {
    let workspace = Workspace::load().unwrap();
    assert!(workspace.has("xtask") && workspace.crates.len() > 1, "the workspace was not read");
    let found = rules::findings(&workspace).unwrap();
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "\n{}\n", lines.join("\n"));
}
