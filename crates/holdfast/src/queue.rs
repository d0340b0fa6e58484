//! `holdfast queue`: queues of a running server, from the command line.

mod show;
mod work;

use clap::Subcommand;

use crate::exit::{Exit, Failure};

/// What can be done with queues.
#[derive(Debug, Subcommand)]
pub(crate) enum QueueCommand {
    /// Run a program for each message, which it finds on its stdin.
    Work(Box<work::WorkArguments>),
    /// Show a queue, and where its messages are.
    Show(show::ShowArguments),
}

pub(crate) fn run(command: QueueCommand) -> Result<Exit, Failure> {
    match command {
        QueueCommand::Work(arguments) => work::run(*arguments),
        QueueCommand::Show(arguments) => show::run(arguments),
    }
}
