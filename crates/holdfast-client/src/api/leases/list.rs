//! `leases.list`: Lists the leases that are held, in the order of their ids.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    command::{Command, Kind, Method, Target},
    json::Json,
};

/// Which page.
#[derive(Clone, Default, Debug, PartialEq, Eq, Serialize)]
pub struct ListLeasesSpec {
    /// `next` of the page before; absent for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// How many leases at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// A page of leases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LeasesPage {
    /// The leases, by id.
    pub leases: Vec<HeldLease>,
    /// Cursor of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A lease that somebody holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HeldLease {
    /// Its id.
    pub id: String,
    /// How many wait for it.
    pub waiting: u32,
    /// The transaction that made it: the fencing token.
    pub token: u64,
    /// Who holds the lease.
    pub owner: String,
    /// When it was granted.
    pub granted_at: String,
    /// When it ends unless it is renewed, or its session.
    pub expires_at: String,
    /// The owner's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Json>,
    /// The session that it hangs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
}

impl Command for ListLeasesSpec {
    type Outcome = LeasesPage;
    const NAME: &'static str = "leases.list";
    const KIND: Kind = Kind::Query;
    const METHOD: Method = Method::Get;

    fn target(&self) -> String {
        Target::at("/v1/leases").field("cursor", &self.cursor).field("limit", &self.limit).finish()
    }
}
