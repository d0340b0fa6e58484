//! `documents.list_indexes`: Lists the indexes of a collection and how far they are.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::documents::IndexPhase,
    command::{Command, Kind, Method, encode},
};

/// Of which collection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListIndexesSpec {
    /// The collection.
    pub collection: String,
}

impl ListIndexesSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(collection: impl Into<String>) -> Self {
        Self { collection: collection.into() }
    }
}

/// The indexes of a collection, at most sixteen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Indexes {
    /// In the order in which they were created.
    pub indexes: Vec<Index>,
}

/// An index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Index {
    /// Its id in the collection.
    pub id: String,
    /// Where in a document the value is.
    pub path: String,
    /// Whether it can be asked.
    pub phase: IndexPhase,
    /// The last document that was filled in, while it is filled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filled_to: Option<String>,
}

impl Command for ListIndexesSpec {
    type Outcome = Indexes;
    const NAME: &'static str = "documents.list_indexes";
    const KIND: Kind = Kind::Query;
    const METHOD: Method = Method::Get;

    fn target(&self) -> String {
        format!("/v1/collections/{}/indexes", encode(&self.collection))
    }
}
