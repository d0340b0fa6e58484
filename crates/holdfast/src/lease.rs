//! `holdfast lease`: leases of a running server, and programs that run under one.

mod hold;
mod list;

use clap::Subcommand;

use crate::{
    connect::TalkArguments,
    exit::{Exit, Failure},
};

/// What can be done with leases.
#[derive(Debug, Subcommand)]
pub(crate) enum LeaseCommand {
    /// Run a program while a lease is held, and end it when the lease is lost.
    Hold(hold::HoldArguments),
    /// List the leases that somebody holds.
    List(TalkArguments),
}

pub(crate) fn run(command: LeaseCommand) -> Result<Exit, Failure> {
    match command {
        LeaseCommand::Hold(arguments) => hold::run(arguments),
        LeaseCommand::List(talk) => list::run(&talk),
    }
}
