//! The one command that says yes or no.
//!
//! Cheap steps first, the tests last, and the first no ends it. It writes nothing but `target/`:
//! the lock file is taken as it is, snapshots and golden files are compared and never renewed; only
//! a server that tests start is installed, where that may be done (`servers`). A tool that is not installed is not a no, but what it would have checked is named before the
//! tests begin; so the last lines of a yes are the test runner's own summary.

use crate::{rules, run::Call, servers, workspace::Workspace};

/// A tool's part.
struct Step {
    /// What it looks at.
    name: &'static str,
    /// Tells whether the tool is there.
    probe: Call,
    /// What is run if it is.
    call: Call,
}

const STEPS: &[Step] = &[
    Step {
        name: "formatting",
        probe: Call::cargo(&["fmt", "--version"]),
        call: Call::cargo(&["fmt", "--all", "--check"]),
    },
    Step {
        name: "lints",
        probe: Call::cargo(&["clippy", "--version"]),
        call: Call::cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ]),
    },
    Step {
        name: "documentation",
        probe: Call::cargo(&["doc", "--help"]),
        // Briefings link to what is private as well: they are for those who work here.
        call: Call::cargo(&[
            "doc",
            "--workspace",
            "--no-deps",
            "--document-private-items",
            "--locked",
        ])
        .with(&[("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links")]),
    },
    Step {
        name: "licences, bans and sources of dependencies",
        probe: Call::cargo(&["deny", "--version"]),
        // Not advisories: their list changes without us, and comes over the network.
        call: Call::cargo(&["deny", "--locked", "check", "bans", "licenses", "sources"]),
    },
    Step {
        name: "examples in the documentation",
        probe: Call::cargo(&["test", "--help"]),
        call: Call::cargo(&["test", "--workspace", "--doc", "--locked"]),
    },
];

/// Snapshots are compared, never renewed.
const COMPARE_ONLY: &[(&str, &str)] = &[("INSTA_UPDATE", "no")];

const NEXTEST: Call =
    Call::cargo(&["nextest", "run", "--workspace", "--locked"]).with(COMPARE_ONLY);

const PLAIN_TESTS: Call =
    Call::cargo(&["test", "--workspace", "--tests", "--locked"]).with(COMPARE_ONLY);

/// Runs every step; returns only if none said no.
///
/// # Errors
/// The first no.
pub fn verify(workspace: &Workspace) -> anyhow::Result<()> {
    println!("rules: layers, dependencies, sources, documents");
    rules::keep(workspace)?;
    let root = &workspace.root;
    let mut not_run = Vec::new();
    for step in STEPS {
        if step.probe.succeeds_quietly(root) {
            step.call.run(root)?;
        } else {
            not_run.push(step);
        }
    }
    let not_installed = servers::missing();
    println!("\nEverything before the tests has passed.");
    for step in not_run {
        println!(
            "Not run, because its tool is not installed: {} ({})",
            step.name,
            step.call.text()
        );
    }
    if let Some(what) = not_installed {
        println!("Not run, because its server is not installed and cannot be from here: {what}");
    }
    if Call::cargo(&["nextest", "--version"]).succeeds_quietly(root) {
        NEXTEST.run(root)
    } else {
        println!("cargo-nextest is not installed; cargo's own runner takes its place.");
        PLAIN_TESTS.run(root)
    }
}
