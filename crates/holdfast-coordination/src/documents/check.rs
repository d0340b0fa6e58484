//! `documents.check`: a guard. Is the document as the caller believes?
//!
//! In a transaction its refusal refuses everything, so what the other operations do
//! rests on the version that the caller read.

use holdfast_state::{
    Id, IfMatch, IfNoneMatch, Read, Stop, Version,
    command::{Command, Method, Query, Refusal, RefusalInfo},
    precondition::PRECONDITION_FAILED,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{condition::Unmet, place::Place};

/// The command.
#[derive(Debug)]
pub struct CheckDocument;

/// Which document, and what must hold of it. Without a condition: that it is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckDocumentSpec {
    /// Its collection.
    pub collection: Id,
    /// Its id.
    pub id: Id,
    /// It is there, at this version or at any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_match: Option<IfMatch>,
    /// It is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_none_match: Option<IfNoneMatch>,
}

/// It is so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CheckDocumentOutcome {
    /// Always the same.
    pub outcome: Checked,
    /// The document's version; absent when it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

/// What the command found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Checked {
    /// The conditions hold.
    Holds,
}

/// Why it is not so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum CheckDocumentRefusal {
    /// A condition does not hold.
    PreconditionFailed(Unmet),
}

impl Refusal for CheckDocumentRefusal {
    const ALL: &'static [RefusalInfo] = &[PRECONDITION_FAILED];

    fn code(&self) -> &'static str {
        match self {
            Self::PreconditionFailed(_) => PRECONDITION_FAILED.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        let Self::PreconditionFailed(unmet) = self;
        Some(unmet.condition.pointer())
    }
}

impl Command for CheckDocument {
    const NAME: &'static str = "documents.check";
    const SUMMARY: &'static str = "Refuses unless a document is at a version, or not there.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/collections/{collection}/documents/{id}/check";
    type Spec = CheckDocumentSpec;
    type Outcome = CheckDocumentOutcome;
    type Refusal = CheckDocumentRefusal;
}

impl Query for CheckDocument {
    fn run(
        state: &impl Read,
        spec: &CheckDocumentSpec,
    ) -> Result<CheckDocumentOutcome, Stop<CheckDocumentRefusal>> {
        let place = Place::look(state, &spec.collection, &spec.id)?;
        let exists = spec.if_none_match.is_none().then_some(IfMatch::Any);
        let checked = place.check(spec.if_match.or(exists), spec.if_none_match);
        checked.map_err(|unmet| Stop::Refused(CheckDocumentRefusal::PreconditionFailed(unmet)))?;
        let version = place.document().map(|row| row.version).map(Version::get);
        Ok(CheckDocumentOutcome { outcome: Checked::Holds, version })
    }
}
