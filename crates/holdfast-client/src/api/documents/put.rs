//! `documents.put`: Writes a document, whole.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    command::{Command, Kind, Method, encode},
    json::Json,
    lifetime::Lifetime,
};

/// Which document, and what it is to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PutDocumentSpec {
    /// Its collection.
    pub collection: String,
    /// Its id in the collection.
    pub id: String,
    /// What it says.
    pub value: Json,
    /// How long it lives from now on; for ever when nothing is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<Lifetime>,
    /// Only if it is there, at this version or at any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_match: Option<crate::IfMatch>,
    /// Only if it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_none_match: Option<crate::IfNoneMatch>,
    /// The session on which it hangs: it is deleted with the session, if not before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
}

impl PutDocumentSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(collection: impl Into<String>, id: impl Into<String>, value: Json) -> Self {
        Self {
            collection: collection.into(),
            id: id.into(),
            value,
            expires_in: None,
            if_match: None,
            if_none_match: None,
            session: None,
        }
    }
}

/// The document says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PutDocumentOutcome {
    /// Whether there was one before.
    pub outcome: Put,
    /// Its collection.
    pub collection: String,
    /// Its id.
    pub id: String,
    /// Its version now: this transaction.
    pub version: u64,
    /// The transaction that created it.
    pub created_version: u64,
    /// When it was written: now.
    pub updated_at: String,
    /// When it expires by itself; absent when it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// The session that it hangs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Put {
    /// There was none.
    Created,
    /// There was one.
    Replaced,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for PutDocumentSpec {
    type Outcome = PutDocumentOutcome;
    const NAME: &'static str = "documents.put";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Put;

    fn target(&self) -> String {
        format!("/v1/collections/{}/documents/{}", encode(&self.collection), encode(&self.id))
    }
}
