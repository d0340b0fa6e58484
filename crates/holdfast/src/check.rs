//! `holdfast check FILE`: a history that a scenario left, judged without the scenario.
//!
//! Judged is what needs no model (`holdfast_lab::check::recorded`). The last line is the
//! verdict, as it is for scenarios.

use std::{fs::File, io::BufReader, path::PathBuf};

use clap::Args;
use holdfast_lab::check::recorded::{self, Judged, Violation};
use serde_json::json;

use crate::exit::{self, Exit, Failure};

/// Arguments of `check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// What `--history` wrote.
    file: PathBuf,
    /// Print one JSON object instead of lines for people.
    #[arg(long)]
    json: bool,
}

/// Judges a history.
pub(crate) fn run(arguments: &CheckArguments) -> Result<Exit, Failure> {
    let file = arguments.file.display();
    let opened = File::open(&arguments.file);
    let opened = opened.map_err(|error| Failure::usage(format!("{file}: {error}")))?;
    let history = recorded::read(BufReader::new(opened))
        .map_err(|error| Failure::usage(format!("{file}: {error}")))?;
    let judged = history.judge();
    exit::print(&if arguments.json { as_json(&judged) } else { as_lines(&judged) })?;
    Ok(if judged.is_ok() { Exit::Done } else { Exit::No })
}

fn as_json(judged: &Result<Judged, Violation>) -> String {
    let told = match judged {
        Err(why) => json!({ "verdict": "fail", "why": why.to_string() }),
        Ok(judged) => json!({
            "verdict": "pass",
            "writes": judged.writes,
            "refused": judged.refused,
            "repeated": judged.repeated,
            "replayed": judged.replayed,
            "first_version": judged.versions.map(|(first, _)| first.get()),
            "last_version": judged.versions.map(|(_, last)| last.get()),
            "versions_unseen": judged.versions_unseen,
        }),
    };
    told.to_string()
}

fn as_lines(judged: &Result<Judged, Violation>) -> String {
    let judged = match judged {
        Err(why) => return format!("verdict: fail: {why}"),
        Ok(judged) => judged,
    };
    let title = match judged.versions {
        Some((first, last)) => format!("{} writes, versions {first} to {last}", judged.writes),
        None => "no writes".to_owned(),
    };
    let counts = [
        ("refused", judged.refused),
        ("repeated after no answer", judged.repeated),
        ("answered as an earlier try was", judged.replayed),
        ("versions of nobody here", judged.versions_unseen),
    ];
    let mut lines = vec![title];
    lines.extend(counts.map(|(what, count)| format!("  {what:<32} {count:>9}")));
    lines.push("verdict: pass".to_owned());
    lines.join("\n")
}
