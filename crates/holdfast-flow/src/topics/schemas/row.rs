//! What is stored: schemas by topic and number, and a row for each topic that has any, which is
//! all that an append reads of them.

use holdfast_state::{
    LogTime, Table, TableId, Version,
    unknown::{Unknown, fields_of},
};
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

use super::{compatibility::Compatibility, text::SchemaText};

/// Schemas: by the topic's id and the schema's number.
#[derive(Debug)]
pub struct Schemas;

impl Table for Schemas {
    const ID: TableId = TableId(0x0311);
    const NAME: &'static str = "topics.schemas";
    type Key<'k> = (&'k str, u64);
    type Row = SchemaRow;
}

/// How the schemas of a topic stand: by the topic's id.
#[derive(Debug)]
pub struct Judging;

impl Table for Judging {
    const ID: TableId = TableId(0x0312);
    const NAME: &'static str = "topics.judging";
    type Key<'k> = &'k str;
    type Row = JudgingRow;
}

/// A schema. Written once.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SchemaRow {
    /// Its text.
    #[n(0)]
    pub schema: SchemaText,
    /// When it was registered.
    #[n(1)]
    pub registered_at: LogTime,
    /// The transaction.
    #[n(2)]
    pub version: Version,
}

/// How the schemas of a topic stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JudgingRow {
    /// The greatest number that was given.
    pub last: u64,
    /// How many there are.
    pub count: u64,
    /// The one that judges: the greatest number that is there.
    pub latest: Option<u64>,
    /// What a new one must have in common with them.
    pub compatibility: Compatibility,
    /// Fields of a later release.
    pub unknown: Unknown,
}

const JUDGING_FIELDS: u64 = 4;

impl<C> Encode<C> for JudgingRow {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        self.unknown.begin(e, JUDGING_FIELDS)?;
        e.u64(self.last)?.u64(self.count)?.encode(self.latest)?.encode(self.compatibility)?;
        self.unknown.end(e)
    }
}

impl<'b, C> Decode<'b, C> for JudgingRow {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let fields = fields_of(d)?;
        Ok(Self {
            last: d.u64()?,
            count: d.u64()?,
            latest: d.decode()?,
            compatibility: d.decode()?,
            unknown: Unknown::read(d, fields, JUDGING_FIELDS)?,
        })
    }
}
