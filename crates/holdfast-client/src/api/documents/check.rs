//! `documents.check`: Refuses unless a document is at a version, or not there.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::command::{Command, Kind, Method, Target, encode};

/// Which document, and what must hold of it. Without a condition: that it is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckDocumentSpec {
    /// Its collection.
    pub collection: String,
    /// Its id.
    pub id: String,
    /// It is there, at this version or at any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_match: Option<crate::IfMatch>,
    /// It is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_none_match: Option<crate::IfNoneMatch>,
}

impl CheckDocumentSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(collection: impl Into<String>, id: impl Into<String>) -> Self {
        Self { collection: collection.into(), id: id.into(), if_match: None, if_none_match: None }
    }
}

/// It is so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CheckDocumentOutcome {
    /// Always the same.
    pub outcome: Checked,
    /// The document's version; absent when it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

/// What the command found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Checked {
    /// The conditions hold.
    Holds,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for CheckDocumentSpec {
    type Outcome = CheckDocumentOutcome;
    const NAME: &'static str = "documents.check";
    const KIND: Kind = Kind::Query;
    const METHOD: Method = Method::Get;

    fn target(&self) -> String {
        Target::at(format!(
            "/v1/collections/{}/documents/{}/check",
            encode(&self.collection),
            encode(&self.id)
        ))
        .field("if_match", &self.if_match)
        .field("if_none_match", &self.if_none_match)
        .finish()
    }
}
