//! `holdfast doc`: documents of a running server, from the command line.

mod delete;
mod get;
mod list;
mod put;
mod watch;

use clap::Subcommand;
use holdfast_client::{IfMatch, Lifetime};

use crate::exit::{Exit, Failure};

/// What can be done with documents.
#[derive(Debug, Subcommand)]
pub(crate) enum DocCommand {
    /// Print a document's value; with --json, all there is to know of it.
    Get(get::GetArguments),
    /// Write a document, whole.
    Put(put::PutArguments),
    /// Remove a document.
    Delete(delete::DeleteArguments),
    /// List a collection's documents by id.
    List(list::ListArguments),
    /// Show every change of a collection, or of one document, as it comes.
    Watch(watch::WatchArguments),
}

pub(crate) fn run(command: DocCommand) -> Result<Exit, Failure> {
    match command {
        DocCommand::Get(arguments) => get::run(arguments),
        DocCommand::Put(arguments) => put::run(arguments),
        DocCommand::Delete(arguments) => delete::run(arguments),
        DocCommand::List(arguments) => list::run(arguments),
        DocCommand::Watch(arguments) => watch::run(arguments),
    }
}

/// A version, or `*` for any.
fn condition(text: &str) -> Result<IfMatch, String> {
    match text {
        "*" => Ok(IfMatch::Any),
        version => version
            .trim_matches('"')
            .parse()
            .map(IfMatch::Version)
            .map_err(|_| "expected a version, or * for any".to_owned()),
    }
}

/// An ISO 8601 duration.
fn lifetime(text: &str) -> Result<Lifetime, String> {
    text.parse().map_err(|error: holdfast_client::lifetime::BadLifetime| error.to_string())
}
