//! `holdfast session list`

use holdfast_client::api::sessions::ListSessionsSpec;

use crate::{
    connect::TalkArguments,
    exit::{Exit, Failure},
};

pub(super) fn run(talk: &TalkArguments) -> Result<Exit, Failure> {
    talk.list(
        ListSessionsSpec::default(),
        |spec, page| {
            spec.cursor = page.next;
            (page.sessions, spec.cursor.is_some())
        },
        |session| {
            let (id, version, until) = (&session.id, session.version, &session.expires_at);
            let owner = session.owner.as_deref().unwrap_or_default();
            format!("{id:<48} {version:>10} {until}  {owner}")
        },
    )
}
