//! `leases.get`: a lease, free or not; and [`Grant`], which is how grants are shown.

use holdfast_state::{
    Id, LogTime, Metadata, Read, Stop,
    command::{Command, Method, Never, Query},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    queue::{waiters, waiting},
    row::Leases,
    standing::Held,
};
use crate::ties::Known;

/// The most of those who wait that are shown.
pub const SHOWN_MAX: usize = 100;

/// The command.
#[derive(Debug)]
pub struct GetLease;

/// Which lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetLeaseSpec {
    /// Its id.
    pub id: Id,
}

/// A lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Lease {
    /// Its id.
    pub id: Id,
    /// Its grant; absent when nobody holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<Grant>,
    /// The first hundred who wait, first come first.
    pub waiters: Vec<WaitingOwner>,
}

/// A grant of a lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Grant {
    /// The transaction that made it: the fencing token.
    pub token: u64,
    /// Who holds the lease.
    pub owner: Id,
    /// When it was granted.
    pub granted_at: LogTime,
    /// When it ends unless it is renewed, or its session.
    pub expires_at: LogTime,
    /// The session that it hangs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Id>,
    /// The owner's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

impl Grant {
    pub(super) fn of(held: &Held) -> Self {
        let row = &held.row;
        Self {
            token: row.token.get(),
            owner: row.owner.clone(),
            granted_at: row.granted_at,
            expires_at: held.expires_at(),
            session: row.tie.as_ref().map(|tie| tie.session.clone()),
            metadata: row.metadata.clone(),
        }
    }
}

/// Somebody who waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WaitingOwner {
    /// Who.
    pub owner: Id,
    /// The transaction in which waiting began.
    pub since: u64,
    /// When it gives up.
    pub waits_until: LogTime,
}

impl Command for GetLease {
    const NAME: &'static str = "leases.get";
    const SUMMARY: &'static str = "Shows who holds a lease and who waits for it.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/leases/{id}";
    type Spec = GetLeaseSpec;
    type Outcome = Lease;
    type Refusal = Never;
}

impl Query for GetLease {
    fn run(state: &impl Read, spec: &GetLeaseSpec) -> Result<Lease, Stop<Never>> {
        let Some(row) = state.get::<Leases>(spec.id.as_str())? else {
            return Ok(Lease { id: spec.id.clone(), grant: None, waiters: Vec::new() });
        };
        let mut known = Known::default();
        let queue =
            if row.waiting == 0 { Vec::new() } else { waiters(state, &spec.id, SHOWN_MAX)? };
        let queue = waiting(state, &mut known, queue)?.into_iter();
        let shown = queue.map(|waiter| WaitingOwner {
            owner: waiter.owner,
            since: waiter.timer.version.get(),
            waits_until: waiter.timer.due,
        });
        let grant = Held::of(state, &mut known, row)?.ok().as_ref().map(Grant::of);
        Ok(Lease { id: spec.id.clone(), grant, waiters: shown.collect() })
    }
}
