//! What every crate and every module must be like: briefed, short, and under the workspace's
//! lints.
//!
//! Function lengths and the rest are clippy's part.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;

use crate::{
    rules::Finding,
    workspace::{Crate, Workspace},
};

/// No file has more lines than this, tests not counted.
pub const LINES_MAX: usize = 800;

/// Crates that must not look at clocks, environment or unordered maps. Each has a `clippy.toml` of
/// its own that bans these, and names what to use instead.
pub const PURE: &[&str] = &[
    "holdfast-log",
    "holdfast-state",
    "holdfast-engine",
    "holdfast-ledger",
    "holdfast-reservations",
    "holdfast-flow",
    "holdfast-coordination",
];

const BANNED_IN_PURE: &[&str] = &[
    "std::time::SystemTime",
    "std::time::Instant",
    "std::collections::HashMap",
    "std::collections::HashSet",
    "std::env::var",
];

/// What breaks a rule about sources and manifests.
///
/// # Errors
/// When a file cannot be read.
pub fn check(workspace: &Workspace) -> anyhow::Result<Vec<Finding>> {
    let mut found = Vec::new();
    for member in &workspace.crates {
        found.extend(manifest(member)?);
        found.extend(bans(member)?);
        for file in rust_files(&member.folder)? {
            let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
            let name = file.strip_prefix(&workspace.root).unwrap_or(&file);
            found.extend(module(name, &text));
        }
    }
    Ok(found)
}

fn manifest(member: &Crate) -> anyhow::Result<Option<Finding>> {
    let file = member.folder.join("Cargo.toml");
    let table: toml::Table = fs::read_to_string(&file)?.parse()?;
    let inherited = table.get("lints").and_then(|lints| lints.get("workspace"));
    let inherits = inherited.and_then(toml::Value::as_bool) == Some(true);
    let finding = || Finding::new(&member.name, "does not say [lints] workspace = true");
    Ok((!inherits).then(finding))
}

fn bans(member: &Crate) -> anyhow::Result<Vec<Finding>> {
    if !PURE.contains(&member.name.as_str()) {
        return Ok(Vec::new());
    }
    let file = member.folder.join("clippy.toml");
    let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let missing = BANNED_IN_PURE.iter().filter(|path| !text.contains(&format!("\"{path}\"")));
    Ok(missing
        .map(|path| Finding::new(&member.name, format!("its clippy.toml does not ban {path}")))
        .collect())
}

/// Every Rust file below a folder, in order.
///
/// # Errors
/// When a folder cannot be read.
pub fn rust_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .with_context(|| folder.display().to_string())?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    entries.sort_unstable();
    for path in entries {
        if path.is_dir() {
            files.extend(rust_files(&path)?);
        } else if path.extension() == Some(OsStr::new("rs")) {
            files.push(path);
        }
    }
    Ok(files)
}

fn module(file: &Path, text: &str) -> Vec<Finding> {
    let place = file.display().to_string();
    let mut found = Vec::new();
    // A module's tests may have a file of their own; their briefing is the module's.
    if file.file_name() == Some(OsStr::new("tests.rs")) {
        return found;
    }
    if !text.starts_with("//!") {
        found.push(Finding::new(&place, "does not begin with a briefing (//!)"));
    }
    let lines = lines_besides_tests(text);
    let only_tests = file.iter().any(|part| part == "tests");
    if lines > LINES_MAX && !only_tests {
        found.push(Finding::new(&place, format!("has {lines} lines, more than {LINES_MAX}")));
    }
    found
}

/// Lines up to the module of tests, which stands last.
fn lines_besides_tests(text: &str) -> usize {
    let mut lines = text.lines().peekable();
    let mut count = 0;
    while let Some(line) = lines.next() {
        let tests = line == "#[cfg(test)]" && lines.peek().is_some_and(|next| opens(next));
        if tests {
            break;
        }
        count += 1;
    }
    count
}

fn opens(line: &str) -> bool {
    line.starts_with("mod ") && line.ends_with('{')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(file: &str, text: &str) -> Vec<String> {
        module(Path::new(file), text).into_iter().map(|found| found.what).collect()
    }

    #[test]
    fn a_module_without_a_briefing_is_found() {
        assert_eq!(found("crates/a/src/b.rs", "//! What it keeps.\n"), [""; 0]);
        let bare = "use std::fs;\n//! late\n";
        assert_eq!(found("crates/a/src/b.rs", bare), ["does not begin with a briefing (//!)"]);
        assert_eq!(found("crates/a/src/b/tests.rs", bare), [""; 0]);
    }

    #[test]
    fn a_long_file_is_found_and_tests_are_not_counted() {
        let long = |lines: usize| format!("//! Long.\n{}", "fn f() {}\n".repeat(lines - 1));
        assert_eq!(found("crates/a/src/b.rs", &long(800)), [""; 0]);
        assert_eq!(found("crates/a/src/b.rs", &long(801)), ["has 801 lines, more than 800"]);
        assert_eq!(found("crates/a/tests/it/b.rs", &long(801)), [""; 0]);
        let tested = format!("//! Tested.\n#[cfg(test)]\nmod tests {{\n{}}}\n", long(900));
        assert_eq!(found("crates/a/src/b.rs", &tested), [""; 0]);
        let only_marked = format!("//! Marked.\n#[cfg(test)]\nmod tests;\n{}", long(900));
        assert_eq!(found("crates/a/src/b.rs", &only_marked).len(), 1);
    }

    #[test]
    fn a_crate_that_leaves_the_lints_or_the_bans_out_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        let member = Crate {
            name: PURE[0].to_owned(),
            folder: folder.path().to_owned(),
            ..Crate::default()
        };
        write("Cargo.toml", "[lints]\nworkspace = false\n");
        assert!(manifest(&member).unwrap().is_some());
        write("Cargo.toml", "[package]\nname = \"a\"\n");
        assert!(manifest(&member).unwrap().is_some());
        write("Cargo.toml", "[lints]\nworkspace = true\n");
        assert_eq!(manifest(&member).unwrap(), None);

        let all: Vec<String> = BANNED_IN_PURE.iter().map(|path| format!("\"{path}\"")).collect();
        write("clippy.toml", &all.join("\n"));
        assert_eq!(bans(&member).unwrap(), []);
        write("clippy.toml", &all[1..].join("\n"));
        assert_eq!(bans(&member).unwrap().len(), 1);
        assert_eq!(bans(&Crate { name: "holdfast".to_owned(), ..member }).unwrap(), []);
    }
}
