//! `holdfast lab run deadlock`: its sizes.

use std::time::Duration;

use clap::Args;
use holdfast_lab::deadlock::Deadlock;

use crate::{
    exit::{Exit, Failure},
    scenario::{self, ScenarioArguments},
};

/// Arguments of `lab run deadlock`.
#[derive(Debug, Args)]
pub(crate) struct DeadlockArguments {
    /// How many take leases; they are the callers, whatever --concurrency says.
    #[arg(long, value_name = "COUNT", default_value_t = 16)]
    workers: u64,
    /// How many leases there are.
    #[arg(long, value_name = "COUNT", default_value_t = 16)]
    #[arg(value_parser = clap::value_parser!(u64).range(2..=10_000))]
    leases: u64,
    /// How often each worker takes some.
    #[arg(long, value_name = "COUNT", default_value_t = 40)]
    rounds: u64,
    /// How long somebody waits before it gives up; after three times it stays away.
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    patience: u64,
    /// The control: nobody waits in a queue; who finds a lease held asks again until its patience
    /// is over. Circles last.
    #[arg(long)]
    without_protection: bool,
    #[command(flatten)]
    scenario: ScenarioArguments,
}

impl DeadlockArguments {
    pub(super) fn run(&self) -> Result<Exit, Failure> {
        let deadlock = Deadlock {
            workers: self.workers,
            leases: self.leases,
            rounds: self.rounds,
            patience: Duration::from_secs(self.patience),
            seed: self.scenario.seed(),
            unprotected: self.without_protection,
        };
        scenario::run(&deadlock, &self.scenario)
    }
}
