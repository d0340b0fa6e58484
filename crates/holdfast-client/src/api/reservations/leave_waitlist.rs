//! `reservations.leave_waitlist`: Leaves a waitlist before anything was offered.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::reservations::{Price, WaitlistStatus},
    command::{Command, Kind, Method, encode},
    json::Json,
    lifetime::Lifetime,
};

/// Which entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeaveWaitlistSpec {
    /// Its id.
    pub id: String,
}

impl LeaveWaitlistSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into() }
    }
}

/// The entry has left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LeaveWaitlistOutcome {
    /// Always the same.
    pub outcome: Left,
    /// Its id.
    pub id: String,
    /// What it waits for.
    pub resource: String,
    /// How many, of each night.
    pub quantity: u64,
    /// Where it stands.
    pub status: WaitlistStatus,
    /// Its place: lower tickets of the same resource come first.
    pub ticket: u64,
    /// How long an offer to it stays open.
    pub offer_expires_in: Lifetime,
    /// The transaction by which it joined.
    pub version: u64,
    /// When that was.
    pub time: String,
    /// When it was offered its hold, or left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// It had left before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// From when on that hold is expired, unless it was confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// The first night, of a resource that has nights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The hold that it was offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<String>,
    /// The caller's own words; its hold bears them too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Json>,
    /// What its hold will cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// The day of departure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Left {
    /// The entry waits no more.
    Left,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for LeaveWaitlistSpec {
    type Outcome = LeaveWaitlistOutcome;
    const NAME: &'static str = "reservations.leave_waitlist";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        format!("/v1/reservations/waitlist/{}/leave", encode(&self.id))
    }
}
