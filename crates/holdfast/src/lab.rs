//! `holdfast lab`: experiments, each with a control that must fail; the model of the log's
//! protocol; the simulator; and the nemesis of real processes.

mod model;
#[cfg(feature = "planted")]
mod mutants;
mod nemesis;
mod sim;

use clap::{Args, Subcommand};
use holdfast_lab::flash_sale::FlashSale;

use crate::{
    exit::{Exit, Failure},
    scenario::{self, ScenarioArguments},
};

/// What is to be done in the lab.
#[derive(Debug, Subcommand)]
pub(crate) enum LabCommand {
    /// Run an experiment.
    Run {
        #[command(subcommand)]
        experiment: Experiment,
    },
    /// Explore every interleaving of the log's protocol within small bounds, and without each
    /// of its rules.
    Model(model::ModelArguments),
    /// Run simulated nodes, clients, network and log under faults, decided by seeds.
    Sim(sim::SimArguments),
    /// Kill, halt and cut off real nodes and servers of PostgreSQL, and judge every answer.
    Nemesis(nemesis::NemesisArguments),
    /// Plant bugs, one at a time, and count the seeds until a simulation finds each.
    #[cfg(feature = "planted")]
    Mutants(mutants::MutantsArguments),
}

/// An experiment.
#[derive(Debug, Subcommand)]
pub(crate) enum Experiment {
    /// Far more buyers than units: every unit is sold once, and who waits is served when a
    /// hold lapses.
    FlashSale(FlashSaleArguments),
}

/// Arguments of `lab run flash-sale`.
#[derive(Debug, Args)]
pub(crate) struct FlashSaleArguments {
    /// How many want a unit.
    #[arg(long, value_name = "COUNT", default_value_t = 100_000)]
    buyers: u64,
    /// How many units there are.
    #[arg(long, value_name = "COUNT", default_value_t = 1_000)]
    units: u64,
    /// The control: look whether one is left, then take it, in two steps. It oversells.
    #[arg(long)]
    without_protection: bool,
    #[command(flatten)]
    scenario: ScenarioArguments,
}

/// Does what is to be done.
pub(crate) fn run(command: &LabCommand) -> Result<Exit, Failure> {
    match command {
        LabCommand::Run { experiment } => experiment.run(),
        LabCommand::Model(arguments) => model::run(arguments),
        LabCommand::Sim(arguments) => sim::run(arguments),
        LabCommand::Nemesis(arguments) => nemesis::run(arguments),
        #[cfg(feature = "planted")]
        LabCommand::Mutants(arguments) => mutants::run(arguments),
    }
}

impl Experiment {
    fn run(&self) -> Result<Exit, Failure> {
        match self {
            Self::FlashSale(arguments) => {
                let sale = FlashSale {
                    buyers: arguments.buyers,
                    units: arguments.units,
                    seed: arguments.scenario.seed(),
                    unprotected: arguments.without_protection,
                };
                scenario::run(&sale, &arguments.scenario)
            }
        }
    }
}
