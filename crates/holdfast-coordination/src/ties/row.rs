//! What is stored: sessions, and what hangs on each.
//!
//! A session has a row while it is open. Renewing it rewrites that row alone; what hangs
//! on it has rows of its own, so that taking a lease under a session does not touch it.
//! `tests/fixtures` holds rows of every released format.

use holdfast_state::{
    Id, Lifetime, LogTime, Metadata, Table, TableId, TimerId, Version,
    unknown::{Unknown, fields_of},
};
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

/// Sessions that are open, by id.
#[derive(Debug)]
pub struct Sessions;

impl Table for Sessions {
    const ID: TableId = TableId(0x04c0);
    const NAME: &'static str = "sessions.sessions";
    type Key<'k> = &'k str;
    type Row = SessionRow;
}

/// What hangs on sessions: by session, the transaction that opened it and its timer; then
/// the kind, and names by kind. The key says it all.
#[derive(Debug)]
pub struct Ties;

impl Table for Ties {
    const ID: TableId = TableId(0x04c1);
    const NAME: &'static str = "sessions.ties";
    type Key<'k> = super::TieKey<'k>;
    type Row = ();
}

/// A session, without its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// The transaction that opened it.
    pub opened: Version,
    /// Which of that transaction's timers was to end it.
    pub number: u16,
    /// When it was opened.
    pub opened_at: LogTime,
    /// When it ends unless it is renewed; `timer.due <= expires_at`.
    pub expires_at: LogTime,
    /// For how long a renewal prolongs it.
    pub ttl: Lifetime,
    /// The timer that ends it. A renewal leaves it where it is: when it fires too early, it
    /// is set again.
    pub timer: TimerId,
    /// Whose it is.
    pub owner: Option<Id>,
    /// The owner's own words.
    pub metadata: Option<Metadata>,
    /// Fields of a later release.
    pub unknown: Unknown,
}

const SESSION_FIELDS: u64 = 8;

impl SessionRow {
    /// Is its time over, whether or not its timer has fired?
    #[must_use]
    pub fn is_over(&self, now: LogTime) -> bool {
        self.expires_at <= now
    }
}

impl<C> Encode<C> for SessionRow {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        self.unknown.begin(e, SESSION_FIELDS)?;
        e.encode(self.opened)?.u16(self.number)?.encode(self.opened_at)?;
        e.encode(self.expires_at)?.encode(self.ttl)?.encode(self.timer)?;
        e.encode(&self.owner)?.encode(&self.metadata)?;
        self.unknown.end(e)
    }
}

impl<'b, C> Decode<'b, C> for SessionRow {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let fields = fields_of(d)?;
        Ok(Self {
            opened: d.decode()?,
            number: d.u16()?,
            opened_at: d.decode()?,
            expires_at: d.decode()?,
            ttl: d.decode()?,
            timer: d.decode()?,
            owner: d.decode()?,
            metadata: d.decode()?,
            unknown: Unknown::read(d, fields, SESSION_FIELDS)?,
        })
    }
}
