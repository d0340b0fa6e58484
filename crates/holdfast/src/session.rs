//! `holdfast session`: sessions of a running server, from the command line.

mod close;
mod list;
mod show;

use clap::Subcommand;

use crate::{
    connect::TalkArguments,
    exit::{Exit, Failure},
};

/// What can be done with sessions.
#[derive(Debug, Subcommand)]
pub(crate) enum SessionCommand {
    /// List the sessions that are open.
    List(TalkArguments),
    /// Show a session and what hangs on it.
    Show(show::ShowArguments),
    /// End a session, and all that hangs on it.
    Close(close::CloseArguments),
}

pub(crate) fn run(command: SessionCommand) -> Result<Exit, Failure> {
    match command {
        SessionCommand::List(talk) => list::run(&talk),
        SessionCommand::Show(arguments) => show::run(arguments),
        SessionCommand::Close(arguments) => close::run(arguments),
    }
}
