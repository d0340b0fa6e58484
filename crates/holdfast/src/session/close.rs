//! `holdfast session close`

use clap::Args;
use holdfast_client::api::sessions::CloseSessionSpec;

use crate::{
    connect::{TalkArguments, print_json},
    exit::{Exit, Failure, print},
};

/// Arguments of `session close`.
#[derive(Debug, Args)]
pub(crate) struct CloseArguments {
    /// The session's id.
    id: String,
    /// Only the session that this transaction opened.
    #[arg(long)]
    version: Option<u64>,
    #[command(flatten)]
    talk: TalkArguments,
}

pub(super) fn run(arguments: CloseArguments) -> Result<Exit, Failure> {
    let CloseArguments { id, version, talk } = arguments;
    talk.talk(async |client| {
        let spec = CloseSessionSpec { version, ..CloseSessionSpec::new(id) };
        let closed = client.call(&spec).await?.outcome;
        if talk.json {
            print_json(&closed)?;
        } else {
            print(&format!("closed {}", closed.id))?;
        }
        Ok(Exit::Done)
    })
}
