//! An account's row.

use holdfast_state::{
    LogTime, Version,
    unknown::{Unknown, fields_of},
};
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

use crate::{Asset, Balances, Limit};

/// An account, without its id and its metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRow {
    /// What it counts; never changes.
    pub asset: Asset,
    /// What bounds it; never changes.
    pub limit: Limit,
    /// Its sums.
    pub balances: Balances,
    /// Number of history rows it has.
    pub changes: u64,
    /// The transaction that changed it last.
    pub version: Version,
    /// When it was opened.
    pub opened_at: LogTime,
    /// When it was closed, while it is.
    pub closed_at: Option<LogTime>,
    /// Fields of a later release.
    pub unknown: Unknown,
}

const FIELDS: u64 = 10;

impl<C> Encode<C> for AccountRow {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        self.unknown.begin(e, FIELDS)?;
        e.encode(self.asset)?.u8(self.limit.code())?;
        let balances = &self.balances;
        e.encode(balances.debits_posted)?.encode(balances.debits_pending)?;
        e.encode(balances.credits_posted)?.encode(balances.credits_pending)?;
        e.u64(self.changes)?.encode(self.version)?.encode(self.opened_at)?;
        e.encode(self.closed_at)?;
        self.unknown.end(e)
    }
}

impl<'b, C> Decode<'b, C> for AccountRow {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let fields = fields_of(d)?;
        Ok(Self {
            asset: d.decode()?,
            limit: Limit::of_code(d.u8()?)
                .ok_or_else(|| decode::Error::message("a limit of a later release"))?,
            balances: Balances {
                debits_posted: d.decode()?,
                debits_pending: d.decode()?,
                credits_posted: d.decode()?,
                credits_pending: d.decode()?,
            },
            changes: d.u64()?,
            version: d.decode()?,
            opened_at: d.decode()?,
            closed_at: d.decode()?,
            unknown: Unknown::read(d, fields, FIELDS)?,
        })
    }
}

#[cfg(test)]
impl AccountRow {
    pub(crate) fn example() -> Self {
        Self {
            asset: Asset::new("EUR").unwrap(),
            limit: Limit::None,
            balances: Balances::default(),
            changes: 3,
            version: Version::new(4),
            opened_at: LogTime::from_us(5),
            closed_at: None,
            unknown: Unknown::default(),
        }
    }
}
