//! `holdfast lab run consumer-group`: its sizes.

use std::time::Duration;

use clap::Args;
use holdfast_lab::consumer_group::ConsumerGroup;

use crate::{
    exit::{Exit, Failure},
    scenario::{self, ScenarioArguments},
};

/// Arguments of `lab run consumer-group`.
#[derive(Debug, Args)]
pub(crate) struct ConsumerGroupArguments {
    /// How many messages are appended.
    #[arg(long, value_name = "COUNT", default_value_t = 20_000)]
    messages: u64,
    /// How many partitions the topic has.
    #[arg(long, value_name = "COUNT", default_value_t = 12)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=100))]
    partitions: u64,
    /// How many members the group has; with four producers they are the callers, whatever
    /// --concurrency says.
    #[arg(long, value_name = "COUNT", default_value_t = 8)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=200))]
    members: u64,
    /// How long a membership lasts.
    #[arg(long, value_name = "MS", default_value_t = 1_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(100..=60_000))]
    ttl_ms: u64,
    /// Behind how many of a hundred pages something befalls the member.
    #[arg(long, value_name = "PERCENT", default_value_t = 2)]
    #[arg(value_parser = clap::value_parser!(u64).range(0..=100))]
    faults: u64,
    /// The control: members keep their places in documents and name no generation. They set each
    /// other back.
    #[arg(long)]
    without_protection: bool,
    #[command(flatten)]
    scenario: ScenarioArguments,
}

impl ConsumerGroupArguments {
    pub(super) fn run(&self) -> Result<Exit, Failure> {
        let group = ConsumerGroup {
            messages: self.messages,
            partitions: self.partitions,
            members: self.members,
            ttl: Duration::from_millis(self.ttl_ms),
            faults_percent: self.faults,
            seed: self.scenario.seed(),
            unprotected: self.without_protection,
        };
        scenario::run(&group, &self.scenario)
    }
}
