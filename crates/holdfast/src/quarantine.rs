//! `holdfast quarantine`: requests that killed the process of a stopped server.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use holdfast_engine::{Fingerprint, quarantine::DEATHS_MAX};
use holdfast_node::{OpenError, QuarantineFile};

use crate::exit::{self, Exit, Failure};

/// What is to be done about them.
#[derive(Debug, Subcommand)]
pub(crate) enum QuarantineCommand {
    /// List requests that may have killed the process, and how often.
    List(QuarantineArguments),
    /// Let requests go: they are evaluated again.
    Clear(ClearArguments),
}

#[derive(Debug, Args)]
pub(crate) struct QuarantineArguments {
    /// Directory with the data.
    #[arg(long, env = "HOLDFAST_DATA", value_name = "DIR")]
    data: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct ClearArguments {
    #[command(flatten)]
    quarantine: QuarantineArguments,
    /// Let all of them go.
    #[arg(long, conflicts_with = "fingerprints", required_unless_present = "fingerprints")]
    all: bool,
    /// Which, as `list` and the server's log name them.
    #[arg(value_name = "FINGERPRINT")]
    fingerprints: Vec<Fingerprint>,
}

/// Lists or lets go.
pub(crate) fn run(command: &QuarantineCommand) -> Result<Exit, Failure> {
    match command {
        QuarantineCommand::List(arguments) => list(&open(arguments)?),
        QuarantineCommand::Clear(arguments) => clear(arguments),
    }
}

fn open(arguments: &QuarantineArguments) -> Result<QuarantineFile, Failure> {
    QuarantineFile::open(&arguments.data).map_err(cannot)
}

fn cannot(error: OpenError) -> Failure {
    Failure::new(Exit::CannotStart, error)
}

fn list(file: &QuarantineFile) -> Result<Exit, Failure> {
    exit::print("fingerprint                       deaths")?;
    for (fingerprint, deaths) in file.suspects().iter() {
        let verdict = if deaths >= DEATHS_MAX { "quarantined" } else { "suspected" };
        exit::print(&format!("{fingerprint}  {deaths:>6}  {verdict}"))?;
    }
    Ok(Exit::Done)
}

fn clear(arguments: &ClearArguments) -> Result<Exit, Failure> {
    let mut file = open(&arguments.quarantine)?;
    let all = || file.suspects().iter().map(|(fingerprint, _)| fingerprint).collect();
    let named = if arguments.all { all() } else { arguments.fingerprints.clone() };
    let mut ended = Exit::Done;
    for fingerprint in named {
        if file.clear(fingerprint).map_err(cannot)? {
            exit::print(&format!("{fingerprint} is evaluated again"))?;
        } else {
            exit::print(&format!("{fingerprint} is not there"))?;
            ended = Exit::No;
        }
    }
    Ok(ended)
}
