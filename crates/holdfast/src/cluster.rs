//! `holdfast cluster`: several nodes that share a log, as an operator meets them.

mod demo;
mod status;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use holdfast_lab::cluster::Machine;
use tempfile::TempDir;

use crate::exit::{Exit, Failure};

/// What is to be done with several nodes.
#[derive(Debug, Subcommand)]
pub(crate) enum ClusterCommand {
    /// Who leads, how far each node is, and what the log is on; exit code 1 if all is not well.
    Status(status::StatusArguments),
    /// Run made-up bookings on three nodes and PostgreSQL, all on this machine, kill and halt whoever
    /// leads, and judge what came of it.
    Demo(demo::DemoArguments),
}

/// Does what is to be done.
pub(crate) fn run(command: &ClusterCommand) -> Result<Exit, Failure> {
    match command {
        ClusterCommand::Status(arguments) => status::run(arguments),
        ClusterCommand::Demo(arguments) => demo::run(arguments),
    }
}

/// Where PostgreSQL's programs are, for commands that start servers.
#[derive(Debug, Args)]
pub(crate) struct PostgresPrograms {
    /// Directory of PostgreSQL's programs, if they are not where distributions put them.
    #[arg(long, env = "HOLDFAST_POSTGRES_PROGRAMS", value_name = "DIR")]
    postgres_programs: Option<PathBuf>,
}

impl PostgresPrograms {
    /// These, and this very binary.
    pub(crate) fn machine(&self) -> Result<Machine, Failure> {
        let program = std::env::current_exe();
        let program = program.map_err(|error| Failure::new(Exit::CannotStart, error))?;
        Ok(Machine { program, postgres: self.postgres_programs.clone() })
    }
}

/// Where the data of nodes and servers lies: a directory that stays, or one that goes.
#[derive(Debug)]
pub(crate) enum Place {
    /// It was named, and is kept.
    Kept(PathBuf),
    /// It goes when this is dropped.
    Temporary(TempDir),
}

impl Place {
    /// The directory that was named, which must be new, or a temporary one. PostgreSQL runs as a
    /// user of its own where we are root, so others may go through it.
    pub(crate) fn of(named: Option<&Path>) -> Result<Self, Failure> {
        if let Some(named) = named {
            if named.exists() {
                let what = format!("{} exists: name a directory that does not", named.display());
                return Err(Failure::usage(what));
            }
            let made = std::fs::create_dir_all(named);
            made.map_err(|error| Failure::new(Exit::CannotStart, error))?;
            return Ok(Self::Kept(named.to_owned()));
        }
        let temporary = tempfile::Builder::new().prefix("holdfast-").tempdir();
        Ok(Self::Temporary(temporary.map_err(|error| Failure::new(Exit::CannotStart, error))?))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Temporary(dir) => dir.path(),
        }
    }
}
