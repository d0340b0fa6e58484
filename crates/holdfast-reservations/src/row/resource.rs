//! A resource's row.

use std::ops::Range;

use holdfast_state::{
    LogTime, TimerId, Version,
    unknown::{Unknown, fields_of},
};
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Stock;

/// What a resource has stock of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ResourceKind")]
pub enum Kind {
    /// A number of like things: tickets, a product.
    Units,
    /// A number of like things on each night: rooms, a seat.
    Nights,
}

/// Freed slots that have not yet been offered to everybody who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Sweep {
    /// The first slot that was freed.
    #[n(0)]
    pub from: u32,
    /// The end of the slots that were freed.
    #[n(1)]
    pub to: u32,
    /// Everybody with a lower ticket has had their turn.
    #[n(2)]
    pub ticket: u64,
    /// The timer that goes on with it.
    #[n(3)]
    pub timer: TimerId,
}

impl Sweep {
    /// The slots that were freed.
    #[must_use]
    pub const fn slots(&self) -> Range<u32> {
        self.from..self.to
    }
}

/// A resource, without its id and its metadata. A hold reads it and leaves it as it
/// is: what is taken lies with the slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceRow {
    /// What it has stock of; never changes.
    pub kind: Kind,
    /// The stock of each slot that has none of its own.
    pub stock: Stock,
    /// The stock that it was created with: the same request again must find itself.
    pub stock_created: Stock,
    /// The transaction that changed this row last.
    pub version: Version,
    /// When it was created.
    pub created_at: LogTime,
    /// How many entries wait for it.
    pub waiting: u64,
    /// The last ticket that was given; 0 before the first.
    pub tickets: u64,
    /// What is still to be offered.
    pub sweep: Option<Sweep>,
    /// Fields of a later release.
    pub unknown: Unknown,
}

const FIELDS: u64 = 8;

impl<C> Encode<C> for ResourceRow {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        let kind = match self.kind {
            Kind::Units => 0,
            Kind::Nights => 1,
        };
        self.unknown.begin(e, FIELDS)?;
        e.u8(kind)?
            .encode(self.stock)?
            .encode(self.stock_created)?
            .encode(self.version)?
            .encode(self.created_at)?;
        e.u64(self.waiting)?.u64(self.tickets)?.encode(self.sweep)?;
        self.unknown.end(e)
    }
}

impl<'b, C> Decode<'b, C> for ResourceRow {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let fields = fields_of(d)?;
        Ok(Self {
            kind: match d.u8()? {
                0 => Kind::Units,
                1 => Kind::Nights,
                _ => return Err(decode::Error::message("a kind of a later release")),
            },
            stock: d.decode()?,
            stock_created: d.decode()?,
            version: d.decode()?,
            created_at: d.decode()?,
            waiting: d.u64()?,
            tickets: d.u64()?,
            sweep: d.decode()?,
            unknown: Unknown::read(d, fields, FIELDS)?,
        })
    }
}
