//! `holdfast lease list`

use holdfast_client::api::leases::ListLeasesSpec;

use crate::{
    connect::TalkArguments,
    exit::{Exit, Failure},
};

pub(super) fn run(talk: &TalkArguments) -> Result<Exit, Failure> {
    talk.list(
        ListLeasesSpec::default(),
        |spec, page| {
            spec.cursor = page.next;
            (page.leases, spec.cursor.is_some())
        },
        |lease| {
            let (id, token, until) = (&lease.id, lease.token, &lease.expires_at);
            let (waiting, owner) = (lease.waiting, &lease.owner);
            format!("{id:<32} {token:>10} {until} {waiting:>4} waiting  {owner}")
        },
    )
}
