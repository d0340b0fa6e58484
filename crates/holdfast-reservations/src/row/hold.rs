//! A hold's row.

use holdfast_state::{
    Id, LogTime, Metadata, TimerId,
    unknown::{Unknown, fields_of},
};
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use schemars::JsonSchema;
use serde::Serialize;

use super::Stamp;
use crate::{Nights, Price, Quantity};

/// Where a hold stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "HoldStatus")]
pub enum Status {
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
}

/// What was asked for in the beginning, of a hold that was extended or moved since:
/// the same request again must find itself.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Asked {
    /// The resource.
    #[n(0)]
    pub resource: Id,
    /// The nights.
    #[n(1)]
    pub nights: Option<Nights>,
    /// How many of each.
    #[n(2)]
    pub quantity: Quantity,
    /// From when on it would be expired.
    #[n(3)]
    pub expires_at: Option<LogTime>,
    /// What it would cost.
    #[n(4)]
    pub price: Option<Price>,
}

/// A hold, without its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldRow {
    /// Of what.
    pub resource: Id,
    /// On which nights, of a resource that has them.
    pub nights: Option<Nights>,
    /// How many of each.
    pub quantity: Quantity,
    /// Where it stands.
    pub status: Status,
    /// When it was made.
    pub made: Stamp,
    /// When it was confirmed, if it was.
    pub confirmed: Option<Stamp>,
    /// When it was released, cancelled or expired, if it was.
    pub ended: Option<Stamp>,
    /// From when on it is expired, unless it was confirmed.
    pub expires_at: Option<LogTime>,
    /// The timer that expires it.
    pub timer: Option<TimerId>,
    /// What it costs.
    pub price: Option<Price>,
    /// The waitlist entry that it is the offer to.
    pub entry: Option<Id>,
    /// What was asked for, if that is not what it is now.
    pub asked: Option<Box<Asked>>,
    /// The caller's own words.
    pub metadata: Option<Metadata>,
    /// Fields of a later release.
    pub unknown: Unknown,
}

const FIELDS: u64 = 13;

impl HoldRow {
    /// What was asked for in the beginning.
    #[must_use]
    pub fn asked(&self) -> Asked {
        self.asked.as_deref().cloned().unwrap_or_else(|| Asked {
            resource: self.resource.clone(),
            nights: self.nights,
            quantity: self.quantity,
            expires_at: self.expires_at,
            price: self.price,
        })
    }
}

const fn code_of(status: Status) -> u8 {
    match status {
        Status::Held => 0,
        Status::Confirmed => 1,
        Status::Released => 2,
        Status::Cancelled => 3,
        Status::Expired => 4,
    }
}

fn status_of(code: u8) -> Result<Status, decode::Error> {
    match code {
        0 => Ok(Status::Held),
        1 => Ok(Status::Confirmed),
        2 => Ok(Status::Released),
        3 => Ok(Status::Cancelled),
        4 => Ok(Status::Expired),
        _ => Err(decode::Error::message("a status of a later release")),
    }
}

impl<C> Encode<C> for HoldRow {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        self.unknown.begin(e, FIELDS)?;
        e.str(&self.resource)?.encode(self.nights)?.encode(self.quantity)?;
        e.u8(code_of(self.status))?.encode(self.made)?.encode(self.confirmed)?;
        e.encode(self.ended)?.encode(self.expires_at)?.encode(self.timer)?;
        e.encode(self.price)?.encode(&self.entry)?.encode(&self.asked)?;
        e.encode(&self.metadata)?;
        self.unknown.end(e)
    }
}

impl<'b, C> Decode<'b, C> for HoldRow {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let fields = fields_of(d)?;
        Ok(Self {
            resource: d.decode()?,
            nights: d.decode()?,
            quantity: d.decode()?,
            status: status_of(d.u8()?)?,
            made: d.decode()?,
            confirmed: d.decode()?,
            ended: d.decode()?,
            expires_at: d.decode()?,
            timer: d.decode()?,
            price: d.decode()?,
            entry: d.decode()?,
            asked: d.decode()?,
            metadata: d.decode()?,
            unknown: Unknown::read(d, fields, FIELDS)?,
        })
    }
}
