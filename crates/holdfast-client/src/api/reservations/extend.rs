//! `reservations.extend`: Lets a hold expire later.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::reservations::{HoldStatus, Price},
    command::{Command, Kind, Method, encode},
    json::Json,
    lifetime::Lifetime,
};

/// Which hold, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExtendSpec {
    /// Its id.
    pub id: String,
    /// Not confirmed before this time, it expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// The same, counted from now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<Lifetime>,
}

impl ExtendSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), expires_at: None, expires_in: None }
    }
}

/// The hold stays longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExtendOutcome {
    /// Always the same.
    pub outcome: Extended,
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
    /// It would have expired at that time already.
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
pub enum Extended {
    /// It expires later.
    Extended,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for ExtendSpec {
    type Outcome = ExtendOutcome;
    const NAME: &'static str = "reservations.extend";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        format!("/v1/reservations/holds/{}/extend", encode(&self.id))
    }
}
