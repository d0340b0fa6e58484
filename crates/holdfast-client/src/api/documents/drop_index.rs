//! `documents.drop_index`: Drops an index.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::command::{Command, Kind, Method, encode};

/// Which index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DropIndexSpec {
    /// The collection.
    pub collection: String,
    /// The index's id.
    pub id: String,
}

impl DropIndexSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(collection: impl Into<String>, id: impl Into<String>) -> Self {
        Self { collection: collection.into(), id: id.into() }
    }
}

/// The index is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DropIndexOutcome {
    /// Always the same.
    pub outcome: Dropped,
    /// The collection.
    pub collection: String,
    /// The index's id.
    pub id: String,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Dropped {
    /// The index was dropped.
    Dropped,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for DropIndexSpec {
    type Outcome = DropIndexOutcome;
    const NAME: &'static str = "documents.drop_index";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Delete;

    fn target(&self) -> String {
        format!("/v1/collections/{}/indexes/{}", encode(&self.collection), encode(&self.id))
    }
}
