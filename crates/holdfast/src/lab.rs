//! `holdfast lab`: experiments, each with a control that must fail; the model of the log's
//! protocol; the simulator; and the nemesis of real processes.

mod experiment;
mod model;
#[cfg(feature = "planted")]
mod mutants;
mod nemesis;
mod sim;

use clap::Subcommand;

use self::experiment::Experiment;
use crate::exit::{Exit, Failure};

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
