//! `reservations.get_waitlist_entry`: a waitlist entry; and [`WaitlistEntry`], which
//! every command about them answers with.

use holdfast_state::{
    Abort, Date, Id, Lifetime, LogTime, Metadata, Read, Stop, StoreError,
    command::{Command, Method, Query, Refusal, RefusalInfo},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Price, Quantity,
    refusals::ENTRY_NOT_FOUND,
    row::{Entries, EntryRow, EntryStatus, Holds, Status},
};

/// The command.
#[derive(Debug)]
pub struct GetWaitlistEntry;

/// Which entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetWaitlistEntrySpec {
    /// Its id.
    pub id: Id,
}

/// Where an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "WaitlistStatus")]
pub enum Waiting {
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
}

/// A waitlist entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WaitlistEntry {
    /// Its id.
    pub id: Id,
    /// What it waits for.
    pub resource: Id,
    /// The first night, of a resource that has nights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// The day of departure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
    /// How many, of each night.
    pub quantity: Quantity,
    /// Where it stands.
    pub status: Waiting,
    /// Its place: lower tickets of the same resource come first.
    pub ticket: u64,
    /// How long an offer to it stays open.
    pub offer_expires_in: Lifetime,
    /// The hold that it was offered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<Id>,
    /// From when on that hold is expired, unless it was confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<LogTime>,
    /// The transaction by which it joined.
    pub version: u64,
    /// When that was.
    pub time: LogTime,
    /// When it was offered its hold, or left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<LogTime>,
    /// What its hold will cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// The caller's own words; its hold bears them too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

impl WaitlistEntry {
    /// The entry `id`; what became of an offer is looked up.
    pub(crate) fn of(state: &impl Read, id: Id, row: EntryRow) -> Result<Self, Abort> {
        let (status, hold, expires_at) = match row.status {
            EntryStatus::Waiting => (Waiting::Waiting, None, None),
            EntryStatus::Left => (Waiting::Left, None, None),
            EntryStatus::Offered(offer) => {
                let hold = state.get::<Holds>(offer.as_str())?;
                let hold = hold.ok_or_else(|| missing(&offer))?;
                let status = match hold.status {
                    Status::Held => Waiting::Offered,
                    Status::Confirmed => Waiting::Accepted,
                    Status::Released | Status::Cancelled => Waiting::Declined,
                    Status::Expired => Waiting::Lapsed,
                };
                (status, Some(offer), hold.expires_at)
            }
        };
        Ok(Self {
            id,
            resource: row.resource,
            from: row.nights.map(|nights| nights.from()),
            to: row.nights.map(|nights| nights.to()),
            quantity: row.quantity,
            status,
            ticket: row.ticket,
            offer_expires_in: row.offer_expires_in,
            hold,
            expires_at,
            version: row.joined.version.get(),
            time: row.joined.time,
            ended_at: row.ended.map(|stamp| stamp.time),
            price: row.price,
            metadata: row.metadata,
        })
    }
}

/// The rows do not fit together: the state must be rebuilt.
fn missing(offer: &Id) -> Abort {
    StoreError::Doubt { what: format!("the offered hold {offer} is not there") }.into()
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum GetWaitlistEntryRefusal {
    /// It was never made.
    EntryNotFound {
        /// Its id.
        id: Id,
    },
}

impl Refusal for GetWaitlistEntryRefusal {
    const ALL: &'static [RefusalInfo] = &[ENTRY_NOT_FOUND];

    fn code(&self) -> &'static str {
        match self {
            Self::EntryNotFound { .. } => ENTRY_NOT_FOUND.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/id")
    }
}

impl Command for GetWaitlistEntry {
    const NAME: &'static str = "reservations.get_waitlist_entry";
    const SUMMARY: &'static str = "Shows a waitlist entry and what became of it.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/reservations/waitlist/{id}";
    type Spec = GetWaitlistEntrySpec;
    type Outcome = WaitlistEntry;
    type Refusal = GetWaitlistEntryRefusal;
}

impl Query for GetWaitlistEntry {
    fn run(
        state: &impl Read,
        spec: &GetWaitlistEntrySpec,
    ) -> Result<WaitlistEntry, Stop<GetWaitlistEntryRefusal>> {
        let row = state.get::<Entries>(spec.id.as_str())?;
        let refusal = || GetWaitlistEntryRefusal::EntryNotFound { id: spec.id.clone() };
        let row = row.ok_or_else(|| Stop::Refused(refusal()))?;
        Ok(WaitlistEntry::of(state, spec.id.clone(), row)?)
    }
}
