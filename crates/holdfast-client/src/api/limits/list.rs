//! `limits.list`: Lists limits in the order of their ids.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::limits::ShownLimit,
    command::{Command, Kind, Method, Target},
};

/// Which page.
#[derive(Clone, Default, Debug, PartialEq, Eq, Serialize)]
pub struct ListLimitsSpec {
    /// `next` of the page before; absent for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// How many limits at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// A page of limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LimitsPage {
    /// The limits, by id.
    pub limits: Vec<ShownLimit>,
    /// Cursor of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl Command for ListLimitsSpec {
    type Outcome = LimitsPage;
    const NAME: &'static str = "limits.list";
    const KIND: Kind = Kind::Query;
    const METHOD: Method = Method::Get;

    fn target(&self) -> String {
        Target::at("/v1/limits").field("cursor", &self.cursor).field("limit", &self.limit).finish()
    }
}
