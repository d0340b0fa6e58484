//! `reservations.get_hold`: Shows a hold and where it stands.
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
pub struct GetHoldSpec {
    /// Its id.
    pub id: String,
}

impl GetHoldSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into() }
    }
}

/// A hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Hold {
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

impl Command for GetHoldSpec {
    type Outcome = Hold;
    const NAME: &'static str = "reservations.get_hold";
    const KIND: Kind = Kind::Query;
    const METHOD: Method = Method::Get;

    fn target(&self) -> String {
        format!("/v1/reservations/holds/{}", encode(&self.id))
    }
}
