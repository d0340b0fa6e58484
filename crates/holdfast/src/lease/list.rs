//! `holdfast lease list`

use clap::Args;
use holdfast_client::api::leases::ListLeasesSpec;

use crate::{
    connect::{TalkArguments, print_json},
    exit::{Exit, Failure, print},
};

/// Arguments of `lease list`.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    talk: TalkArguments,
}

pub(super) fn run(arguments: ListArguments) -> Result<Exit, Failure> {
    let ListArguments { talk } = arguments;
    talk.talk(async |client| {
        let mut spec = ListLeasesSpec::default();
        loop {
            let page = client.call(&spec).await?.outcome;
            for lease in &page.leases {
                if talk.json {
                    print_json(lease)?;
                } else {
                    let (id, token, until) = (&lease.id, lease.token, &lease.expires_at);
                    let (waiting, owner) = (lease.waiting, &lease.owner);
                    print(&format!("{id:<32} {token:>10} {until} {waiting:>4} waiting  {owner}"))?;
                }
            }
            spec.cursor = page.next;
            if spec.cursor.is_none() {
                return Ok(Exit::Done);
            }
        }
    })
}
