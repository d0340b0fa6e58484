//! `holdfast demo`: made-up bookings against a server process that is killed again and
//! again, judged by a naive model. Needs no file and leaves none.

use clap::Args;
use holdfast_lab::bookings::generated;

use crate::{
    exit::{Exit, Failure},
    scenario::{self, ScenarioArguments},
};

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArguments {
    /// Bookings to make.
    #[arg(long, value_name = "COUNT", default_value_t = 40_000)]
    bookings: usize,
    #[command(flatten)]
    scenario: ScenarioArguments,
}

/// Runs made-up bookings.
pub(crate) fn run(arguments: &DemoArguments) -> Result<Exit, Failure> {
    let bookings = generated::bookings(arguments.bookings, arguments.scenario.seed());
    scenario::run(&bookings, &arguments.scenario)
}
