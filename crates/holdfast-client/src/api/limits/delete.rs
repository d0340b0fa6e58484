//! `limits.delete`: Deletes a limit and all that it counted.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::command::{Command, Kind, Method, Target, encode};

/// Which limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeleteLimitSpec {
    /// Its id.
    pub id: String,
    /// Only if it is there, at this version or at any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_match: Option<crate::IfMatch>,
}

impl DeleteLimitSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), if_match: None }
    }
}

/// The limit is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DeleteLimitOutcome {
    /// Always the same.
    pub outcome: LimitDeleted,
    /// Its id.
    pub id: String,
    /// The version it was at.
    pub deleted_version: u64,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LimitDeleted {
    /// The limit was deleted.
    Deleted,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for DeleteLimitSpec {
    type Outcome = DeleteLimitOutcome;
    const NAME: &'static str = "limits.delete";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Delete;

    fn target(&self) -> String {
        Target::at(format!("/v1/limits/{}", encode(&self.id)))
            .field("if_match", &self.if_match)
            .finish()
    }
}
