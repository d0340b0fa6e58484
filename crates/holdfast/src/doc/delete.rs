//! `holdfast doc delete`

use clap::Args;
use holdfast_client::{IfMatch, api::documents::DeleteDocumentSpec};

use super::condition;
use crate::{
    connect::{TalkArguments, print_json},
    exit::{Exit, Failure},
};

/// Arguments of `doc delete`.
#[derive(Debug, Args)]
pub(crate) struct DeleteArguments {
    /// The collection.
    collection: String,
    /// The document's id in it.
    id: String,
    /// Only if it is at this version.
    #[arg(long, value_name = "VERSION", value_parser = condition)]
    if_match: Option<IfMatch>,
    #[command(flatten)]
    talk: TalkArguments,
}

pub(super) fn run(arguments: DeleteArguments) -> Result<Exit, Failure> {
    let DeleteArguments { collection, id, if_match, talk } = arguments;
    let spec = DeleteDocumentSpec { if_match, ..DeleteDocumentSpec::new(collection, id) };
    talk.talk(async |client| {
        let outcome = client.call(&spec).await?.outcome;
        if talk.json {
            print_json(&outcome)?;
        }
        Ok(Exit::Done)
    })
}
