//! What `demo` and `replay` have in common: how a scenario is run, and how it is told.
//!
//! The last line is the verdict: `verdict: pass` (exit 0) or `verdict: fail: why` (exit
//! 1). The server is this very binary in a process of its own, unless it is to run in
//! this process, where it cannot be killed.

use std::{io::IsTerminal as _, path::PathBuf};

use clap::Args;
use holdfast_lab::{Options, Report, Scenario, Target};
use serde_json::{Map, json};

use crate::exit::{self, Exit, Failure};

/// How a scenario is run.
#[derive(Clone, Debug, Args)]
pub(crate) struct ScenarioArguments {
    /// Callers beside each other.
    #[arg(long, value_name = "COUNT", default_value_t = 64)]
    concurrency: usize,
    /// How many of a hundred writes are sent twice at once.
    #[arg(long, value_name = "PERCENT", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(u64).range(0..=100))]
    duplicates: u64,
    /// How often the server process is killed (kill -9) and started again.
    #[arg(long, value_name = "COUNT", default_value_t = 3)]
    kill: u64,
    /// Keep the data in this directory, which must be new.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Run the server in this process, without HTTP and without kills.
    #[arg(long)]
    in_process: bool,
    /// Decides what is made up and what is sent twice.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write each answer to this file, as a line of JSON.
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
    /// Print one JSON object instead of lines for people.
    #[arg(long)]
    json: bool,
}

impl ScenarioArguments {
    pub(crate) const fn seed(&self) -> u64 {
        self.seed
    }

    fn options(&self) -> Options {
        Options {
            concurrency: self.concurrency.max(1),
            duplicates_percent: self.duplicates,
            kills: if self.in_process { 0 } else { self.kill },
            stop_after: None,
            history: self.history.clone(),
            seed: self.seed,
            progress: !self.json && std::io::stderr().is_terminal(),
        }
    }
}

/// Runs a scenario and tells what came of it.
pub(crate) fn run(scenario: &dyn Scenario, arguments: &ScenarioArguments) -> Result<Exit, Failure> {
    let cannot = |error: anyhow::Error| Failure::new(Exit::CannotStart, error);
    let temporary = tempfile::Builder::new().prefix("holdfast-").tempdir();
    let temporary = temporary.map_err(|error| cannot(error.into()))?;
    let data = arguments.data.clone().unwrap_or_else(|| temporary.path().join("data"));
    if data.exists() {
        let what = format!("{} exists: a scenario begins with nothing", data.display());
        return Err(Failure::usage(what));
    }
    let target = if arguments.in_process {
        Target::in_process(&data).map_err(cannot)?
    } else {
        let program = std::env::current_exe().map_err(|error| cannot(error.into()))?;
        Target::server(&program, &data).map_err(cannot)?
    };
    let report = holdfast_lab::run(scenario, &target, &arguments.options());
    let report =
        report.map_err(|error| Failure::new(Exit::NoAnswer, anyhow::anyhow!("{error:#}")))?;
    target.close().map_err(|error| Failure::new(Exit::Stopped, error))?;
    tell(&report, arguments.json)
}

/// Prints what came of it.
pub(crate) fn tell(report: &Report, as_json: bool) -> Result<Exit, Failure> {
    print(report, as_json)?;
    Ok(if report.verdict.is_ok() { Exit::Done } else { Exit::No })
}

fn print(report: &Report, as_json: bool) -> Result<(), Failure> {
    let seconds = report.took.as_secs_f64();
    let per_second = report.writes as f64 / seconds.max(f64::MIN_POSITIVE);
    if as_json {
        let counts = report.counts.iter().map(|(what, count)| (what.clone(), (*count).into()));
        let told = json!({
            "scenario": report.scenario,
            "writes": report.writes,
            "seconds": seconds,
            "per_second": per_second,
            "counts": counts.collect::<Map<_, _>>(),
            "verdict": if report.verdict.is_ok() { "pass" } else { "fail" },
            "why": report.verdict.as_ref().err().map(ToString::to_string),
        });
        return exit::print(&told.to_string());
    }
    let writes = report.writes;
    let mut lines =
        vec![format!("{}: {writes} writes in {seconds:.1} s, {per_second:.0}/s", report.scenario)];
    lines.extend(report.counts.iter().map(|(what, count)| format!("  {what:<32} {count:>9}")));
    lines.push(match &report.verdict {
        Ok(()) => "verdict: pass".to_owned(),
        Err(why) => format!("verdict: fail: {why}"),
    });
    exit::print(&lines.join("\n"))
}
