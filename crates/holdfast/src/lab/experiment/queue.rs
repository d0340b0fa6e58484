//! `holdfast lab run queue`: its sizes.

use std::time::Duration;

use clap::Args;
use holdfast_lab::queue::Queue;

use crate::{
    exit::{Exit, Failure},
    scenario::{self, ScenarioArguments},
};

/// Arguments of `lab run queue`.
#[derive(Debug, Args)]
pub(crate) struct QueueArguments {
    /// How many messages are appended.
    #[arg(long, value_name = "COUNT", default_value_t = 20_000)]
    messages: u64,
    /// How many consumers there are; with four producers and two operators they are the callers,
    /// whatever --concurrency says.
    #[arg(long, value_name = "COUNT", default_value_t = 32)]
    consumers: u64,
    /// How long a message stays out of sight.
    #[arg(long, value_name = "MS", default_value_t = 1_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(100..=60_000))]
    visibility_ms: u64,
    /// With how many of a hundred messages nobody can deal.
    #[arg(long, value_name = "PERCENT", default_value_t = 2)]
    #[arg(value_parser = clap::value_parser!(u64).range(0..=100))]
    poison: u64,
    /// Before how many of a hundred acknowledgements something befalls the consumer.
    #[arg(long, value_name = "PERCENT", default_value_t = 2)]
    #[arg(value_parser = clap::value_parser!(u64).range(0..=100))]
    faults: u64,
    /// The control: messages are acknowledged as soon as they are received. Who dies then takes
    /// them along.
    #[arg(long)]
    without_protection: bool,
    #[command(flatten)]
    scenario: ScenarioArguments,
}

impl QueueArguments {
    pub(super) fn run(&self) -> Result<Exit, Failure> {
        let queue = Queue {
            messages: self.messages,
            consumers: self.consumers,
            visibility: Duration::from_millis(self.visibility_ms),
            poison_percent: self.poison,
            faults_percent: self.faults,
            seed: self.scenario.seed(),
            unprotected: self.without_protection,
        };
        scenario::run(&queue, &self.scenario)
    }
}
