//! `cargo xtask verify | fix | rules | servers`: the project's chores.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use xtask::{rules, run, servers, verify, workspace::Workspace};

const USAGE: &str = "\
cargo xtask verify   says yes or no; writes nothing outside of target/, but as root with apt-get it
                     installs PostgreSQL for the tests that start it
cargo xtask fix      formats, and mends what clippy knows how to mend
cargo xtask rules    only the rules that need no compiler: layers, dependencies, sources, documents
cargo xtask servers  only what verify does for the servers that tests start";

fn main() -> ExitCode {
    match chore() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn chore() -> anyhow::Result<()> {
    let workspace = Workspace::load().context("reading the workspace")?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["verify"] => verify::verify(&workspace),
        ["fix"] => run::fix(&workspace.root),
        ["rules"] => rules::keep(&workspace),
        ["servers"] => match servers::missing() {
            None => Ok(()),
            Some(what) => bail!("not installed, and what needs it is not run: {what}"),
        },
        [] | ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        other => bail!("no such chore: {}\n\n{USAGE}", other.join(" ")),
    }
}
