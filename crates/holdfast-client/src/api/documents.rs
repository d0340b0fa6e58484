//! Commands of `documents`.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

mod check;
mod create_index;
mod delete;
mod drop_index;
mod get;
mod list;
mod list_indexes;
mod patch;
mod put;
mod query;

use serde::{Deserialize, Serialize};

use crate::json::Json;

pub use check::{CheckDocumentOutcome, CheckDocumentSpec, Checked};
pub use create_index::{CreateIndexOutcome, CreateIndexSpec, IndexCreated};
pub use delete::{DeleteDocumentOutcome, DeleteDocumentSpec, Deleted};
pub use drop_index::{DropIndexOutcome, DropIndexSpec, Dropped};
pub use get::GetDocumentSpec;
pub use list::{DocumentsPage, ListDocumentsSpec};
pub use list_indexes::{Index, Indexes, ListIndexesSpec};
pub use patch::{PatchDocumentOutcome, PatchDocumentSpec, Patched};
pub use put::{Put, PutDocumentOutcome, PutDocumentSpec};
pub use query::{QueryDocumentsSpec, QueryPage};

/// A document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Document {
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

/// How far an index is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum IndexPhase {
    /// Documents that were there before it are filled in.
    Filling,
    /// It has all documents, and can be asked.
    Ready,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}
