//! `documents.create_index`: Creates an index of a collection's documents by a value.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::documents::IndexPhase,
    command::{Command, Kind, Method, encode},
};

/// Which index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CreateIndexSpec {
    /// The collection whose documents it has.
    pub collection: String,
    /// Its id in the collection.
    pub id: String,
    /// Where in a document the value is.
    pub path: String,
}

impl CreateIndexSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(
        collection: impl Into<String>,
        id: impl Into<String>,
        path: impl Into<String>,
    ) -> Self {
        Self { collection: collection.into(), id: id.into(), path: path.into() }
    }
}

/// The index is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CreateIndexOutcome {
    /// Always the same.
    pub outcome: IndexCreated,
    /// The collection.
    pub collection: String,
    /// Its id in the collection.
    pub id: String,
    /// Where in a document the value is.
    pub path: String,
    /// Whether it can be asked.
    pub phase: IndexPhase,
    /// It had been created before, in the same words.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// The last document that was filled in, while it is filled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filled_to: Option<String>,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum IndexCreated {
    /// The index was created.
    Created,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for CreateIndexSpec {
    type Outcome = CreateIndexOutcome;
    const NAME: &'static str = "documents.create_index";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        format!("/v1/collections/{}/indexes", encode(&self.collection))
    }
}
