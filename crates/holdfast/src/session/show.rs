//! `holdfast session show`

use clap::Args;
use holdfast_client::api::sessions::{GetSessionSpec, TiedThing};

use crate::{
    connect::{TalkArguments, print_json},
    exit::{Exit, Failure, print},
};

/// Arguments of `session show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArguments {
    /// The session's id.
    id: String,
    #[command(flatten)]
    talk: TalkArguments,
}

pub(super) fn run(arguments: ShowArguments) -> Result<Exit, Failure> {
    let ShowArguments { id, talk } = arguments;
    talk.talk(async |client| {
        let session = client.call(&GetSessionSpec::new(id)).await?.outcome;
        if talk.json {
            print_json(&session)?;
            return Ok(Exit::Done);
        }
        let owner = session.owner.as_ref().map(|owner| format!(", {owner}")).unwrap_or_default();
        print(&format!("{} until {}{owner}", session.id, session.expires_at))?;
        session.tied.iter().try_for_each(|tied| print(&shown(tied)))?;
        if session.more { print("  and more") } else { Ok(()) }?;
        Ok(Exit::Done)
    })
}

/// What hangs on it, in a line.
fn shown(tied: &TiedThing) -> String {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    match (&tied.lease, &tied.owner) {
        (Some(lease), Some(owner)) => format!("  {owner} waits for lease {lease}"),
        (Some(lease), None) => format!("  lease {lease}"),
        (None, _) => format!("  document {} in {}", text(&tied.id), text(&tied.collection)),
    }
}
