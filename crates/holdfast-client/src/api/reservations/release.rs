//! `reservations.release`: Releases a hold, or cancels a confirmed one.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::reservations::{HoldStatus, Price},
    command::{Command, Kind, Method, encode},
    json::Json,
};

/// Which hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReleaseSpec {
    /// Its id.
    pub id: String,
}

impl ReleaseSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into() }
    }
}

/// The hold has given back what it had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReleaseOutcome {
    /// What that is called.
    pub outcome: Released,
    /// Its id.
    pub id: String,
    /// Of which resource.
    pub resource: String,
    /// How many, of each night.
    pub quantity: u64,
    /// Where it stands.
    pub status: HoldStatus,
    /// The transaction that made it.
    pub version: u64,
    /// When it was made.
    pub time: String,
    /// When that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<String>,
    /// The transaction that confirmed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_version: Option<u64>,
    /// When that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// The transaction that released, cancelled or expired it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_version: Option<u64>,
    /// It had done so before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// From when on it is expired, unless it was confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// The first night, of a resource that has nights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The caller's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Json>,
    /// What it costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// The day of departure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The waitlist entry that it is the offer to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waitlist_entry: Option<String>,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Released {
    /// It had not been confirmed.
    Released,
    /// It had been confirmed.
    Cancelled,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for ReleaseSpec {
    type Outcome = ReleaseOutcome;
    const NAME: &'static str = "reservations.release";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        format!("/v1/reservations/holds/{}/release", encode(&self.id))
    }
}
