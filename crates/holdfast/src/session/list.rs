//! `holdfast session list`

use clap::Args;
use holdfast_client::api::sessions::ListSessionsSpec;

use crate::{
    connect::{TalkArguments, print_json},
    exit::{Exit, Failure, print},
};

/// Arguments of `session list`.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    talk: TalkArguments,
}

pub(super) fn run(arguments: ListArguments) -> Result<Exit, Failure> {
    let ListArguments { talk } = arguments;
    talk.talk(async |client| {
        let mut spec = ListSessionsSpec::default();
        loop {
            let page = client.call(&spec).await?.outcome;
            for session in &page.sessions {
                if talk.json {
                    print_json(session)?;
                } else {
                    let (id, version, until) = (&session.id, session.version, &session.expires_at);
                    let owner = session.owner.as_deref().unwrap_or_default();
                    print(&format!("{id:<48} {version:>10} {until}  {owner}"))?;
                }
            }
            spec.cursor = page.next;
            if spec.cursor.is_none() {
                return Ok(Exit::Done);
            }
        }
    })
}
