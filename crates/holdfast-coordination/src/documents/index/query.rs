//! `documents.query`: the documents that an index has in a range, in the order of the
//! value, then of the id, page by page.
//!
//! Bounds may be combined; what they all allow is shown. A page ends at its limit or with
//! the document that brings it to 1 MiB.

use std::{borrow::Cow, fmt};

use holdfast_state::{
    Abort, Id, Read, Scan, Stop, StoreError,
    command::{Command, Method, Query, Refusal, RefusalInfo},
    page::{PageSize, bad_key},
    table::Found,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{
    super::{
        get::Document,
        list::PAGE_BYTES,
        place::is_over,
        refusals::{INDEX_FILLING, INDEX_NOT_FOUND},
        row::{DocumentRow, Documents, Entries, IndexRow, Phase},
    },
    indexes_of,
    scalar::{Scalar, Span},
};
use crate::ties::Known;

/// Places read at once.
const PLACES_AT_ONCE: usize = 128;

/// The command.
#[derive(Debug)]
pub struct QueryDocuments;

/// Which documents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryDocumentsSpec {
    /// Their collection.
    pub collection: Id,
    /// By which index.
    pub index: Id,
    /// Only those with this value.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub equals: Option<Scalar>,
    /// Only those with a value of this kind, from this one on.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub from: Option<Scalar>,
    /// Only those with a value of this kind, before this one.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub to: Option<Scalar>,
    /// Only those with a text that begins so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// `next` of the page before; absent for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<QueryCursor>,
    /// How many documents at most.
    #[serde(default)]
    pub limit: PageSize,
}

/// A scalar that is given, be it `null`.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Scalar>, D::Error> {
    Scalar::deserialize(deserializer).map(Some)
}

impl QueryDocumentsSpec {
    fn span(&self) -> Span {
        let span = Span::all();
        let span = self.equals.iter().fold(span, Span::equal);
        let span = self.from.iter().fold(span, Span::from);
        let span = self.to.iter().fold(span, Span::below);
        self.prefix.iter().fold(span, |span, prefix| span.beginning(prefix))
    }
}

/// A place in an index: where the last page ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryCursor {
    scalar: Vec<u8>,
    id: Id,
}

impl fmt::Display for QueryCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.scalar.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        write!(f, "~{}", self.id)
    }
}

impl Serialize for QueryCursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for QueryCursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'_, str>::deserialize(deserializer)?;
        let read = || {
            let (hex, id) = text.split_once('~')?;
            let pairs = hex.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).ok());
            let scalar: Option<Vec<u8>> =
                pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect();
            Some(Self { scalar: scalar?, id: Id::new(id).ok()? })
        };
        read().ok_or_else(|| de::Error::custom("not the `next` of a page"))
    }
}

impl JsonSchema for QueryCursor {
    fn schema_name() -> Cow<'static, str> {
        "QueryCursor".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "`next` of the page before." })
    }
}

/// A page of documents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct QueryPage {
    /// The documents.
    pub documents: Vec<Document>,
    /// Cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<QueryCursor>,
}

/// Why there is no answer, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum QueryDocumentsRefusal {
    /// The collection has no such index.
    IndexNotFound {
        /// The collection.
        collection: Id,
        /// The index's id.
        index: Id,
    },
    /// It does not have all documents yet.
    IndexFilling {
        /// The collection.
        collection: Id,
        /// The index's id.
        index: Id,
        /// The last document that was filled in.
        #[serde(skip_serializing_if = "Option::is_none")]
        filled_to: Option<Id>,
    },
}

impl Refusal for QueryDocumentsRefusal {
    const ALL: &'static [RefusalInfo] = &[INDEX_NOT_FOUND, INDEX_FILLING];

    fn code(&self) -> &'static str {
        match self {
            Self::IndexNotFound { .. } => INDEX_NOT_FOUND.code,
            Self::IndexFilling { .. } => INDEX_FILLING.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/index")
    }
}

impl Command for QueryDocuments {
    const NAME: &'static str = "documents.query";
    const SUMMARY: &'static str = "Shows the documents that an index has in a range.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/collections/{collection}/query";
    type Spec = QueryDocumentsSpec;
    type Outcome = QueryPage;
    type Refusal = QueryDocumentsRefusal;
}

impl Query for QueryDocuments {
    fn run(
        state: &impl Read,
        spec: &QueryDocumentsSpec,
    ) -> Result<QueryPage, Stop<QueryDocumentsRefusal>> {
        let number = ready(state, spec)?;
        let span = spec.span();
        let mut page = QueryPage { documents: Vec::new(), next: None };
        let (mut after, mut bytes, mut known) = (spec.cursor.clone(), 0, Known::default());
        loop {
            let places = places(state, &spec.collection, number, &span, after.as_ref())?;
            let whole = places.len() == PLACES_AT_ONCE;
            for place in places {
                if let Some(row) = document(state, &mut known, spec, &place.id)? {
                    if page.documents.len() == spec.limit.rows() || bytes >= PAGE_BYTES {
                        page.next = after;
                        return Ok(page);
                    }
                    bytes += row.value.as_str().len();
                    page.documents.push(Document::of(&spec.collection, place.id.clone(), row));
                }
                after = Some(place);
            }
            if !whole {
                return Ok(page);
            }
        }
    }
}

/// The number of the index, which can be asked.
fn ready(state: &impl Read, spec: &QueryDocumentsSpec) -> Result<u32, Stop<QueryDocumentsRefusal>> {
    let row = indexes_of(state, &spec.collection)?;
    let (collection, index) = (spec.collection.clone(), spec.index.clone());
    match row.indexes.into_iter().find(|index| index.id == spec.index) {
        None => Err(Stop::Refused(QueryDocumentsRefusal::IndexNotFound { collection, index })),
        Some(IndexRow { number, phase: Phase::Ready, .. }) => Ok(number),
        Some(IndexRow { phase: Phase::Filling { after }, .. }) => {
            let filled_to = after;
            let filling = QueryDocumentsRefusal::IndexFilling { collection, index, filled_to };
            Err(Stop::Refused(filling))
        }
    }
}

/// The next places of a span, behind one of them or from its beginning.
fn places(
    state: &impl Read,
    collection: &Id,
    number: u32,
    span: &Span,
    after: Option<&QueryCursor>,
) -> Result<Vec<QueryCursor>, Abort> {
    let (scan, collection) = (Scan::up(PLACES_AT_ONCE), collection.as_str());
    let after = after.filter(|after| after.scalar >= span.from);
    let first = after.map_or(&span.from, |after| &after.scalar);
    if *first >= span.to {
        return Ok(Vec::new());
    }
    let behind = after.map(|after| format!("{}\0", after.id)).unwrap_or_default();
    let (from, to) =
        ((collection, number, &first[..], &*behind), (collection, number, &span.to[..]));
    let found = match after {
        Some(_) => state.range::<Entries>(&from, &to, scan)?,
        None => state.range::<Entries>(&(from.0, from.1, from.2), &to, scan)?,
    };
    let place = |found: Found<()>| {
        let mut key = found.key();
        let parts = key.str().and_then(|_| key.u32());
        let parts = parts.and_then(|_| Ok((key.bytes()?, key.id()?)));
        let (scalar, id) = parts.map_err(|_| bad_key::<Entries>())?;
        Ok(QueryCursor { scalar, id })
    };
    found.into_iter().map(place).collect()
}

/// The document that an index has, unless its time or session is over.
fn document(
    state: &impl Read,
    known: &mut Known,
    spec: &QueryDocumentsSpec,
    id: &Id,
) -> Result<Option<DocumentRow>, Abort> {
    let key = (spec.collection.as_str(), id.as_str());
    let row = state.get::<Documents>(key)?.ok_or_else(|| StoreError::Doubt {
        what: format!("index {} of {} has {id}, which is not there", spec.index, spec.collection),
    })?;
    Ok(if is_over(state, known, &row)? { None } else { Some(row) })
}
