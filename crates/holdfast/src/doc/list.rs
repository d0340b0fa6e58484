//! `holdfast doc list`: page after page, to the end or to a limit.

use clap::Args;
use holdfast_client::api::documents::ListDocumentsSpec;

use crate::{
    connect::{TalkArguments, print_json},
    exit::{Exit, Failure, print},
};

/// Documents in one page.
const PAGE: u64 = 1_000;

/// Arguments of `doc list`.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// The collection.
    collection: String,
    /// Only ids that begin so.
    #[arg(long)]
    prefix: Option<String>,
    /// How many at most.
    #[arg(long, value_name = "COUNT")]
    limit: Option<u64>,
    #[command(flatten)]
    talk: TalkArguments,
}

pub(super) fn run(arguments: ListArguments) -> Result<Exit, Failure> {
    let ListArguments { collection, prefix, limit, talk } = arguments;
    talk.talk(async |client| {
        let mut spec = ListDocumentsSpec { prefix, ..ListDocumentsSpec::new(collection) };
        let mut left = limit.unwrap_or(u64::MAX);
        while left > 0 {
            spec.limit = Some(left.min(PAGE));
            let page = client.call(&spec).await?.outcome;
            left = left.saturating_sub(page.documents.len() as u64);
            for document in &page.documents {
                if talk.json {
                    print_json(document)?;
                } else {
                    let (id, version, value) = (&document.id, document.version, &document.value);
                    print(&format!("{id:<32} {version:>10}  {value}"))?;
                }
            }
            spec.cursor = page.next;
            if spec.cursor.is_none() {
                break;
            }
        }
        Ok(Exit::Done)
    })
}
