//! `documents.create_index`: documents of a collection can be asked for by a value.
//!
//! Made over few documents it is ready at once; over many it fills while the partition
//! goes on, and cannot be asked before. Creating it again in the same words answers with
//! the index as it is now.

use holdfast_state::{
    Id, Stop, Tx,
    command::{Command, Method, Refusal, RefusalInfo, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    super::{
        refusals::{INDEX_EXISTS, TOO_MANY_INDEXES},
        row::{Collections, IndexRow, Phase},
    },
    INDEXES_MAX, fill_further, indexes_of,
    list::Index,
    path::Path,
};

/// The command.
#[derive(Debug)]
pub struct CreateIndex;

/// Which index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateIndexSpec {
    /// The collection whose documents it has.
    pub collection: Id,
    /// Its id in the collection.
    pub id: Id,
    /// Where in a document the value is.
    pub path: Path,
}

/// The index is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CreateIndexOutcome {
    /// Always the same.
    pub outcome: IndexCreated,
    /// It had been created before, in the same words.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// The collection.
    pub collection: Id,
    /// The index as it is now.
    #[serde(flatten)]
    pub index: Index,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IndexCreated {
    /// The index was created.
    Created,
}

/// Why an index is not created, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum CreateIndexRefusal {
    /// It was created in other words.
    IndexExists {
        /// The collection.
        collection: Id,
        /// The index's id.
        index: Id,
        /// Its path.
        path: Path,
    },
    /// The collection has as many as it may.
    TooManyIndexes {
        /// The collection.
        collection: Id,
        /// How many it may have.
        indexes_max: usize,
    },
}

impl Refusal for CreateIndexRefusal {
    const ALL: &'static [RefusalInfo] = &[INDEX_EXISTS, TOO_MANY_INDEXES];

    fn code(&self) -> &'static str {
        match self {
            Self::IndexExists { .. } => INDEX_EXISTS.code,
            Self::TooManyIndexes { .. } => TOO_MANY_INDEXES.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/id")
    }
}

impl Command for CreateIndex {
    const NAME: &'static str = "documents.create_index";
    const SUMMARY: &'static str = "Creates an index of a collection's documents by a value.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/collections/{collection}/indexes";
    type Spec = CreateIndexSpec;
    type Outcome = CreateIndexOutcome;
    type Refusal = CreateIndexRefusal;
}

impl Write for CreateIndex {
    fn run(
        tx: &mut Tx<'_>,
        spec: &CreateIndexSpec,
    ) -> Result<CreateIndexOutcome, Stop<CreateIndexRefusal>> {
        let mut row = indexes_of(tx, &spec.collection)?;
        let collection = || spec.collection.clone();
        if let Some(index) = row.indexes.iter().find(|index| index.id == spec.id) {
            if index.path != spec.path {
                let (index, path) = (spec.id.clone(), index.path.clone());
                let collection = collection();
                let exists = CreateIndexRefusal::IndexExists { collection, index, path };
                return Err(Stop::Refused(exists));
            }
            return Ok(outcome(spec, index, true));
        }
        if row.indexes.len() >= INDEXES_MAX {
            let (collection, indexes_max) = (collection(), INDEXES_MAX);
            let many = CreateIndexRefusal::TooManyIndexes { collection, indexes_max };
            return Err(Stop::Refused(many));
        }
        let mut index = IndexRow {
            number: row.next,
            id: spec.id.clone(),
            path: spec.path.clone(),
            phase: Phase::Filling { after: None },
        };
        row.next += 1;
        fill_further(tx, &spec.collection, &mut index)?;
        let created = outcome(spec, &index, false);
        row.indexes.push(index);
        tx.put::<Collections>(spec.collection.as_str(), &row)?;
        Ok(created)
    }
}

fn outcome(spec: &CreateIndexSpec, index: &IndexRow, existed: bool) -> CreateIndexOutcome {
    CreateIndexOutcome {
        outcome: IndexCreated::Created,
        existed,
        collection: spec.collection.clone(),
        index: Index::of(index),
    }
}
