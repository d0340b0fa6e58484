//! `documents.list_indexes`: the indexes of a collection; and [`Index`], which is how
//! indexes are shown.

use holdfast_state::{
    Id, Read, Stop,
    command::{Command, Method, Never, Query},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    super::row::{IndexRow, Phase},
    indexes_of,
    path::Path,
};

/// The command.
#[derive(Debug)]
pub struct ListIndexes;

/// Of which collection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListIndexesSpec {
    /// The collection.
    pub collection: Id,
}

/// The indexes of a collection, at most sixteen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Indexes {
    /// In the order in which they were created.
    pub indexes: Vec<Index>,
}

/// An index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Index {
    /// Its id in the collection.
    pub id: Id,
    /// Where in a document the value is.
    pub path: Path,
    /// Whether it can be asked.
    pub phase: IndexPhase,
    /// The last document that was filled in, while it is filled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filled_to: Option<Id>,
}

/// How far an index is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IndexPhase {
    /// Documents that were there before it are filled in.
    Filling,
    /// It has all documents, and can be asked.
    Ready,
}

impl Index {
    pub(super) fn of(row: &IndexRow) -> Self {
        let (phase, filled_to) = match &row.phase {
            Phase::Filling { after } => (IndexPhase::Filling, after.clone()),
            Phase::Ready => (IndexPhase::Ready, None),
        };
        Self { id: row.id.clone(), path: row.path.clone(), phase, filled_to }
    }
}

impl Command for ListIndexes {
    const NAME: &'static str = "documents.list_indexes";
    const SUMMARY: &'static str = "Lists the indexes of a collection and how far they are.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/collections/{collection}/indexes";
    type Spec = ListIndexesSpec;
    type Outcome = Indexes;
    type Refusal = Never;
}

impl Query for ListIndexes {
    fn run(state: &impl Read, spec: &ListIndexesSpec) -> Result<Indexes, Stop<Never>> {
        let row = indexes_of(state, &spec.collection)?;
        Ok(Indexes { indexes: row.indexes.iter().map(Index::of).collect() })
    }
}
