//! `leases.get`: Shows who holds a lease and who waits for it.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::leases::Grant,
    command::{Command, Kind, Method, encode},
};

/// Which lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GetLeaseSpec {
    /// Its id.
    pub id: String,
}

impl GetLeaseSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into() }
    }
}

/// A lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Lease {
    /// Its id.
    pub id: String,
    /// The first hundred who wait, first come first.
    pub waiters: Vec<WaitingOwner>,
    /// Its grant; absent when nobody holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<Grant>,
}

/// Somebody who waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WaitingOwner {
    /// Who.
    pub owner: String,
    /// The transaction in which waiting began.
    pub since: u64,
    /// When it gives up.
    pub waits_until: String,
}

impl Command for GetLeaseSpec {
    type Outcome = Lease;
    const NAME: &'static str = "leases.get";
    const KIND: Kind = Kind::Query;
    const METHOD: Method = Method::Get;

    fn target(&self) -> String {
        format!("/v1/leases/{}", encode(&self.id))
    }
}
