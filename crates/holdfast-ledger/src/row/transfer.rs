//! A transfer's row.

use holdfast_state::{
    Amount, Id, LogTime, TimerId, Version,
    unknown::{Unknown, fields_of},
};
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Asset, Metadata};

/// Where a transfer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Its amount has moved for good.
    Posted,
    /// Its amount is set aside.
    Pending,
    /// It was pending and taken back.
    Voided,
    /// It was pending and nobody posted it in time.
    Expired,
}

/// How a pending transfer came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Resolution {
    /// How much was posted; zero when it was voided or expired.
    #[n(0)]
    pub amount: Amount,
    /// The transaction that ended it.
    #[n(1)]
    pub version: Version,
    /// When.
    #[n(2)]
    pub time: LogTime,
}

/// A transfer, without its id. Written once, or twice if it was pending: then
/// `status` and `resolution` change and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferRow {
    /// The account it takes from.
    pub debit_account: Id,
    /// The account it gives to; another one.
    pub credit_account: Id,
    /// How much it was made over; more than zero.
    pub amount: Amount,
    /// The asset of both accounts.
    pub asset: Asset,
    /// Where it stands.
    pub status: Status,
    /// The transaction that made it.
    pub version: Version,
    /// When it was made.
    pub time: LogTime,
    /// How it ended, if it was pending and ended.
    pub resolution: Option<Resolution>,
    /// From when on it is expired, if it was made pending with an end.
    pub expires_at: Option<LogTime>,
    /// The timer that expires it.
    pub timer: Option<TimerId>,
    /// The caller's own words.
    pub metadata: Option<Metadata>,
    /// Fields of a later release.
    pub unknown: Unknown,
}

const FIELDS: u64 = 11;

impl TransferRow {
    /// Was it made pending?
    #[must_use]
    pub const fn began_pending(&self) -> bool {
        match self.status {
            Status::Posted => self.resolution.is_some(),
            Status::Pending | Status::Voided | Status::Expired => true,
        }
    }
}

const fn code_of(status: Status) -> u8 {
    match status {
        Status::Posted => 0,
        Status::Pending => 1,
        Status::Voided => 2,
        Status::Expired => 3,
    }
}

fn status_of(code: u8) -> Result<Status, decode::Error> {
    match code {
        0 => Ok(Status::Posted),
        1 => Ok(Status::Pending),
        2 => Ok(Status::Voided),
        3 => Ok(Status::Expired),
        _ => Err(decode::Error::message("a status of a later release")),
    }
}

impl<C> Encode<C> for TransferRow {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        self.unknown.begin(e, FIELDS)?;
        e.str(&self.debit_account)?.str(&self.credit_account)?;
        e.encode(self.amount)?.encode(self.asset)?.u8(code_of(self.status))?;
        e.encode(self.version)?.encode(self.time)?.encode(self.resolution)?;
        e.encode(self.expires_at)?.encode(self.timer)?.encode(&self.metadata)?;
        self.unknown.end(e)
    }
}

impl<'b, C> Decode<'b, C> for TransferRow {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let fields = fields_of(d)?;
        Ok(Self {
            debit_account: d.decode()?,
            credit_account: d.decode()?,
            amount: d.decode()?,
            asset: d.decode()?,
            status: status_of(d.u8()?)?,
            version: d.decode()?,
            time: d.decode()?,
            resolution: d.decode()?,
            expires_at: d.decode()?,
            timer: d.decode()?,
            metadata: d.decode()?,
            unknown: Unknown::read(d, fields, FIELDS)?,
        })
    }
}

#[cfg(test)]
impl TransferRow {
    pub(crate) fn example() -> Self {
        Self {
            debit_account: Id::new("a").unwrap(),
            credit_account: Id::new("b").unwrap(),
            amount: Amount::new(7),
            asset: Asset::new("EUR").unwrap(),
            status: Status::Posted,
            version: Version::new(4),
            time: LogTime::from_us(5),
            resolution: None,
            expires_at: None,
            timer: None,
            metadata: None,
            unknown: Unknown::default(),
        }
    }
}
