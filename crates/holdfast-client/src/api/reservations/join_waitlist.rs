//! `reservations.join_waitlist`: Waits for units or nights that are not to be had now.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::reservations::{Price, WaitlistStatus},
    command::{Command, Kind, Method},
    json::Json,
    lifetime::Lifetime,
};

/// What is waited for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JoinWaitlistSpec {
    /// Of which resource.
    pub resource: String,
    /// How long an offer stays open, once there is one.
    pub offer_expires_in: Lifetime,
    /// The first night, of a resource that has nights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The entry's id; without one it gets a fresh id, and a retry would be another
    /// entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The caller's own words; the hold will bear them too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Json>,
    /// What the hold will cost: carried, not interpreted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// How many, of each night.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u64>,
    /// The day of departure: the night before it is the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

impl JoinWaitlistSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(resource: impl Into<String>, offer_expires_in: impl Into<Lifetime>) -> Self {
        Self {
            resource: resource.into(),
            offer_expires_in: offer_expires_in.into(),
            from: None,
            id: None,
            metadata: None,
            price: None,
            quantity: None,
            to: None,
        }
    }
}

/// The entry is in the waitlist, or has its offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct JoinWaitlistOutcome {
    /// Always the same; `status` says whether it waits.
    pub outcome: Joined,
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
    /// It had joined before, in the same words.
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
pub enum Joined {
    /// The entry has joined.
    Joined,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for JoinWaitlistSpec {
    type Outcome = JoinWaitlistOutcome;
    const NAME: &'static str = "reservations.join_waitlist";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        "/v1/reservations/waitlist".to_owned()
    }
}
