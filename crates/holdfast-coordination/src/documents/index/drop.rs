//! `documents.drop_index`: documents can no longer be asked for by a value.
//!
//! Its entries go in one fact, however many they are. An index of the same name that is
//! created later is another one.

use holdfast_state::{
    Id, Stop, Tx,
    command::{Command, Method, Refusal, RefusalInfo, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    super::{
        refusals::INDEX_NOT_FOUND,
        row::{Collections, Entries},
    },
    indexes_of,
};

/// The command.
#[derive(Debug)]
pub struct DropIndex;

/// Which index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DropIndexSpec {
    /// The collection.
    pub collection: Id,
    /// The index's id.
    pub id: Id,
}

/// The index is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DropIndexOutcome {
    /// Always the same.
    pub outcome: Dropped,
    /// The collection.
    pub collection: Id,
    /// The index's id.
    pub id: Id,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dropped {
    /// The index was dropped.
    Dropped,
}

/// Why nothing was dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum DropIndexRefusal {
    /// The collection has no such index.
    IndexNotFound {
        /// The collection.
        collection: Id,
        /// The index's id.
        index: Id,
    },
}

impl Refusal for DropIndexRefusal {
    const ALL: &'static [RefusalInfo] = &[INDEX_NOT_FOUND];

    fn code(&self) -> &'static str {
        match self {
            Self::IndexNotFound { .. } => INDEX_NOT_FOUND.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/id")
    }
}

impl Command for DropIndex {
    const NAME: &'static str = "documents.drop_index";
    const SUMMARY: &'static str = "Drops an index.";
    const METHOD: Method = Method::Delete;
    const PATH: &'static str = "/v1/collections/{collection}/indexes/{id}";
    type Spec = DropIndexSpec;
    type Outcome = DropIndexOutcome;
    type Refusal = DropIndexRefusal;
}

impl Write for DropIndex {
    fn run(
        tx: &mut Tx<'_>,
        spec: &DropIndexSpec,
    ) -> Result<DropIndexOutcome, Stop<DropIndexRefusal>> {
        let (collection, id) = (spec.collection.clone(), spec.id.clone());
        let mut row = indexes_of(tx, &collection)?;
        let Some(place) = row.indexes.iter().position(|index| index.id == id) else {
            return Err(Stop::Refused(DropIndexRefusal::IndexNotFound { collection, index: id }));
        };
        let dropped = row.indexes.remove(place);
        tx.delete_prefix::<Entries>(&(collection.as_str(), dropped.number))?;
        // The row stays, and with it the number that the next index gets: what fills the
        // dropped one may still be on its way.
        tx.put::<Collections>(collection.as_str(), &row)?;
        Ok(DropIndexOutcome { outcome: Dropped::Dropped, collection, id })
    }
}
