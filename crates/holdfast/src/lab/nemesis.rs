//! `holdfast lab nemesis`: three nodes and three servers of PostgreSQL, all real processes, while
//! everything goes wrong that can; and a verdict about every answer that anybody got.
//!
//! What happens is told on stderr as it happens. The last line on stdout is the verdict, as it is
//! for scenarios. Needs PostgreSQL's programs, and says what to install.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use holdfast_lab::cluster::{
    load::{Callers, Newest},
    nemesis::{self, Options, Report},
    outage::Times,
};
use serde_json::{Map, Value, json};

use crate::{
    cluster::{Place, PostgresPrograms},
    exit::{self, Exit, Failure},
};

/// Arguments of `lab nemesis`.
#[derive(Debug, Args)]
pub(crate) struct NemesisArguments {
    /// Begin rounds of faults for so long. Two are made in any case: one with reads confirmed by
    /// the log, one with reads on the leader's lease.
    #[arg(long, value_name = "SECONDS", default_value_t = 180)]
    seconds: u64,
    /// The longest that a leader is halted.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=300))]
    pause_max: u64,
    /// Decides what goes wrong and when.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The control: readers take what a node has, and are judged as though they had asked for the
    /// newest. It fails.
    #[arg(long)]
    without_protection: bool,
    /// Keep the data and logs of nodes and servers in this directory, which must be new.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    #[command(flatten)]
    postgres: PostgresPrograms,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

/// Makes a run.
pub(super) fn run(arguments: &NemesisArguments) -> Result<Exit, Failure> {
    let cannot =
        |error: anyhow::Error| Failure::new(Exit::CannotStart, anyhow::anyhow!("{error:#}"));
    let place = Place::of(arguments.data.as_deref())?;
    let options = Options {
        machine: arguments.postgres.machine()?,
        dir: place.path().to_owned(),
        lasts: Duration::from_secs(arguments.seconds),
        pause_max: Duration::from_secs(arguments.pause_max),
        seed: arguments.seed,
        callers: Callers {
            ask_for: if arguments.without_protection {
                Newest::Stale
            } else {
                Newest::Linearizable
            },
            ..Callers::default()
        },
        tell: if arguments.json { |_| {} } else { |what| eprintln!("{what}") },
    };
    let report = nemesis::run(&options).map_err(cannot)?;
    exit::print(&if arguments.json { as_json(&report) } else { as_table(&report) })?;
    Ok(if report.verdict.is_ok() { Exit::Done } else { Exit::No })
}

fn as_table(report: &Report) -> String {
    let mut lines = vec![format!(
        "{:<36}{:>6}{:>6}{:>7}   nobody could write, in seconds: {:>6}{:>8}{:>8}",
        format!("in {:.0} s", report.took.as_secs_f64()),
        "times",
        "met",
        "moved",
        "p50",
        "p99",
        "longest"
    )];
    for (fault, happened) in &report.faults {
        let times = report.outages.get(fault).cloned().unwrap_or_default();
        let shown = |time: Option<Duration>| match time {
            Some(time) => format!("{:.3}", time.as_secs_f64()),
            None => "-".to_owned(),
        };
        lines.push(format!(
            "{:<36}{:>6}{:>6}{:>7}{:>41}{:>8}{:>8}",
            fault.name(),
            happened.inflicted,
            happened.met,
            happened.moved,
            shown(times.percentile(50)),
            shown(times.percentile(99)),
            shown(times.longest()),
        ));
    }
    for (reads, count) in report.reads {
        let what = format!("linearizable reads, {}", reads.as_str());
        lines.push(format!("  {what:<40}{count:>10}"));
    }
    lines.extend(report.counts.iter().map(|(what, count)| format!("  {what:<40}{count:>10}")));
    lines.push(match &report.verdict {
        Ok(()) => "verdict: pass".to_owned(),
        Err(why) => format!("verdict: fail: {why}"),
    });
    lines.join("\n")
}

fn as_json(report: &Report) -> String {
    let ms = |time: Option<Duration>| time.map(|time| time.as_secs_f64() * 1_000.0);
    let times = |times: &Times| {
        json!({ "count": times.count(), "p50_ms": ms(times.percentile(50)),
        "p99_ms": ms(times.percentile(99)), "longest_ms": ms(times.longest()) })
    };
    let faults = report.faults.iter().map(|(fault, happened)| {
        let outage = report.outages.get(fault).map(times);
        json!({ "fault": fault.name(), "inflicted": happened.inflicted, "met": happened.met,
            "moved": happened.moved, "outage": outage })
    });
    let counts = report.counts.iter().map(|(what, count)| (what.clone(), Value::from(*count)));
    let reads =
        report.reads.iter().map(|(reads, count)| (reads.as_str().to_owned(), Value::from(*count)));
    json!({
        "seconds": report.took.as_secs_f64(),
        "faults": faults.collect::<Vec<_>>(),
        "linearizable_reads": reads.collect::<Map<_, _>>(),
        "counts": counts.collect::<Map<_, _>>(),
        "verdict": if report.verdict.is_ok() { "pass" } else { "fail" },
        "why": report.verdict.as_ref().err().map(ToString::to_string),
    })
    .to_string()
}
