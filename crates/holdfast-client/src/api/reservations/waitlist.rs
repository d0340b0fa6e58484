//! `reservations.waitlist`: Lists those who wait for a resource, in order.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::reservations::WaitlistEntry,
    command::{Command, Kind, Method, Target, encode},
};

/// Which page of whose waitlist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShowWaitlistSpec {
    /// The resource's id.
    pub resource: String,
    /// `next` of the page before: a ticket; absent for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<u64>,
    /// How many entries at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

impl ShowWaitlistSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(resource: impl Into<String>) -> Self {
        Self { resource: resource.into(), cursor: None, limit: None }
    }
}

/// A page of a waitlist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WaitlistPage {
    /// The resource's id.
    pub resource: String,
    /// Those who wait, the first in line first.
    pub entries: Vec<WaitlistEntry>,
    /// Cursor of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

impl Command for ShowWaitlistSpec {
    type Outcome = WaitlistPage;
    const NAME: &'static str = "reservations.waitlist";
    const KIND: Kind = Kind::Query;
    const METHOD: Method = Method::Get;

    fn target(&self) -> String {
        Target::at(format!("/v1/reservations/resources/{}/waitlist", encode(&self.resource)))
            .field("cursor", &self.cursor)
            .field("limit", &self.limit)
            .finish()
    }
}
