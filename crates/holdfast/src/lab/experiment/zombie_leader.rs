//! `holdfast lab run zombie-leader`: its sizes.

use std::time::Duration;

use clap::Args;
use holdfast_lab::zombie_leader::ZombieLeader;

use crate::{
    exit::{Exit, Failure},
    scenario::{self, ScenarioArguments},
};

/// Arguments of `lab run zombie-leader`.
#[derive(Debug, Args)]
pub(crate) struct ZombieLeaderArguments {
    /// How many would like to lead; they are the callers, whatever --concurrency says.
    #[arg(long, value_name = "COUNT", default_value_t = 5)]
    #[arg(value_parser = clap::value_parser!(u64).range(2..=100))]
    candidates: u64,
    /// The lease's time.
    #[arg(long, value_name = "MS", default_value_t = 2_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(100..=60_000))]
    ttl_ms: u64,
    /// How many ticks are to be written.
    #[arg(long, value_name = "COUNT", default_value_t = 250)]
    ticks: u64,
    /// Before how many of a hundred ticks something befalls the leader.
    #[arg(long, value_name = "PERCENT", default_value_t = 8)]
    #[arg(value_parser = clap::value_parser!(u64).range(0..=100))]
    faults: u64,
    /// The control: ticks are written without showing the token. Zombies write.
    #[arg(long)]
    without_protection: bool,
    #[command(flatten)]
    scenario: ScenarioArguments,
}

impl ZombieLeaderArguments {
    pub(super) fn run(&self) -> Result<Exit, Failure> {
        let zombies = ZombieLeader {
            candidates: self.candidates,
            ttl: Duration::from_millis(self.ttl_ms),
            ticks: self.ticks,
            faults_percent: self.faults,
            seed: self.scenario.seed(),
            unprotected: self.without_protection,
        };
        scenario::run(&zombies, &self.scenario)
    }
}
