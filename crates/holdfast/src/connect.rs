//! What all subcommands that talk to servers have in common: whom they ask, how long, and what
//! their answers and errors become.
//!
//! They are thin: everything about tries, keys and nodes is `holdfast-client`'s. With `--json` a
//! refusal is an answer like any other and goes to stdout; without, it is told on stderr.

use std::{io::Read as _, time::Duration};

use clap::Args;
use holdfast_client::{Client, ClientConfig, Command, Error, Json, Server};
use serde::Serialize;

use crate::exit::{self, Exit, Failure};

/// Whom to ask.
#[derive(Clone, Debug, Args)]
pub(crate) struct ServerArguments {
    /// The server, or several nodes of one Holdfast.
    #[arg(
        long,
        env = "HOLDFAST_SERVER",
        value_name = "URL[,URL]",
        default_value = "http://127.0.0.1:7411"
    )]
    pub(crate) server: String,
    /// Secret to send, where the server wants one.
    #[arg(long, env = "HOLDFAST_KEY", value_name = "SECRET", hide_env_values = true)]
    key: Option<String>,
    /// How long a call may take, in seconds, however often it has to be tried.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    timeout: u64,
}

/// Whom to ask, and how to show what is answered.
#[derive(Clone, Debug, Args)]
pub(crate) struct TalkArguments {
    #[command(flatten)]
    pub(crate) server: ServerArguments,
    /// Print answers, and refusals, as JSON: one to a line.
    #[arg(long)]
    pub(crate) json: bool,
}

impl ServerArguments {
    /// A client of these servers.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let servers =
            Server::list(&self.server).map_err(|error| Failure::usage(error.to_string()))?;
        let config = ClientConfig {
            secret: self.key.as_deref().map(Into::into),
            deadline: Duration::from_secs(self.timeout),
            // Who mistyped an address is told at once.
            wait_for_ready: false,
            ..ClientConfig::new(servers)
        };
        Ok(Client::new(config)?)
    }
}

impl TalkArguments {
    /// Asks, in a runtime of its own.
    pub(crate) fn talk(
        &self,
        asking: impl AsyncFnOnce(&Client) -> Result<Exit, Failure>,
    ) -> Result<Exit, Failure> {
        let client = self.server.client()?;
        match runtime()?.block_on(asking(&client)) {
            Err(failure) if self.json => match failure.refusal() {
                Some(problem) => print_json(problem).map(|()| Exit::No),
                None => Err(failure),
            },
            answer => answer,
        }
    }

    /// Shows everything there is of something, page after page: each as a line, or as JSON. `page`
    /// takes one apart, and turns `spec` to the next; false when there is none.
    pub(crate) fn list<C: Command, T: Serialize>(
        &self,
        mut spec: C,
        page: impl Fn(&mut C, C::Outcome) -> (Vec<T>, bool),
        line: impl Fn(&T) -> String,
    ) -> Result<Exit, Failure> {
        self.talk(async |client| {
            loop {
                let outcome = client.call(&spec).await?.outcome;
                let (some, more) = page(&mut spec, outcome);
                for one in &some {
                    if self.json { print_json(one)? } else { exit::print(&line(one))? }
                }
                if !more {
                    return Ok(Exit::Done);
                }
            }
        })
    }
}

/// A runtime for one conversation.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().map_err(|error| Failure::new(Exit::NoAnswer, error))
}

/// Prints a line of JSON.
pub(crate) fn print_json<T: Serialize>(value: &T) -> Result<(), Failure> {
    exit::print(&serde_json::to_string(value).expect("it came as JSON"))
}

/// JSON that is an argument or, where it is left out or `-`, what stdin has.
pub(crate) fn json_argument(argument: Option<String>) -> Result<Json, Failure> {
    let text = match argument.filter(|text| text != "-") {
        Some(text) => text,
        None => {
            let mut text = String::new();
            let read = std::io::stdin().read_to_string(&mut text);
            read.map_err(|error| Failure::usage(format!("stdin: {error}")))?;
            text
        }
    };
    let why = |error| Failure::usage(format!("not JSON: {error}"));
    text.trim().parse().map_err(why)
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let exit = match &error {
            Error::Refused(_) => Exit::No,
            Error::Unsendable(_) => Exit::Usage,
            // Not done, perhaps done, or done and not understood: in no case an answer.
            _ => Exit::NoAnswer,
        };
        Self::new(exit, error)
    }
}
