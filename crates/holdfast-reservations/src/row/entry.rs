//! A waitlist entry's row.

use holdfast_state::{
    Id, Lifetime, Metadata,
    unknown::{Unknown, fields_of},
};
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

use super::Stamp;
use crate::{Nights, Price, Quantity};

/// Where an entry stands. What became of an offer is said by the hold that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryStatus {
    /// It waits.
    Waiting,
    /// It was given this hold.
    Offered(Id),
    /// It left before it was offered anything.
    Left,
}

/// A waitlist entry, without its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryRow {
    /// What it waits for.
    pub resource: Id,
    /// On which nights, of a resource that has them.
    pub nights: Option<Nights>,
    /// How many of each.
    pub quantity: Quantity,
    /// Its place: lower tickets of the resource come first.
    pub ticket: u64,
    /// How long an offer to it stays open.
    pub offer_expires_in: Lifetime,
    /// Where it stands.
    pub status: EntryStatus,
    /// When it joined.
    pub joined: Stamp,
    /// When it was offered something, or left.
    pub ended: Option<Stamp>,
    /// What its hold will cost.
    pub price: Option<Price>,
    /// The caller's own words; the hold bears them too.
    pub metadata: Option<Metadata>,
    /// Fields of a later release.
    pub unknown: Unknown,
}

const FIELDS: u64 = 11;

impl<C> Encode<C> for EntryRow {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        let (status, offer) = match &self.status {
            EntryStatus::Waiting => (0, None),
            EntryStatus::Offered(hold) => (1, Some(hold)),
            EntryStatus::Left => (2, None),
        };
        self.unknown.begin(e, FIELDS)?;
        e.str(&self.resource)?.encode(self.nights)?.encode(self.quantity)?;
        e.u64(self.ticket)?.u64(self.offer_expires_in.as_us())?.u8(status)?.encode(offer)?;
        e.encode(self.joined)?.encode(self.ended)?.encode(self.price)?;
        e.encode(&self.metadata)?;
        self.unknown.end(e)
    }
}

impl<'b, C> Decode<'b, C> for EntryRow {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let fields = fields_of(d)?;
        Ok(Self {
            resource: d.decode()?,
            nights: d.decode()?,
            quantity: d.decode()?,
            ticket: d.u64()?,
            offer_expires_in: Lifetime::from_us(d.u64()?).map_err(decode::Error::custom)?,
            status: match (d.u8()?, d.decode()?) {
                (0, None) => EntryStatus::Waiting,
                (1, Some(hold)) => EntryStatus::Offered(hold),
                (2, None) => EntryStatus::Left,
                _ => return Err(decode::Error::message("a status of a later release")),
            },
            joined: d.decode()?,
            ended: d.decode()?,
            price: d.decode()?,
            metadata: d.decode()?,
            unknown: Unknown::read(d, fields, FIELDS)?,
        })
    }
}
