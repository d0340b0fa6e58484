//! `holdfast doc put`

use clap::Args;
use holdfast_client::{IfMatch, IfNoneMatch, Lifetime, api::documents::PutDocumentSpec};

use super::{condition, lifetime};
use crate::{
    connect::{TalkArguments, json_argument, print_json},
    exit::{Exit, Failure, print},
};

/// Arguments of `doc put`.
#[derive(Debug, Args)]
pub(crate) struct PutArguments {
    /// The collection.
    collection: String,
    /// The document's id in it.
    id: String,
    /// The value as JSON; read from stdin when it is left out, or `-`.
    value: Option<String>,
    /// Only if the document is there at this version, or `*`: at any.
    #[arg(long, value_name = "VERSION", value_parser = condition, conflicts_with = "create")]
    if_match: Option<IfMatch>,
    /// Only if it is not there.
    #[arg(long)]
    create: bool,
    /// How long it lives: an ISO 8601 duration such as PT30M.
    #[arg(long, value_name = "DURATION", value_parser = lifetime)]
    expires_in: Option<Lifetime>,
    #[command(flatten)]
    talk: TalkArguments,
}

pub(super) fn run(arguments: PutArguments) -> Result<Exit, Failure> {
    let PutArguments { collection, id, value, if_match, create, expires_in, talk } = arguments;
    let spec = PutDocumentSpec {
        if_match,
        if_none_match: create.then_some(IfNoneMatch::Any),
        expires_in,
        ..PutDocumentSpec::new(collection, id, json_argument(value)?)
    };
    talk.talk(async |client| {
        let outcome = client.call(&spec).await?.outcome;
        if talk.json {
            print_json(&outcome)?;
        } else {
            print(&format!("version {}", outcome.version))?;
        }
        Ok(Exit::Done)
    })
}
