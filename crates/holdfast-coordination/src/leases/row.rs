//! What is stored: tables, and rows as short CBOR arrays.
//!
//! A lease has a row while it is granted: a free one has none, so names of locks that come
//! and go leave nothing behind. Who waits has two rows: in the lease's queue, and under
//! its own name, where the search for deadlocks finds what an owner waits for. What hangs
//! on a session says so in a last field, which others do not have. Rows that are rewritten
//! keep the fields of later releases. `tests/fixtures` holds rows of every
//! released format.

use holdfast_state::{
    Id, Lifetime, LogTime, Metadata, Table, TableId, TimerId, Version,
    unknown::{Unknown, fields_of},
};
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

use crate::ties::Tie;

/// Leases that are granted, by id.
#[derive(Debug)]
pub struct Leases;

impl Table for Leases {
    const ID: TableId = TableId(0x0440);
    const NAME: &'static str = "leases.leases";
    type Key<'k> = &'k str;
    type Row = LeaseRow;
}

/// Who waits, in order: by lease, the transaction in which waiting began, and which of the
/// transaction's timers ends it.
#[derive(Debug)]
pub struct Waiters;

impl Table for Waiters {
    const ID: TableId = TableId(0x0441);
    const NAME: &'static str = "leases.waiters";
    type Key<'k> = (&'k str, Version, u16);
    type Row = WaiterRow;
}

/// What an owner waits for: by owner and lease.
#[derive(Debug)]
pub struct Waits;

impl Table for Waits {
    const ID: TableId = TableId(0x0442);
    const NAME: &'static str = "leases.waits";
    type Key<'k> = (&'k str, &'k str);
    type Row = WaitRow;
}

/// A lease's grant, and how many wait behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseRow {
    /// The transaction that made the grant.
    pub token: Version,
    /// Who holds it.
    pub owner: Id,
    /// When it was granted.
    pub granted_at: LogTime,
    /// Its own time; a grant without one hangs on a session.
    pub term: Option<Term>,
    /// How many wait.
    pub waiting: u32,
    /// The owner's own words.
    pub metadata: Option<Metadata>,
    /// The session that it hangs on: it ends with it, if its own time does not end before.
    pub tie: Option<Tie>,
    /// Fields of a later release.
    pub unknown: Unknown,
}

/// How long a grant counts by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// When it ends unless it is renewed; `timer.due <= expires_at`.
    pub expires_at: LogTime,
    /// For how long a renewal prolongs it.
    pub ttl: Lifetime,
    /// The timer that ends it. A renewal leaves it where it is: when it fires too early,
    /// it is set again, which is less work than setting it with every renewal.
    pub timer: TimerId,
}

impl Term {
    /// Is it over, whether or not its timer has fired?
    #[must_use]
    pub fn is_over(&self, now: LogTime) -> bool {
        self.expires_at <= now
    }
}

/// With the tie, which is left out where there is none.
const LEASE_FIELDS: u64 = 9;

impl<C> Encode<C> for LeaseRow {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        let tied = self.tie.is_some() || self.unknown != Unknown::default();
        self.unknown.begin(e, LEASE_FIELDS - u64::from(!tied))?;
        e.encode(self.token)?.encode(&self.owner)?.encode(self.granted_at)?;
        e.encode(self.term.map(|term| term.expires_at))?;
        e.encode(self.term.map(|term| term.ttl))?.encode(self.term.map(|term| term.timer))?;
        e.u32(self.waiting)?.encode(&self.metadata)?;
        if tied {
            e.encode(&self.tie)?;
        }
        self.unknown.end(e)
    }
}

impl<'b, C> Decode<'b, C> for LeaseRow {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let fields = fields_of(d)?;
        Ok(Self {
            token: d.decode()?,
            owner: d.decode()?,
            granted_at: d.decode()?,
            term: term(d)?,
            waiting: d.u32()?,
            metadata: d.decode()?,
            tie: if fields < LEASE_FIELDS { None } else { d.decode()? },
            unknown: Unknown::read(d, fields, fields.clamp(LEASE_FIELDS - 1, LEASE_FIELDS))?,
        })
    }
}

/// Three fields, all or none of which are there.
fn term(d: &mut Decoder<'_>) -> Result<Option<Term>, decode::Error> {
    let (expires_at, ttl, timer) = (d.decode()?, d.decode()?, d.decode()?);
    match (expires_at, ttl, timer) {
        (Some(expires_at), Some(ttl), Some(timer)) => Ok(Some(Term { expires_at, ttl, timer })),
        (None, None, None) => Ok(None),
        _ => Err(decode::Error::message("half of a term")),
    }
}

/// Who waits for a lease. Written once.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct WaiterRow {
    /// Who it is.
    #[n(0)]
    pub owner: Id,
    /// For how long it wants the lease, from the grant on; without this, as long as its
    /// session is open.
    #[n(1)]
    pub ttl: Option<Lifetime>,
    /// The timer that ends the wait; due when the owner gives up. It was armed when waiting
    /// began, so its version and number say which place this is.
    #[n(2)]
    pub timer: TimerId,
    /// The owner's own words.
    #[n(3)]
    pub metadata: Option<Metadata>,
    /// The session that the place hangs on, and the grant will.
    #[n(4)]
    pub tie: Option<Tie>,
}

impl WaiterRow {
    /// Is its patience over, whether or not its timer has fired? Its session is another
    /// matter.
    #[must_use]
    pub fn gave_up(&self, now: LogTime) -> bool {
        self.timer.due <= now
    }
}

/// An owner's place in a queue. Written once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct WaitRow {
    /// The transaction in which waiting began.
    #[n(0)]
    pub since: Version,
    /// Which of the transaction's timers ends it.
    #[n(1)]
    pub number: u16,
}
