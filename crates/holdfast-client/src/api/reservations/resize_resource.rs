//! `reservations.resize_resource`: Changes the stock of a resource, or of some of its nights.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::reservations::ResourceKind,
    command::{Command, Kind, Method, encode},
    json::Json,
};

/// Which resource, how many there are from now on, and on which nights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ResizeResourceSpec {
    /// Its id.
    pub id: String,
    /// How many there are.
    pub stock: u64,
    /// The first night it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The night after the last that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

impl ResizeResourceSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>, stock: u64) -> Self {
        Self { id: id.into(), stock, from: None, to: None }
    }
}

/// The stock is as asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ResizeResourceOutcome {
    /// Always the same.
    pub outcome: Resized,
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
    /// It was so before.
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
pub enum Resized {
    /// The stock is as asked.
    Resized,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for ResizeResourceSpec {
    type Outcome = ResizeResourceOutcome;
    const NAME: &'static str = "reservations.resize_resource";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        format!("/v1/reservations/resources/{}/resize", encode(&self.id))
    }
}
