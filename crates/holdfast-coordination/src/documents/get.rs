//! `documents.get`: a document; and [`Document`], which is how documents are shown.

use holdfast_state::{
    Id, LogTime, Read, Stop,
    command::{Command, Method, Query, Refusal, RefusalInfo},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{place::Place, refusals::DOCUMENT_NOT_FOUND, row::DocumentRow, value::Value};

/// The command.
#[derive(Debug)]
pub struct GetDocument;

/// Which document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetDocumentSpec {
    /// Its collection.
    pub collection: Id,
    /// Its id.
    pub id: Id,
}

/// A document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Document {
    /// Its collection.
    pub collection: Id,
    /// Its id in the collection.
    pub id: Id,
    /// The transaction that wrote it last: its entity tag.
    pub version: u64,
    /// The transaction that created it.
    pub created_version: u64,
    /// When it was written last.
    pub updated_at: LogTime,
    /// When it expires by itself; absent when it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<LogTime>,
    /// The session that it hangs on, and with which it goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Id>,
    /// What it says.
    pub value: Value,
}

impl Document {
    pub(super) fn of(collection: &Id, id: Id, row: DocumentRow) -> Self {
        Self {
            collection: collection.clone(),
            id,
            version: row.version.get(),
            created_version: row.created_version.get(),
            updated_at: row.updated_at,
            expires_at: row.expires_at(),
            session: row.tie.map(|tie| tie.session),
            value: row.value,
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum GetDocumentRefusal {
    /// It is not there.
    DocumentNotFound {
        /// The collection.
        collection: Id,
        /// The id.
        id: Id,
    },
}

impl Refusal for GetDocumentRefusal {
    const ALL: &'static [RefusalInfo] = &[DOCUMENT_NOT_FOUND];

    fn code(&self) -> &'static str {
        match self {
            Self::DocumentNotFound { .. } => DOCUMENT_NOT_FOUND.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/id")
    }
}

impl Command for GetDocument {
    const NAME: &'static str = "documents.get";
    const SUMMARY: &'static str = "Shows a document.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/collections/{collection}/documents/{id}";
    const CONDITIONAL: bool = true;
    type Spec = GetDocumentSpec;
    type Outcome = Document;
    type Refusal = GetDocumentRefusal;
}

impl Query for GetDocument {
    fn run(
        state: &impl Read,
        spec: &GetDocumentSpec,
    ) -> Result<Document, Stop<GetDocumentRefusal>> {
        let GetDocumentSpec { collection, id } = spec;
        let row = Place::look(state, collection, id)?.into_document().ok_or_else(|| {
            let (collection, id) = (collection.clone(), id.clone());
            Stop::Refused(GetDocumentRefusal::DocumentNotFound { collection, id })
        })?;
        Ok(Document::of(collection, id.clone(), row))
    }
}
