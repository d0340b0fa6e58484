//! A timer's row.

use holdfast_state::{
    LogTime, Table, TableId, TimerId,
    unknown::{Unknown, fields_of},
};
use minicbor::{
    Decode, Decoder, Encode, Encoder,
    bytes::{ByteSlice, ByteVec},
    decode, encode,
};
use schemars::JsonSchema;
use serde::Serialize;

/// Timers by id.
#[derive(Debug)]
pub struct Scheduled;

impl Table for Scheduled {
    const ID: TableId = TableId(0x0f01);
    const NAME: &'static str = "timers.timers";
    type Key<'k> = &'k str;
    type Row = ScheduledRow;
}

/// Where a timer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It has still to fire.
    Armed,
    /// It fired, and its operations were done.
    Done,
    /// It fired, and its operations were refused: none was done.
    Refused,
    /// It was cancelled before it fired.
    Cancelled,
}

/// A timer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduledRow {
    /// When it is due.
    pub fires_at: LogTime,
    /// The engine's timer.
    pub timer: TimerId,
    /// What it runs: a JSON array of operations.
    pub operations: Vec<u8>,
    /// Where it stands.
    pub status: Status,
    /// When it fired or was cancelled.
    pub ended_at: Option<LogTime>,
    /// JSON: the outcome of its operations, or why they were refused; empty before.
    pub result: Vec<u8>,
    /// Fields of a later release.
    pub unknown: Unknown,
}

const FIELDS: u64 = 6;

impl<C> Encode<C> for ScheduledRow {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        let status = match self.status {
            Status::Armed => 0,
            Status::Done => 1,
            Status::Refused => 2,
            Status::Cancelled => 3,
        };
        self.unknown.begin(e, FIELDS)?;
        e.encode(self.fires_at)?.encode(self.timer)?;
        e.encode::<&ByteSlice>(self.operations.as_slice().into())?.u8(status)?;
        e.encode(self.ended_at)?.encode::<&ByteSlice>(self.result.as_slice().into())?;
        self.unknown.end(e)
    }
}

impl<'b, C> Decode<'b, C> for ScheduledRow {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let fields = fields_of(d)?;
        Ok(Self {
            fires_at: d.decode()?,
            timer: d.decode()?,
            operations: d.decode::<ByteVec>()?.into(),
            status: match d.u8()? {
                0 => Status::Armed,
                1 => Status::Done,
                2 => Status::Refused,
                3 => Status::Cancelled,
                _ => return Err(decode::Error::message("a status of a later release")),
            },
            ended_at: d.decode()?,
            result: d.decode::<ByteVec>()?.into(),
            unknown: Unknown::read(d, fields, FIELDS)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use holdfast_state::{Version, row::Row as _};

    use super::*;

    /// A row of the first format, as bytes.
    const FIRST: &str =
        "861b00060a24181e4000831b00060a24181e40000701425b5d021b00060a24181e4001427b7d";

    #[test]
    fn the_first_format_stays_readable() {
        let row = ScheduledRow {
            fires_at: LogTime::from_us(1_700_000_000_000_000),
            timer: TimerId {
                due: LogTime::from_us(1_700_000_000_000_000),
                version: Version::new(7),
                number: 1,
            },
            operations: b"[]".to_vec(),
            status: Status::Refused,
            ended_at: Some(LogTime::from_us(1_700_000_000_000_001)),
            result: b"{}".to_vec(),
            unknown: Unknown::default(),
        };
        let mut bytes = Vec::new();
        row.write(&mut bytes);
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, FIRST);
        assert_eq!(ScheduledRow::parse(&bytes), Ok(row));
    }
}
