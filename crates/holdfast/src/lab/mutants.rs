//! `holdfast lab mutants`: planted bugs, and how many seeds it takes to find each.
//!
//! Only in a build with the feature `planted`, which serves nobody.

use clap::Args;
use holdfast_lab::sim::mutants::{BUGS, Bug, Hunt, hunt_all, line, median};
use serde_json::json;

use crate::exit::{self, Exit, Failure};

/// Arguments of `lab mutants`.
#[derive(Debug, Args)]
pub(crate) struct MutantsArguments {
    /// Seeds to try for each bug, at most.
    #[arg(long, value_name = "COUNT", default_value_t = 1_000)]
    seeds: u64,
    /// Hunt this bug alone; may be given several times.
    #[arg(long, value_name = "NAME", value_parser = bug)]
    bug: Vec<Bug>,
    /// Print one JSON object instead of lines for people.
    #[arg(long)]
    json: bool,
}

/// A bug by its name.
fn bug(name: &str) -> Result<Bug, String> {
    let named = BUGS.iter().find(|bug| format!("{bug:?}") == name);
    named.copied().ok_or_else(|| "no bug has this name".to_owned())
}

/// Hunts every bug, or those that are named.
pub(super) fn run(arguments: &MutantsArguments) -> Result<Exit, Failure> {
    std::panic::set_hook(Box::new(|_| {}));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let quiet = arguments.json;
    let bugs = if arguments.bug.is_empty() { BUGS } else { &arguments.bug };
    let hunts = hunt_all(bugs, &(0..arguments.seeds), threads, &|hunt| {
        if !quiet {
            eprintln!("{}", line(hunt));
        }
    });
    let is_missed = |hunt: &&Hunt| hunt.seeds.is_none();
    let missed = hunts.iter().filter(is_missed).count();
    let median = median(&hunts);
    if arguments.json {
        let told = hunts.iter().map(|hunt| {
            json!({
                "bug": format!("{:?}", hunt.bug),
                "rule": hunt.bug.rule(),
                "words": hunt.bug.words(),
                "seeds": hunt.seeds,
                "seed": hunt.seed,
                "broken": hunt.broken,
            })
        });
        let told: Vec<_> = told.collect();
        exit::print(&json!({ "bugs": told, "median": median, "missed": missed }).to_string())?;
    } else {
        exit::print(&hunts.iter().map(line).collect::<Vec<_>>().join("\n"))?;
        let half = median.map_or_else(|| "-".to_owned(), |seeds| seeds.to_string());
        exit::print(&format!("{} bugs, half of them found within {half} seeds", hunts.len()))?;
        exit::print(if missed == 0 {
            "verdict: pass"
        } else {
            "verdict: fail: not all were found"
        })?;
    }
    Ok(if missed == 0 { Exit::Done } else { Exit::No })
}
