//! `reservations.hold`: Sets units or nights aside until they are confirmed, released, or expire.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::reservations::{HoldStatus, Price},
    command::{Command, Kind, Method},
    json::Json,
    lifetime::Lifetime,
};

/// What is held, and how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HoldSpec {
    /// Of which resource.
    pub resource: String,
    /// A hold not confirmed before this time expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// The same, counted from now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<Lifetime>,
    /// The first night, of a resource that has nights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Its id; without one it gets a fresh id, and a retry would be another hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The caller's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Json>,
    /// What it costs: carried, not interpreted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// How many, of each night.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u64>,
    /// The day of departure: the night before it is the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

impl HoldSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(resource: impl Into<String>) -> Self {
        Self {
            resource: resource.into(),
            expires_at: None,
            expires_in: None,
            from: None,
            id: None,
            metadata: None,
            price: None,
            quantity: None,
            to: None,
        }
    }
}

/// The hold is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HoldOutcome {
    /// Always the same.
    pub outcome: Held,
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
    /// It had been made before, in the same words; `hold` is how it stands now.
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
pub enum Held {
    /// It is set aside.
    Held,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for HoldSpec {
    type Outcome = HoldOutcome;
    const NAME: &'static str = "reservations.hold";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        "/v1/reservations/holds".to_owned()
    }
}
