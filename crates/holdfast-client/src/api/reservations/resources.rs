//! `reservations.resources`: Lists resources in the order of their ids.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::reservations::Resource,
    command::{Command, Kind, Method, Target},
};

/// Which page.
#[derive(Clone, Default, Debug, PartialEq, Eq, Serialize)]
pub struct ListResourcesSpec {
    /// `next` of the page before; absent for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// How many resources at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// A page of resources.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ResourcesPage {
    /// The resources, by id.
    pub resources: Vec<Resource>,
    /// Cursor of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl Command for ListResourcesSpec {
    type Outcome = ResourcesPage;
    const NAME: &'static str = "reservations.resources";
    const KIND: Kind = Kind::Query;
    const METHOD: Method = Method::Get;

    fn target(&self) -> String {
        Target::at("/v1/reservations/resources")
            .field("cursor", &self.cursor)
            .field("limit", &self.limit)
            .finish()
    }
}
