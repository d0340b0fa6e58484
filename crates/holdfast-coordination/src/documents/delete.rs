//! `documents.delete`: the document is no longer there.
//!
//! Deleting what is not there is refused: whoever means "see that it is gone" reads the
//! refusal as done, and whoever deletes by mistake learns of it. A retry under its
//! idempotency key gets the first answer.

use holdfast_state::{
    Id, IfMatch, Stop, Tx,
    command::{Command, Method, Refusal, RefusalInfo, Write},
    precondition::PRECONDITION_FAILED,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{condition::Unmet, place::Place, refusals::DOCUMENT_NOT_FOUND};

/// The command.
#[derive(Debug)]
pub struct DeleteDocument;

/// Which document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteDocumentSpec {
    /// Its collection.
    pub collection: Id,
    /// Its id in the collection.
    pub id: Id,
    /// Only if it is there, at this version or at any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_match: Option<IfMatch>,
}

/// The document is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DeleteDocumentOutcome {
    /// Always the same.
    pub outcome: Deleted,
    /// Its collection.
    pub collection: Id,
    /// Its id.
    pub id: Id,
    /// The version it was at.
    pub deleted_version: u64,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Deleted {
    /// The document was deleted.
    Deleted,
}

/// Why nothing was deleted, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum DeleteDocumentRefusal {
    /// A condition does not hold.
    PreconditionFailed(Unmet),
    /// It is not there.
    DocumentNotFound {
        /// The collection.
        collection: Id,
        /// The id.
        id: Id,
    },
}

impl Refusal for DeleteDocumentRefusal {
    const ALL: &'static [RefusalInfo] = &[PRECONDITION_FAILED, DOCUMENT_NOT_FOUND];

    fn code(&self) -> &'static str {
        match self {
            Self::PreconditionFailed(_) => PRECONDITION_FAILED.code,
            Self::DocumentNotFound { .. } => DOCUMENT_NOT_FOUND.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some(match self {
            Self::PreconditionFailed(unmet) => unmet.condition.pointer(),
            Self::DocumentNotFound { .. } => "/id",
        })
    }
}

impl Command for DeleteDocument {
    const NAME: &'static str = "documents.delete";
    const SUMMARY: &'static str = "Deletes a document.";
    const METHOD: Method = Method::Delete;
    const PATH: &'static str = "/v1/collections/{collection}/documents/{id}";
    const CONDITIONAL: bool = true;
    type Spec = DeleteDocumentSpec;
    type Outcome = DeleteDocumentOutcome;
    type Refusal = DeleteDocumentRefusal;
}

impl Write for DeleteDocument {
    fn run(
        tx: &mut Tx<'_>,
        spec: &DeleteDocumentSpec,
    ) -> Result<DeleteDocumentOutcome, Stop<DeleteDocumentRefusal>> {
        delete(tx, spec)
    }
}

/// Deletes a document. A refusal has written nothing.
///
/// # Errors
/// [`DeleteDocumentRefusal`], or an abort.
pub fn delete(
    tx: &mut Tx<'_>,
    spec: &DeleteDocumentSpec,
) -> Result<DeleteDocumentOutcome, Stop<DeleteDocumentRefusal>> {
    let (collection, id) = (spec.collection.clone(), spec.id.clone());
    let place = Place::look(tx, &spec.collection, &spec.id)?;
    let checked = place.check(spec.if_match, None);
    checked.map_err(|unmet| {
        Stop::Refused(DeleteDocumentRefusal::PreconditionFailed(unmet.counted(tx)))
    })?;
    let Some(version) = place.document().map(|row| row.version) else {
        return Err(Stop::Refused(DeleteDocumentRefusal::DocumentNotFound { collection, id }));
    };
    place.remove(tx)?;
    Ok(DeleteDocumentOutcome {
        outcome: Deleted::Deleted,
        collection,
        id,
        deleted_version: version.get(),
    })
}
