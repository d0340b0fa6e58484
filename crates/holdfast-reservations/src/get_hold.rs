//! `reservations.get_hold`: a hold; and [`Hold`], which every command about holds
//! answers with.

use holdfast_state::{
    Date, Id, LogTime, Metadata, Read, Stop,
    command::{Command, Method, Query, Refusal, RefusalInfo},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Price, Quantity,
    refusals::HOLD_NOT_FOUND,
    row::{HoldRow, Holds, Status},
};

/// The command.
#[derive(Debug)]
pub struct GetHold;

/// Which hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetHoldSpec {
    /// Its id.
    pub id: Id,
}

/// A hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Hold {
    /// Its id.
    pub id: Id,
    /// Of which resource.
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
    pub status: Status,
    /// The transaction that made it.
    pub version: u64,
    /// When it was made.
    pub time: LogTime,
    /// From when on it is expired, unless it was confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<LogTime>,
    /// The transaction that confirmed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed_version: Option<u64>,
    /// When that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<LogTime>,
    /// The transaction that released, cancelled or expired it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_version: Option<u64>,
    /// When that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<LogTime>,
    /// What it costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// The waitlist entry that it is the offer to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waitlist_entry: Option<Id>,
    /// The caller's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

impl Hold {
    pub(crate) fn of(id: Id, row: HoldRow) -> Self {
        Self {
            id,
            resource: row.resource,
            from: row.nights.map(|nights| nights.from()),
            to: row.nights.map(|nights| nights.to()),
            quantity: row.quantity,
            status: row.status,
            version: row.made.version.get(),
            time: row.made.time,
            expires_at: row.expires_at,
            confirmed_version: row.confirmed.map(|stamp| stamp.version.get()),
            confirmed_at: row.confirmed.map(|stamp| stamp.time),
            ended_version: row.ended.map(|stamp| stamp.version.get()),
            ended_at: row.ended.map(|stamp| stamp.time),
            price: row.price,
            waitlist_entry: row.entry,
            metadata: row.metadata,
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum GetHoldRefusal {
    /// It was never made.
    HoldNotFound {
        /// Its id.
        id: Id,
    },
}

impl Refusal for GetHoldRefusal {
    const ALL: &'static [RefusalInfo] = &[HOLD_NOT_FOUND];

    fn code(&self) -> &'static str {
        match self {
            Self::HoldNotFound { .. } => HOLD_NOT_FOUND.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/id")
    }
}

impl Command for GetHold {
    const NAME: &'static str = "reservations.get_hold";
    const SUMMARY: &'static str = "Shows a hold and where it stands.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/reservations/holds/{id}";
    type Spec = GetHoldSpec;
    type Outcome = Hold;
    type Refusal = GetHoldRefusal;
}

impl Query for GetHold {
    fn run(state: &impl Read, spec: &GetHoldSpec) -> Result<Hold, Stop<GetHoldRefusal>> {
        let row = state.get::<Holds>(spec.id.as_str())?;
        let refusal = || GetHoldRefusal::HoldNotFound { id: spec.id.clone() };
        Ok(Hold::of(spec.id.clone(), row.ok_or_else(|| Stop::Refused(refusal()))?))
    }
}
