//! `documents.query`: Shows the documents that an index has in a range.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::documents::Document,
    command::{Command, Kind, Method, encode},
    json::Json,
};

/// Which documents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QueryDocumentsSpec {
    /// Their collection.
    pub collection: String,
    /// By which index.
    pub index: String,
    /// `next` of the page before; absent for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Only those with this value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub equals: Option<Json>,
    /// Only those with a value of this kind, from this one on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Json>,
    /// How many documents at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Only those with a text that begins so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Only those with a value of this kind, before this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Json>,
}

impl QueryDocumentsSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(collection: impl Into<String>, index: impl Into<String>) -> Self {
        Self {
            collection: collection.into(),
            index: index.into(),
            cursor: None,
            equals: None,
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
pub struct QueryPage {
    /// The documents.
    pub documents: Vec<Document>,
    /// Cursor of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl Command for QueryDocumentsSpec {
    type Outcome = QueryPage;
    const NAME: &'static str = "documents.query";
    const KIND: Kind = Kind::Query;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        format!("/v1/collections/{}/query", encode(&self.collection))
    }
}
