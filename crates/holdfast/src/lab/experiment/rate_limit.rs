//! `holdfast lab run rate-limit`: its sizes.

use std::time::Duration;

use clap::Args;
use holdfast_lab::rate_limit::RateLimit;

use crate::{
    exit::{Exit, Failure},
    scenario::{self, ScenarioArguments},
};

/// Arguments of `lab run rate-limit`.
#[derive(Debug, Args)]
pub(crate) struct RateLimitArguments {
    /// How many gateways share the callers that --concurrency says.
    #[arg(long, value_name = "COUNT", default_value_t = 8)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=1_000))]
    gateways: u64,
    /// How many keys are limited. Each sees twelve times as many requests as it may.
    #[arg(long, value_name = "COUNT", default_value_t = 1_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=100_000))]
    keys: u64,
    /// How many requests of a key are allowed in a window.
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=1_000))]
    max: u64,
    /// How long a window is.
    #[arg(long, value_name = "MS", default_value_t = 2_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(100..=60_000))]
    window_ms: u64,
    /// At how many edges of windows there are bursts.
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=1_000))]
    edges: u64,
    /// The control: gateways count in fixed windows by their own clocks. They let too many through.
    #[arg(long)]
    without_protection: bool,
    #[command(flatten)]
    scenario: ScenarioArguments,
}

impl RateLimitArguments {
    pub(super) fn run(&self) -> Result<Exit, Failure> {
        let limits = RateLimit {
            gateways: self.gateways,
            keys: self.keys,
            max: self.max,
            window: Duration::from_millis(self.window_ms),
            edges: self.edges,
            seed: self.scenario.seed(),
            unprotected: self.without_protection,
        };
        scenario::run(&limits, &self.scenario)
    }
}
