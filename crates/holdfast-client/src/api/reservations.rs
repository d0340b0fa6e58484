//! Commands of `reservations`.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

mod availability;
mod confirm;
mod create_resource;
mod extend;
mod get_hold;
mod get_resource;
mod get_waitlist_entry;
mod hold;
mod join_waitlist;
mod leave_waitlist;
mod r#move;
mod release;
mod resize_resource;
mod resources;
mod waitlist;

use serde::{Deserialize, Serialize};

use crate::{json::Json, lifetime::Lifetime};

pub use availability::{Availability, AvailabilitySpec, LevelView};
pub use confirm::{ConfirmOutcome, ConfirmSpec, Confirmed};
pub use create_resource::{CreateResourceOutcome, CreateResourceSpec, Created};
pub use extend::{ExtendOutcome, ExtendSpec, Extended};
pub use get_hold::{GetHoldSpec, Hold};
pub use get_resource::GetResourceSpec;
pub use get_waitlist_entry::GetWaitlistEntrySpec;
pub use hold::{Held, HoldOutcome, HoldSpec};
pub use join_waitlist::{JoinWaitlistOutcome, JoinWaitlistSpec, Joined};
pub use leave_waitlist::{LeaveWaitlistOutcome, LeaveWaitlistSpec, Left};
pub use r#move::{MoveOutcome, MoveSpec, Moved};
pub use release::{ReleaseOutcome, ReleaseSpec, Released};
pub use resize_resource::{ResizeResourceOutcome, ResizeResourceSpec, Resized};
pub use resources::{ListResourcesSpec, ResourcesPage};
pub use waitlist::{ShowWaitlistSpec, WaitlistPage};

/// Where a hold stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HoldStatus {
    /// What it wants is set aside.
    Held,
    /// What it wants is sold.
    Confirmed,
    /// It was given back before it was confirmed.
    Released,
    /// It was given back after it was confirmed.
    Cancelled,
    /// Nobody confirmed it in time.
    Expired,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

/// An amount of an asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// How much, in minor units, for all of the hold.
    pub amount: i64,
    /// Of what.
    pub asset: String,
}

impl Price {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(amount: i64, asset: impl Into<String>) -> Self {
        Self { amount, asset: asset.into() }
    }
}

/// A resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Resource {
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
    /// The caller's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Json>,
}

/// What a resource has stock of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceKind {
    /// A number of like things: tickets, a product.
    Units,
    /// A number of like things on each night: rooms, a seat.
    Nights,
}

/// A waitlist entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WaitlistEntry {
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

/// Where an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WaitlistStatus {
    /// It waits.
    Waiting,
    /// It was offered a hold, which is still held.
    Offered,
    /// It was offered a hold, which was confirmed.
    Accepted,
    /// It was offered a hold, which was released, or confirmed and cancelled.
    Declined,
    /// It was offered a hold, which expired.
    Lapsed,
    /// It left before it was offered anything.
    Left,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}
