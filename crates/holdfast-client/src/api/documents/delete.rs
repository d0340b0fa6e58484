//! `documents.delete`: Deletes a document.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::command::{Command, Kind, Method, Target, encode};

/// Which document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeleteDocumentSpec {
    /// Its collection.
    pub collection: String,
    /// Its id in the collection.
    pub id: String,
    /// Only if it is there, at this version or at any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_match: Option<crate::IfMatch>,
}

impl DeleteDocumentSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(collection: impl Into<String>, id: impl Into<String>) -> Self {
        Self { collection: collection.into(), id: id.into(), if_match: None }
    }
}

/// The document is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DeleteDocumentOutcome {
    /// Always the same.
    pub outcome: Deleted,
    /// Its collection.
    pub collection: String,
    /// Its id.
    pub id: String,
    /// The version it was at.
    pub deleted_version: u64,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Deleted {
    /// The document was deleted.
    Deleted,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for DeleteDocumentSpec {
    type Outcome = DeleteDocumentOutcome;
    const NAME: &'static str = "documents.delete";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Delete;

    fn target(&self) -> String {
        Target::at(format!(
            "/v1/collections/{}/documents/{}",
            encode(&self.collection),
            encode(&self.id)
        ))
        .field("if_match", &self.if_match)
        .finish()
    }
}
