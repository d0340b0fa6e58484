//! `holdfast lab run`: experiments, each with a control that must fail.
//!
//! An experiment is a scenario of the lab with its own sizes; how it is run and told is the same
//! for all of them.

mod consumer_group;
mod deadlock;
mod flash_sale;
mod queue;
mod rate_limit;
mod zombie_leader;

use clap::Subcommand;

use crate::exit::{Exit, Failure};

/// An experiment.
#[derive(Debug, Subcommand)]
pub(crate) enum Experiment {
    /// Far more buyers than units: every unit is sold once, and who waits is served when a
    /// hold lapses.
    FlashSale(flash_sale::FlashSaleArguments),
    /// Leaders that hang, die, are cut off or have their clocks put back: no zombie writes, every
    /// tick is written once, and somebody leads soon.
    ZombieLeader(zombie_leader::ZombieLeaderArguments),
    /// Workers that take leases in any order: who would close a circle is turned away, and nobody
    /// else.
    Deadlock(deadlock::DeadlockArguments),
    /// Consumers that hang and die, and messages that nobody can deal with: each message is done
    /// once or is a dead letter.
    Queue(queue::QueueArguments),
    /// Members that hang, die and leave: each message is dealt with once, and who was replaced is
    /// refused.
    ConsumerGroup(consumer_group::ConsumerGroupArguments),
    /// Bursts across the edges of windows from gateways with wrong clocks: no window has more than
    /// it may, and nothing is denied for nothing.
    RateLimit(rate_limit::RateLimitArguments),
}

impl Experiment {
    pub(super) fn run(&self) -> Result<Exit, Failure> {
        match self {
            Self::FlashSale(arguments) => arguments.run(),
            Self::ZombieLeader(arguments) => arguments.run(),
            Self::Deadlock(arguments) => arguments.run(),
            Self::Queue(arguments) => arguments.run(),
            Self::ConsumerGroup(arguments) => arguments.run(),
            Self::RateLimit(arguments) => arguments.run(),
        }
    }
}
