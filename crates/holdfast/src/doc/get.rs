//! `holdfast doc get`

use clap::Args;
use holdfast_client::api::documents::GetDocumentSpec;

use crate::{
    connect::{TalkArguments, print_json},
    exit::{Exit, Failure, print},
};

/// Arguments of `doc get`.
#[derive(Debug, Args)]
pub(crate) struct GetArguments {
    /// The collection.
    collection: String,
    /// The document's id in it.
    id: String,
    #[command(flatten)]
    talk: TalkArguments,
}

pub(super) fn run(arguments: GetArguments) -> Result<Exit, Failure> {
    let GetArguments { collection, id, talk } = arguments;
    talk.talk(async |client| {
        let document = client.call(&GetDocumentSpec::new(collection, id)).await?.outcome;
        if talk.json {
            print_json(&document)?;
        } else {
            print(document.value.as_str())?;
        }
        Ok(Exit::Done)
    })
}
