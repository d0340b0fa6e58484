//! `holdfast limit`: limits of a running server, from the command line.

mod check;
mod list;
mod status;

use std::collections::BTreeMap;

use clap::{Args, Subcommand};

use crate::{
    connect::TalkArguments,
    exit::{Exit, Failure},
};

/// What can be done with limits.
#[derive(Debug, Subcommand)]
pub(crate) enum LimitCommand {
    /// Ask whether a request may go on, and charge it if so; exits with 1 if it may not.
    Check(check::CheckArguments),
    /// Show how a request stands, rule by rule, and why; exits with 1 if it would be denied.
    Status(status::StatusArguments),
    /// List limits and their rules by id.
    List(TalkArguments),
}

pub(crate) fn run(command: LimitCommand) -> Result<Exit, Failure> {
    match command {
        LimitCommand::Check(arguments) => check::run(arguments),
        LimitCommand::Status(arguments) => status::run(arguments),
        LimitCommand::List(talk) => list::run(&talk),
    }
}

/// A request of a limit.
#[derive(Debug, Args)]
struct Asked {
    /// The limit's id.
    limit: String,
    /// What the request is: tenant=acme.
    #[arg(value_name = "NAME=VALUE", value_parser = descriptor)]
    descriptors: Vec<(String, String)>,
    /// What it costs; 1 if nobody says.
    #[arg(long)]
    cost: Option<u64>,
}

impl Asked {
    fn descriptors(&self) -> Result<BTreeMap<String, String>, Failure> {
        let mut all = BTreeMap::new();
        for (name, value) in &self.descriptors {
            if all.insert(name.clone(), value.clone()).is_some() {
                return Err(Failure::usage(format!("{name} is given twice")));
            }
        }
        Ok(all)
    }
}

fn descriptor(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').filter(|(name, _)| !name.is_empty());
    let (name, value) = parts.ok_or_else(|| "expected NAME=VALUE".to_owned())?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Milliseconds for people.
fn seconds(ms: u64) -> String {
    format!("{}.{:03} s", ms / 1000, ms % 1000)
}

/// The answer's exit code: 1 for no.
const fn exit(allowed: bool) -> Exit {
    if allowed { Exit::Done } else { Exit::No }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_has_a_name_and_any_value() {
        let parts = |text: &str| descriptor(text).map_err(drop);
        assert_eq!(parts("q=a=b"), Ok(("q".to_owned(), "a=b".to_owned())));
        assert_eq!(parts("q="), Ok(("q".to_owned(), String::new())));
        assert_eq!((parts("q"), parts("=a")), (Err(()), Err(())));
        assert_eq!(seconds(61_005), "61.005 s");
    }
}
