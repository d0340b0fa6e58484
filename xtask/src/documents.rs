//! What the documents point at exists.
//!
//! Relative links in Markdown lead to files; the names of functions and types that
//! `ARCHITECTURE.md` gives are declared somewhere; `.ci/run` runs the command that the README
//! tells a newcomer to run.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::Context as _;

use crate::{
    dependencies::in_backticks, rules::Finding, sources::rust_files, workspace::Workspace,
};

/// The command that passes the tests, as the README gives it.
pub const TEST_COMMAND: &str = "cargo xtask verify";

const ARCHITECTURE: &str = "ARCHITECTURE.md";

/// What breaks a rule about documents.
///
/// # Errors
/// When a file cannot be read.
pub fn check(workspace: &Workspace) -> anyhow::Result<Vec<Finding>> {
    let root = &workspace.root;
    let mut found = Vec::new();
    for file in markdown_files(root)? {
        let text = workspace.text(&file)?;
        let dead = links(&text).filter(|link| !root.join(&file).with_file_name(link).exists());
        found
            .extend(dead.map(|link| Finding::new(&file, format!("links to {link}: no such file"))));
    }
    let architecture = workspace.text(ARCHITECTURE)?;
    let mut names = declared(&root.join("crates"))?;
    names.extend(declared(&root.join("xtask"))?);
    found.extend(unknown_names(&architecture, &names));
    found.extend(missing_paths(&architecture, root));
    for file in ["README.md", ".ci/run"] {
        found.extend(without_command(file, &workspace.text(file)?));
    }
    Ok(found)
}

fn without_command(file: &str, text: &str) -> Option<Finding> {
    let runs = text.lines().any(|line| line.trim() == TEST_COMMAND);
    (!runs).then(|| Finding::new(file, format!("has no line `{TEST_COMMAND}`")))
}

/// Documents of the root and of `docs/`, by their path from the root.
fn markdown_files(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut files = Vec::new();
    for folder in ["", "docs", "docs/adr", "docs/errors"] {
        let entries = fs::read_dir(root.join(folder)).with_context(|| folder.to_owned())?;
        for entry in entries {
            let name = entry?.file_name().into_string().unwrap_or_default();
            if Path::new(&name).extension().is_some_and(|extension| extension == "md") {
                files.push(format!("{folder}/{name}").trim_start_matches('/').to_owned());
            }
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// Targets of links to files, without their anchors.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets
        .filter(|target| !target.contains("://") && !target.starts_with('#'))
        .filter_map(|target| target.split('#').next())
}

/// Names that some line of the sources declares: types, functions, modules, variants.
pub(crate) fn declared(folder: &Path) -> anyhow::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for file in rust_files(folder)? {
        let text = fs::read_to_string(&file)?;
        names.extend(text.lines().filter_map(declares).map(str::to_owned));
    }
    Ok(names)
}

fn declares(line: &str) -> Option<&str> {
    const BEFORE: [&str; 5] = ["pub ", "pub(crate) ", "pub(super) ", "const ", "async "];
    const KINDS: [&str; 7] = ["fn ", "struct ", "enum ", "trait ", "mod ", "type ", "const "];
    let mut rest = line.trim_start();
    while let Some(after) = BEFORE.iter().find_map(|word| rest.strip_prefix(word)) {
        rest = after;
    }
    if let Some(after) = KINDS.iter().find_map(|kind| rest.strip_prefix(kind)) {
        return after.split(|c: char| !is_word(c)).next();
    }
    // What is left of `const NAME: …` and of a variant: a name with a capital, and little after it.
    let end = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    let variant = [",", "(", " {", ":"].iter().any(|mark| after.starts_with(mark));
    (variant && name.starts_with(char::is_uppercase)).then_some(name)
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Names such as `Partition`, `LAYERS` or `Partition::transact` of which a part is declared nowhere.
fn unknown_names(text: &str, declared: &BTreeSet<String>) -> Vec<Finding> {
    let named = in_backticks(text);
    let named = named.filter(|name| name.contains("::") || name.starts_with(char::is_uppercase));
    let named = named.filter(|name| name.chars().all(|c| is_word(c) || c == ':'));
    let known = |part: &str| part.starts_with("holdfast") || declared.contains(part);
    named
        .filter(|name| !name.split("::").all(known))
        .map(|name| Finding::new(ARCHITECTURE, format!("names {name}, which is declared nowhere")))
        .collect()
}

/// Paths such as `docs/glossary.md` or `crates/holdfast-log/src/reader.rs` without a file.
fn missing_paths(text: &str, root: &Path) -> Vec<Finding> {
    const ROOTS: [&str; 4] = ["crates/", "docs/", "xtask/", ".ci/"];
    in_backticks(text)
        .filter(|path| ROOTS.iter().any(|root| path.starts_with(root)))
        .filter(|path| path.chars().all(|c| is_word(c) || "./-".contains(c)))
        .filter(|path| !root.join(path).exists())
        .map(|path| Finding::new(ARCHITECTURE, format!("names {path}, which does not exist")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_files_are_found_and_others_left_alone() {
        let text = "[a](docs/a.md#part) [b](https://b) [c](#here) [d](d.md)";
        assert_eq!(links(text).collect::<Vec<_>>(), ["docs/a.md", "d.md"]);
    }

    #[test]
    fn a_declaration_is_known_by_its_line() {
        for (line, name) in [
            ("    pub(crate) async fn transact(&self)", Some("transact")),
            ("pub const fn new() -> Self {", Some("new")),
            ("    const ID: TableId = TableId(1);", Some("ID")),
            ("pub struct Partition {", Some("Partition")),
            ("pub trait Log: Send {", Some("Log")),
            ("    Overloaded,", Some("Overloaded")),
            ("    Request(Request),", Some("Request")),
            ("    let x = Partition::start();", None),
            ("    partition.stop();", None),
        ] {
            assert_eq!(declares(line), name, "{line}");
        }
    }

    #[test]
    fn names_that_are_gone_are_found() {
        let declared = ["Partition", "transact"].map(str::to_owned).into();
        let text = "`Partition::transact` of `Partition`, `Partition::transmit`, `Partitions`, `x`";
        let found = unknown_names(text, &declared);
        let found: Vec<&str> = found.iter().map(|found| found.what.as_str()).collect();
        assert_eq!(
            found,
            [
                "names Partition::transmit, which is declared nowhere",
                "names Partitions, which is declared nowhere",
            ]
        );
    }

    #[test]
    fn paths_that_are_gone_are_found() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("docs")).unwrap();
        fs::write(root.path().join("docs/a.md"), "").unwrap();
        let found = missing_paths("`docs/a.md` `docs/b.md` `docs/NNNN-*.md`", root.path());
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].what.contains("docs/b.md"));
    }

    #[test]
    fn the_test_command_stands_on_a_line_of_its_own() {
        assert_eq!(without_command("README.md", "```sh\ncargo xtask verify\n```"), None);
        assert!(without_command("README.md", "run cargo xtask verify --fast").is_some());
    }
}
