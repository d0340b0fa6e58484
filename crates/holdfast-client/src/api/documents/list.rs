//! `documents.list`: Lists the documents of a collection in the order of their ids.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::documents::Document,
    command::{Command, Kind, Method, Target, encode},
};

/// Which documents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListDocumentsSpec {
    /// Their collection.
    pub collection: String,
    /// `next` of the page before; absent for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Only from this id on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// How many documents at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Only those whose ids begin so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Only those before this id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

impl ListDocumentsSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(collection: impl Into<String>) -> Self {
        Self {
            collection: collection.into(),
            cursor: None,
            from: None,
            limit: None,
            prefix: None,
            to: None,
        }
    }
}

/// A page of documents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DocumentsPage {
    /// The documents.
    pub documents: Vec<Document>,
    /// Cursor of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl Command for ListDocumentsSpec {
    type Outcome = DocumentsPage;
    const NAME: &'static str = "documents.list";
    const KIND: Kind = Kind::Query;
    const METHOD: Method = Method::Get;

    fn target(&self) -> String {
        Target::at(format!("/v1/collections/{}/documents", encode(&self.collection)))
            .field("cursor", &self.cursor)
            .field("from", &self.from)
            .field("limit", &self.limit)
            .field("prefix", &self.prefix)
            .field("to", &self.to)
            .finish()
    }
}
