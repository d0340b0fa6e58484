//! `holdfast completions`: what shells need to complete its command line.

use clap::{Args, CommandFactory as _};
use clap_complete::{Shell, generate};

use crate::exit::{Exit, Failure};

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArguments {
    /// The shell.
    shell: Shell,
}

pub(crate) fn run(arguments: &CompletionsArguments) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    generate(arguments.shell, &mut crate::Arguments::command(), "holdfast", &mut script);
    crate::exit::print(String::from_utf8_lossy(&script).trim_end())?;
    Ok(Exit::Done)
}
