//! `documents.patch`: some of what the document says changes (JSON merge patch, RFC 7396).
//!
//! The document must be there: a patch of what is not would be a put by accident. Its end
//! stays where it was unless `expires_in` sets another; an empty patch with it only
//! prolongs a document's life. So it is with the session on which it hangs: it stays the one
//! that it was, unless another is named.

use holdfast_state::{
    Id, IfMatch, Lifetime, Stop, Tx,
    command::{Command, Method, Refusal, RefusalInfo, Write},
    precondition::PRECONDITION_FAILED,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    condition::Unmet,
    get::Document,
    merge::merge,
    place::{Expiry, HangsOn, Place},
    refusals::{DOCUMENT_NOT_FOUND, DOCUMENT_TOO_LARGE},
    value::{BYTES_MAX, Value},
};
use crate::ties::refusal::SESSION_NOT_FOUND;

/// The command.
#[derive(Debug)]
pub struct PatchDocument;

/// Which document, and what changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchDocumentSpec {
    /// Its collection.
    pub collection: Id,
    /// Its id in the collection.
    pub id: Id,
    /// Members to set by name, `null` for those to remove, objects to reach deeper.
    pub patch: Value,
    /// How long it lives from now on; as long as it would have when nothing is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<Lifetime>,
    /// The session on which it hangs from now on; what it hung on before when nothing is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Id>,
    /// Only if it is there, at this version or at any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_match: Option<IfMatch>,
}

/// The document has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PatchDocumentOutcome {
    /// Always the same.
    pub outcome: Patched,
    /// The document as it is now.
    #[serde(flatten)]
    pub document: Document,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Patched {
    /// The document was changed.
    Patched,
}

/// Why nothing was written, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum PatchDocumentRefusal {
    /// A condition does not hold.
    PreconditionFailed(Unmet),
    /// It is not there.
    DocumentNotFound {
        /// The collection.
        collection: Id,
        /// The id.
        id: Id,
    },
    /// The session is not open.
    SessionNotFound {
        /// The session.
        session: Id,
    },
    /// It would be too large.
    DocumentTooLarge {
        /// How large, in bytes.
        bytes: usize,
        /// How large it may be.
        bytes_max: usize,
    },
}

impl Refusal for PatchDocumentRefusal {
    const ALL: &'static [RefusalInfo] =
        &[PRECONDITION_FAILED, DOCUMENT_NOT_FOUND, SESSION_NOT_FOUND, DOCUMENT_TOO_LARGE];

    fn code(&self) -> &'static str {
        match self {
            Self::PreconditionFailed(_) => PRECONDITION_FAILED.code,
            Self::DocumentNotFound { .. } => DOCUMENT_NOT_FOUND.code,
            Self::SessionNotFound { .. } => SESSION_NOT_FOUND.code,
            Self::DocumentTooLarge { .. } => DOCUMENT_TOO_LARGE.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some(match self {
            Self::PreconditionFailed(unmet) => unmet.condition.pointer(),
            Self::DocumentNotFound { .. } => "/id",
            Self::SessionNotFound { .. } => "/session",
            Self::DocumentTooLarge { .. } => "/patch",
        })
    }
}

impl Command for PatchDocument {
    const NAME: &'static str = "documents.patch";
    const SUMMARY: &'static str = "Changes a document in part, by JSON merge patch.";
    const METHOD: Method = Method::Patch;
    const PATH: &'static str = "/v1/collections/{collection}/documents/{id}";
    const CONDITIONAL: bool = true;
    type Spec = PatchDocumentSpec;
    type Outcome = PatchDocumentOutcome;
    type Refusal = PatchDocumentRefusal;
}

impl Write for PatchDocument {
    fn run(
        tx: &mut Tx<'_>,
        spec: &PatchDocumentSpec,
    ) -> Result<PatchDocumentOutcome, Stop<PatchDocumentRefusal>> {
        patch(tx, spec)
    }
}

/// Patches a document. A refusal has written nothing.
///
/// # Errors
/// [`PatchDocumentRefusal`], or an abort.
pub fn patch(
    tx: &mut Tx<'_>,
    spec: &PatchDocumentSpec,
) -> Result<PatchDocumentOutcome, Stop<PatchDocumentRefusal>> {
    let place = Place::look(tx, &spec.collection, &spec.id)?;
    let checked = place.check(spec.if_match, None);
    checked.map_err(|unmet| {
        Stop::Refused(PatchDocumentRefusal::PreconditionFailed(unmet.counted(tx)))
    })?;
    let before = place.document().ok_or_else(|| {
        let (collection, id) = (spec.collection.clone(), spec.id.clone());
        Stop::Refused(PatchDocumentRefusal::DocumentNotFound { collection, id })
    })?;
    let hangs_on = match &spec.session {
        Some(session) => HangsOn::open(tx, session)?.ok_or_else(|| {
            Stop::Refused(PatchDocumentRefusal::SessionNotFound { session: session.clone() })
        })?,
        None => HangsOn::Same,
    };
    let value = Value::composed(merge(&before.value, &spec.patch)).map_err(|bytes| {
        Stop::Refused(PatchDocumentRefusal::DocumentTooLarge { bytes, bytes_max: BYTES_MAX })
    })?;
    let expiry = spec.expires_in.map_or(Expiry::Kept, Expiry::In);
    let row = place.write(tx, value, expiry, hangs_on)?;
    let document = Document::of(&spec.collection, spec.id.clone(), row);
    Ok(PatchDocumentOutcome { outcome: Patched::Patched, document })
}
