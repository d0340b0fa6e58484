//! How the process ends. Scripts and service managers rely on these numbers; they
//! are listed in `docs/configuration.md`.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

/// What the exit code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: it was done, or the server stopped as it was told.
    Done,
    /// 1: the answer is no: a call was refused, an audit found differences.
    No,
    /// 2: the command line or the configuration is wrong. Clap uses it as well.
    Usage,
    /// 3: the data cannot be opened, or the address not be listened on.
    CannotStart,
    /// 4: the server stopped because it could not go on.
    Stopped,
    /// 5: no answer from a server; what was asked may have happened.
    NoAnswer,
    /// That of the program which was run under a lease.
    Of(u8),
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::No => 1,
            Exit::Usage => 2,
            Exit::CannotStart => 3,
            Exit::Stopped => 4,
            Exit::NoAnswer => 5,
            Exit::Of(code) => code,
        })
    }
}

/// Why a subcommand did not come to its end.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    error: anyhow::Error,
}

impl Failure {
    /// Ends with this code after printing this.
    pub(crate) fn new(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        Self { exit, error: error.into() }
    }

    /// Ends because the command line or the configuration is wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, anyhow::Error::msg(message.into()))
    }

    /// The refusal of a server that it is.
    pub(crate) fn refusal(&self) -> Option<&holdfast_client::Problem> {
        self.error.downcast_ref::<holdfast_client::Error>()?.refusal()
    }

    /// Tells a person, and gives the code.
    pub(crate) fn report(self) -> Exit {
        let Self { exit, error } = self;
        // Errors of ours say what caused them: the chain would say it twice.
        eprintln!("holdfast: {error}");
        exit
    }
}

/// Prints to stdout. A reader that has seen enough ends the program quietly.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    match writeln!(io::stdout().lock(), "{text}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => Err(Failure::new(Exit::NoAnswer, error)),
        Ok(()) => Ok(()),
    }
}
