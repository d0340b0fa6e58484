//! What every refusal of leases is called, and what it says about asking again. The
//! commands' own enums say which of them, and with which facts.

use holdfast_state::{
    Id,
    command::{Class, RefusalInfo},
};
use serde::Serialize;

use super::row::LeaseRow;

const fn info(code: &'static str, class: Class, summary: &'static str) -> RefusalInfo {
    RefusalInfo { code, class, summary }
}

pub(super) const LEASE_HELD: RefusalInfo =
    info("lease_held", Class::Conflict, "Another owner holds the lease.");
pub(super) const LEASE_STALE: RefusalInfo = info(
    "lease_stale",
    Class::Precondition,
    "The token is not that of the grant which the lease has now.",
);
pub(super) const LEASE_JUST_GRANTED: RefusalInfo = info(
    "lease_just_granted",
    Class::Conflict,
    "A grant does not end in the transaction that made it.",
);
pub(super) const TTL_REQUIRED: RefusalInfo =
    info("ttl_required", Class::Invalid, "A grant that hangs on no session needs a ttl.");
pub(super) const LEASE_DEADLOCK: RefusalInfo = info(
    "lease_deadlock",
    Class::Conflict,
    "Waiting would close a circle of owners who wait for one another.",
);
pub(super) const LEASE_CROWDED: RefusalInfo =
    info("lease_crowded", Class::Conflict, "As many wait as may.");
pub(super) const NOT_WAITING: RefusalInfo =
    info("not_waiting", Class::NotFound, "The owner does not wait for the lease.");

/// A token is not that of the lease's grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stale {
    /// The lease.
    pub lease: Id,
    /// The token that was given.
    pub token: u64,
    /// The token of the grant there is; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<u64>,
    /// Who holds it; absent when nobody does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<Id>,
}

impl Stale {
    pub(super) fn new(lease: &Id, token: u64, grant: Option<&LeaseRow>) -> Self {
        Self {
            lease: lease.clone(),
            token,
            current: grant.map(|grant| grant.token.get()),
            owner: grant.map(|grant| grant.owner.clone()),
        }
    }
}
