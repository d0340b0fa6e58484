//! `documents.put`: this is what the document says now, whatever it said.
//!
//! It creates the document where there is none; `if_none_match` allows only that, and
//! `if_match` only the other. A document that is put without `expires_in` stays, also if
//! the one before had an end; put without `session`, it hangs on none, also if the one
//! before did. What hangs on a session cannot outlive it. It reads one row and writes one;
//! an end is one more, and so is a session.

use holdfast_state::{
    Id, IfMatch, IfNoneMatch, Lifetime, LogTime, Stop, Tx,
    command::{Command, Method, Refusal, RefusalInfo, Write},
    precondition::PRECONDITION_FAILED,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    condition::Unmet,
    place::{Expiry, HangsOn, Place},
    value::Value,
};
use crate::ties::refusal::SESSION_NOT_FOUND;

/// The command.
#[derive(Debug)]
pub struct PutDocument;

/// Which document, and what it is to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PutDocumentSpec {
    /// Its collection.
    pub collection: Id,
    /// Its id in the collection.
    pub id: Id,
    /// What it says.
    pub value: Value,
    /// How long it lives from now on; for ever when nothing is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<Lifetime>,
    /// The session on which it hangs: it is deleted with the session, if not before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Id>,
    /// Only if it is there, at this version or at any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_match: Option<IfMatch>,
    /// Only if it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_none_match: Option<IfNoneMatch>,
}

/// The document says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PutDocumentOutcome {
    /// Whether there was one before.
    pub outcome: Put,
    /// Its collection.
    pub collection: Id,
    /// Its id.
    pub id: Id,
    /// Its version now: this transaction.
    pub version: u64,
    /// The transaction that created it.
    pub created_version: u64,
    /// When it was written: now.
    pub updated_at: LogTime,
    /// When it expires by itself; absent when it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<LogTime>,
    /// The session that it hangs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Id>,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Put {
    /// There was none.
    Created,
    /// There was one.
    Replaced,
}

/// Why nothing was written, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum PutDocumentRefusal {
    /// A condition does not hold.
    PreconditionFailed(Unmet),
    /// The session is not open.
    SessionNotFound {
        /// The session.
        session: Id,
    },
}

impl Refusal for PutDocumentRefusal {
    const ALL: &'static [RefusalInfo] = &[PRECONDITION_FAILED, SESSION_NOT_FOUND];

    fn code(&self) -> &'static str {
        match self {
            Self::PreconditionFailed(_) => PRECONDITION_FAILED.code,
            Self::SessionNotFound { .. } => SESSION_NOT_FOUND.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some(match self {
            Self::PreconditionFailed(unmet) => unmet.condition.pointer(),
            Self::SessionNotFound { .. } => "/session",
        })
    }
}

impl Command for PutDocument {
    const NAME: &'static str = "documents.put";
    const SUMMARY: &'static str = "Writes a document, whole.";
    const METHOD: Method = Method::Put;
    const PATH: &'static str = "/v1/collections/{collection}/documents/{id}";
    const CONDITIONAL: bool = true;
    type Spec = PutDocumentSpec;
    type Outcome = PutDocumentOutcome;
    type Refusal = PutDocumentRefusal;
}

impl Write for PutDocument {
    fn run(
        tx: &mut Tx<'_>,
        spec: &PutDocumentSpec,
    ) -> Result<PutDocumentOutcome, Stop<PutDocumentRefusal>> {
        put(tx, spec)
    }
}

/// Writes a document. A refusal has written nothing.
///
/// # Errors
/// [`PutDocumentRefusal`], or an abort.
pub fn put(
    tx: &mut Tx<'_>,
    spec: &PutDocumentSpec,
) -> Result<PutDocumentOutcome, Stop<PutDocumentRefusal>> {
    let place = Place::look(tx, &spec.collection, &spec.id)?;
    let checked = place.check(spec.if_match, spec.if_none_match);
    checked.map_err(|unmet| {
        Stop::Refused(PutDocumentRefusal::PreconditionFailed(unmet.counted(tx)))
    })?;
    let outcome = if place.document().is_some() { Put::Replaced } else { Put::Created };
    let expiry = spec.expires_in.map_or(Expiry::Never, Expiry::In);
    let hangs_on = hangs_on(tx, spec)?;
    let row = place.write(tx, spec.value.clone(), expiry, hangs_on)?;
    Ok(PutDocumentOutcome {
        outcome,
        collection: spec.collection.clone(),
        id: spec.id.clone(),
        version: row.version.get(),
        created_version: row.created_version.get(),
        updated_at: row.updated_at,
        expires_at: row.expires_at(),
        session: row.tie.map(|tie| tie.session),
    })
}

fn hangs_on(tx: &Tx<'_>, spec: &PutDocumentSpec) -> Result<HangsOn, Stop<PutDocumentRefusal>> {
    let Some(session) = &spec.session else { return Ok(HangsOn::Nothing) };
    HangsOn::open(tx, session)?.ok_or_else(|| {
        Stop::Refused(PutDocumentRefusal::SessionNotFound { session: session.clone() })
    })
}
