//! `documents.patch`: Changes a document in part, by JSON merge patch.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    command::{Command, Kind, Method, encode},
    json::Json,
    lifetime::Lifetime,
};

/// Which document, and what changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PatchDocumentSpec {
    /// Its collection.
    pub collection: String,
    /// Its id in the collection.
    pub id: String,
    /// Members to set by name, `null` for those to remove, objects to reach deeper.
    pub patch: Json,
    /// How long it lives from now on; as long as it would have when nothing is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<Lifetime>,
    /// Only if it is there, at this version or at any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_match: Option<crate::IfMatch>,
    /// The session on which it hangs from now on; what it hung on before when nothing is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
}

impl PatchDocumentSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(collection: impl Into<String>, id: impl Into<String>, patch: Json) -> Self {
        Self {
            collection: collection.into(),
            id: id.into(),
            patch,
            expires_in: None,
            if_match: None,
            session: None,
        }
    }
}

/// The document has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PatchDocumentOutcome {
    /// Always the same.
    pub outcome: Patched,
    /// Its collection.
    pub collection: String,
    /// Its id in the collection.
    pub id: String,
    /// The transaction that wrote it last: its entity tag.
    pub version: u64,
    /// The transaction that created it.
    pub created_version: u64,
    /// When it was written last.
    pub updated_at: String,
    /// What it says.
    pub value: Json,
    /// When it expires by itself; absent when it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// The session that it hangs on, and with which it goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Patched {
    /// The document was changed.
    Patched,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for PatchDocumentSpec {
    type Outcome = PatchDocumentOutcome;
    const NAME: &'static str = "documents.patch";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Patch;

    fn target(&self) -> String {
        format!("/v1/collections/{}/documents/{}", encode(&self.collection), encode(&self.id))
    }
}
