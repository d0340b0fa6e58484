//! `holdfast doc watch`: the change feed, read as documents. A row of theirs is `[version, created
//! version, time, value, end]` under `[collection, id]` (`docs/documents.md`).

use clap::Args;
use holdfast_client::{
    Json,
    api::documents::ListDocumentsSpec,
    changes::{ChangesSpec, Op, RowChange, WAIT_MAX},
};
use serde::Serialize;
use serde_json::Value;

use crate::{
    connect::{TalkArguments, print_json},
    exit::{Exit, Failure, print},
};

const TABLE: &str = "documents.documents";
const VALUE: usize = 3;

/// Arguments of `doc watch`.
#[derive(Debug, Args)]
pub(crate) struct WatchArguments {
    /// The collection.
    collection: String,
    /// Only this document.
    id: Option<String>,
    /// Begin with the first change after this version; 0 for all that the log still has. From
    /// now on, unless this is given.
    #[arg(long, value_name = "VERSION")]
    after: Option<u64>,
    #[command(flatten)]
    talk: TalkArguments,
}

/// A change of a document.
#[derive(Serialize)]
struct Shown<'c> {
    version: u64,
    time: &'c str,
    op: &'static str,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Json>,
}

pub(super) fn run(arguments: WatchArguments) -> Result<Exit, Failure> {
    let WatchArguments { collection, id, after, talk } = arguments;
    talk.talk(async |client| {
        let after = match after {
            Some(after) => after,
            None => {
                let look = ListDocumentsSpec {
                    limit: Some(1),
                    ..ListDocumentsSpec::new(collection.clone())
                };
                client.call(&look).await?.at.map_or(0, |at| at.version)
            }
        };
        let key = [Some(collection), id].into_iter().flatten().collect();
        let table = Some(TABLE.to_owned());
        let mut following =
            client.follow(ChangesSpec { after, table, key, wait: WAIT_MAX, limit: None });
        loop {
            for transaction in following.next().await? {
                for change in &transaction.changes {
                    let (version, time) = (transaction.version, &*transaction.time);
                    let Some(shown) = shown(version, time, change) else { continue };
                    show(&shown, talk.json)?;
                }
            }
        }
    })
}

/// A change of one document; `None` for what is none.
fn shown<'c>(version: u64, time: &'c str, change: &RowChange) -> Option<Shown<'c>> {
    let id = change.key.as_ref()?.get(1)?.as_str()?.to_owned();
    let (op, value) = match change.op {
        Op::Put => {
            let row: Vec<Value> = change.row.as_ref()?.read().ok()?;
            ("put", Some(row.get(VALUE)?.as_str()?.parse().ok()?))
        }
        Op::Delete => ("delete", None),
        _ => return None,
    };
    Some(Shown { version, time, op, id, value })
}

fn show(shown: &Shown<'_>, json: bool) -> Result<(), Failure> {
    if json {
        return print_json(shown);
    }
    let Shown { version, op, id, value, .. } = shown;
    let value = value.as_ref().map_or("", Json::as_str);
    print(format!("{version:>10} {op:<6} {id:<32} {value}").trim_end())
}
