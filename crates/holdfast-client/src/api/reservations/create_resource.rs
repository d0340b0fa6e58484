//! `reservations.create_resource`: Creates a resource: units, or nights.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::reservations::ResourceKind,
    command::{Command, Kind, Method},
    json::Json,
};

/// Which resource, and of what there is how much.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CreateResourceSpec {
    /// Its id.
    pub id: String,
    /// What it has stock of.
    pub kind: ResourceKind,
    /// How many there are; of a resource with nights, on each night.
    pub stock: u64,
    /// The caller's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Json>,
}

impl CreateResourceSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>, kind: ResourceKind, stock: u64) -> Self {
        Self { id: id.into(), kind, stock, metadata: None }
    }
}

/// The resource is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CreateResourceOutcome {
    /// Always the same.
    pub outcome: Created,
    /// Its id.
    pub id: String,
    /// What it has stock of.
    pub kind: ResourceKind,
    /// Its stock; of one with nights, that of each night without a stock of its own.
    pub stock: u64,
    /// How many waitlist entries wait for it.
    pub waiting: u64,
    /// The transaction that changed it or its waitlist last.
    pub version: u64,
    /// When it was created.
    pub created_at: String,
    /// It had been created before, in the same words.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// The caller's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Json>,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Created {
    /// The resource was created.
    Created,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for CreateResourceSpec {
    type Outcome = CreateResourceOutcome;
    const NAME: &'static str = "reservations.create_resource";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        "/v1/reservations/resources".to_owned()
    }
}
