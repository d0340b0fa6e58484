//! A row of an account's history.

use holdfast_state::{
    Amount, Id, LogTime, Version,
    unknown::{Unknown, fields_of},
};
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

use crate::{
    Balances,
    balances::{Event, Side},
};

/// One change of an account: which event of which transfer, and the balances
/// after it. Written once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    /// The transfer.
    pub transfer: Id,
    /// What happened to it.
    pub event: Event,
    /// Which side of this account it touches.
    pub side: Side,
    /// How much was posted, set aside, or given back.
    pub amount: Amount,
    /// The transaction.
    pub version: Version,
    /// Its log time.
    pub time: LogTime,
    /// The account's sums after it.
    pub balances: Balances,
}

const FIELDS: u64 = 9;

impl<C> Encode<C> for HistoryRow {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        let side = match self.side {
            Side::Debit => 0,
            Side::Credit => 1,
        };
        e.array(FIELDS)?.str(&self.transfer)?.u8(self.event.code() * 2 + side)?;
        e.encode(self.amount)?.encode(self.version)?.encode(self.time)?;
        let balances = &self.balances;
        e.encode(balances.debits_posted)?.encode(balances.debits_pending)?;
        e.encode(balances.credits_posted)?.encode(balances.credits_pending)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for HistoryRow {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let fields = fields_of(d)?;
        let transfer = d.decode()?;
        let code = d.u8()?;
        let row = Self {
            transfer,
            event: Event::of_code(code / 2)
                .ok_or_else(|| decode::Error::message("an event of a later release"))?,
            side: if code % 2 == 0 { Side::Debit } else { Side::Credit },
            amount: d.decode()?,
            version: d.decode()?,
            time: d.decode()?,
            balances: Balances {
                debits_posted: d.decode()?,
                debits_pending: d.decode()?,
                credits_posted: d.decode()?,
                credits_pending: d.decode()?,
            },
        };
        Unknown::read(d, fields, FIELDS)?;
        Ok(row)
    }
}
