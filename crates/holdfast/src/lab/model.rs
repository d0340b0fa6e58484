//! `holdfast lab model`: every interleaving of the log's protocol within small bounds.
//!
//! The protocol as it is must have no violation, and each rule left out must have one: it
//! is printed with a shortest way there.

use std::time::Instant;

use clap::Args;
use holdfast_lab::model::{
    self, Bounds, Case, Explored, Outcome,
    rules::{ENTRIES_MAX, EPOCHS_MAX, POSITIONS_MAX},
};

use crate::exit::{self, Exit, Failure};

/// Arguments of `lab model`.
#[derive(Debug, Args)]
pub(crate) struct ModelArguments {
    /// Only the protocol without this rule: P3, P4, P5 or P7.
    #[arg(long, value_name = "RULE", conflicts_with = "whole")]
    without: Option<String>,
    /// Only the protocol as it is.
    #[arg(long)]
    whole: bool,
    /// Positions of the log, other than each model's own.
    #[arg(long, value_name = "COUNT")]
    #[arg(value_parser = clap::value_parser!(u8).range(1..=i64::from(POSITIONS_MAX)))]
    positions: Option<u8>,
    /// Epochs that nodes claim.
    #[arg(long, value_name = "COUNT")]
    #[arg(value_parser = clap::value_parser!(u8).range(1..=i64::from(EPOCHS_MAX)))]
    epochs: Option<u8>,
    /// Entries that a leader evaluates.
    #[arg(long, value_name = "COUNT")]
    #[arg(value_parser = clap::value_parser!(u8).range(1..=i64::from(ENTRIES_MAX)))]
    entries: Option<u8>,
    /// States to look at, at most; each takes about 150 bytes.
    #[arg(long, value_name = "COUNT", default_value_t = 20_000_000)]
    states_max: usize,
}

impl ModelArguments {
    fn picks(&self, case: &Case) -> bool {
        match &self.without {
            Some(rule) => case.without.is_some_and(|without| without.eq_ignore_ascii_case(rule)),
            None => !self.whole || case.without.is_none(),
        }
    }

    fn bounds(&self, own: Bounds) -> Bounds {
        Bounds {
            positions: self.positions.unwrap_or(own.positions),
            epochs: self.epochs.unwrap_or(own.epochs),
            entries: self.entries.unwrap_or(own.entries),
        }
    }
}

/// Explores the models.
pub(super) fn run(arguments: &ModelArguments) -> Result<Exit, Failure> {
    let cases: Vec<Case> =
        model::cases().into_iter().filter(|case| arguments.picks(case)).collect();
    if cases.is_empty() {
        let rule = arguments.without.as_deref().unwrap_or_default();
        return Err(Failure::usage(format!("no model leaves {rule} out")));
    }
    let mut passes = true;
    for case in cases {
        let case = Case { bounds: arguments.bounds(case.bounds), ..case };
        let begun = Instant::now();
        let explored = case.run(arguments.states_max);
        passes &= case.is_as_expected(&explored);
        exit::print(&told(&case, &explored, begun.elapsed().as_secs_f64()))?;
    }
    exit::print(if passes { "verdict: pass" } else { "verdict: fail" })?;
    Ok(if passes { Exit::Done } else { Exit::No })
}

fn told(case: &Case, explored: &Explored, seconds: f64) -> String {
    let Bounds { positions, epochs, entries } = case.bounds;
    let name = match case.without {
        Some(rule) => format!("without {rule}, {}", case.name),
        None => case.name.to_owned(),
    };
    let title = format!("{name}: {positions} positions, {epochs} epochs, {entries} entries");
    let states = explored.states;
    let size = format!("{states} states, {} steps deep, {seconds:.1} s", explored.depth);
    match &explored.outcome {
        Outcome::Holds => format!("{title}\n  no violation: {size}"),
        Outcome::BoundReached => format!("{title}\n  undecided, no violation so far: {size}"),
        Outcome::Violated(trace) => format!("{title}\n  violated: {size}\n{trace}"),
    }
}
