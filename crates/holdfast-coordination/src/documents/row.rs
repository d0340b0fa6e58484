//! What is stored: tables, and rows as short CBOR arrays.
//!
//! A document is one row, read once and written once by a put; one that hangs on a session
//! says so in a last field, which others do not have. Rows keep the fields of
//! later releases when they are rewritten. `tests/fixtures` holds rows of every released
//! format.

use holdfast_state::{
    Id, LogTime, Table, TableId, TimerId, Version,
    unknown::{Unknown, fields_of},
};
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

use super::{index::path::Path, value::Value};
use crate::ties::Tie;

/// Documents: by collection and id.
#[derive(Debug)]
pub struct Documents;

impl Table for Documents {
    const ID: TableId = TableId(0x0400);
    const NAME: &'static str = "documents.documents";
    type Key<'k> = (&'k str, &'k str);
    type Row = DocumentRow;
}

/// What is known of a collection: its indexes. One that never had any has no row.
#[derive(Debug)]
pub struct Collections;

impl Table for Collections {
    const ID: TableId = TableId(0x0401);
    const NAME: &'static str = "documents.collections";
    type Key<'k> = &'k str;
    type Row = CollectionRow;
}

/// Which documents indexes have: by collection, the index's number, the scalar's bytes,
/// and the document's id. The key says it all.
#[derive(Debug)]
pub struct Entries;

impl Table for Entries {
    const ID: TableId = TableId(0x0402);
    const NAME: &'static str = "documents.index_entries";
    type Key<'k> = (&'k str, u32, &'k [u8], &'k str);
    type Row = ();
}

/// The indexes of a collection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CollectionRow {
    /// The number that the next index gets; no number is given twice.
    pub next: u32,
    /// In the order in which they were created.
    pub indexes: Vec<IndexRow>,
    /// Fields of a later release.
    pub unknown: Unknown,
}

const COLLECTION_FIELDS: u64 = 2;

impl<C> Encode<C> for CollectionRow {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        c: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        self.unknown.begin(e, COLLECTION_FIELDS)?;
        e.u32(self.next)?.encode_with(&self.indexes, c)?;
        self.unknown.end(e)
    }
}

impl<'b, C> Decode<'b, C> for CollectionRow {
    fn decode(d: &mut Decoder<'b>, c: &mut C) -> Result<Self, decode::Error> {
        let fields = fields_of(d)?;
        Ok(Self {
            next: d.u32()?,
            indexes: d.decode_with(c)?,
            unknown: Unknown::read(d, fields, COLLECTION_FIELDS)?,
        })
    }
}

/// An index.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct IndexRow {
    /// What stands for it in the keys of its entries.
    #[n(0)]
    pub number: u32,
    /// Its id.
    #[n(1)]
    pub id: Id,
    /// Where in a document the value is.
    #[n(2)]
    pub path: Path,
    /// How far it is.
    #[n(3)]
    pub phase: Phase,
}

/// How far an index is (P19). Every write keeps it true in both phases.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Phase {
    /// Documents that were there before it are filled in.
    #[n(0)]
    Filling {
        /// The last one that was.
        #[n(0)]
        after: Option<Id>,
    },
    /// It has all of them.
    #[n(1)]
    Ready,
}

/// A document, without its collection and id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentRow {
    /// The transaction that wrote it last: its entity tag.
    pub version: Version,
    /// The transaction that created it; `created_version <= version`.
    pub created_version: Version,
    /// When it was written last.
    pub updated_at: LogTime,
    /// What it says.
    pub value: Value,
    /// The timer that removes it; due when it expires.
    pub expiry: Option<TimerId>,
    /// The session that it hangs on: it goes with it, if not before.
    pub tie: Option<Tie>,
    /// Fields of a later release.
    pub unknown: Unknown,
}

/// With the tie, which is left out where there is none.
const DOCUMENT_FIELDS: u64 = 6;

impl DocumentRow {
    /// When it expires by itself, if it does.
    #[must_use]
    pub fn expires_at(&self) -> Option<LogTime> {
        self.expiry.map(|timer| timer.due)
    }

    /// Is its own time over, whether or not its timer has fired?
    #[must_use]
    pub fn is_expired(&self, now: LogTime) -> bool {
        self.expires_at().is_some_and(|at| at <= now)
    }
}

impl<C> Encode<C> for DocumentRow {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        let tied = self.tie.is_some() || self.unknown != Unknown::default();
        self.unknown.begin(e, DOCUMENT_FIELDS - u64::from(!tied))?;
        e.encode(self.version)?.encode(self.created_version)?.encode(self.updated_at)?;
        e.encode(&self.value)?.encode(self.expiry)?;
        if tied {
            e.encode(&self.tie)?;
        }
        self.unknown.end(e)
    }
}

impl<'b, C> Decode<'b, C> for DocumentRow {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let fields = fields_of(d)?;
        Ok(Self {
            version: d.decode()?,
            created_version: d.decode()?,
            updated_at: d.decode()?,
            value: d.decode()?,
            expiry: d.decode()?,
            tie: if fields < DOCUMENT_FIELDS { None } else { d.decode()? },
            unknown: Unknown::read(d, fields, fields.clamp(DOCUMENT_FIELDS - 1, DOCUMENT_FIELDS))?,
        })
    }
}
