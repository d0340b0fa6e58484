//! `documents.get`: Shows a document.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::Serialize;

use crate::{
    api::documents::Document,
    command::{Command, Kind, Method, encode},
};

/// Which document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GetDocumentSpec {
    /// Its collection.
    pub collection: String,
    /// Its id.
    pub id: String,
}

impl GetDocumentSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(collection: impl Into<String>, id: impl Into<String>) -> Self {
        Self { collection: collection.into(), id: id.into() }
    }
}

impl Command for GetDocumentSpec {
    type Outcome = Document;
    const NAME: &'static str = "documents.get";
    const KIND: Kind = Kind::Query;
    const METHOD: Method = Method::Get;

    fn target(&self) -> String {
        format!("/v1/collections/{}/documents/{}", encode(&self.collection), encode(&self.id))
    }
}
