//! `limits.put`: Writes a limit: the list of its rules.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::limits::Rule,
    command::{Command, Kind, Method, encode},
};

/// Which limit, and its rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PutLimitSpec {
    /// Its id.
    pub id: String,
    /// Its rules.
    pub rules: Vec<Rule>,
    /// Only if it is there, at this version or at any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_match: Option<crate::IfMatch>,
    /// Only if it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_none_match: Option<crate::IfNoneMatch>,
}

impl PutLimitSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>, rules: Vec<Rule>) -> Self {
        Self { id: id.into(), rules, if_match: None, if_none_match: None }
    }
}

/// The limit has these rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PutLimitOutcome {
    /// Whether there was one before.
    pub outcome: LimitPut,
    /// Its id.
    pub id: String,
    /// Its version now: this transaction.
    pub version: u64,
    /// The transaction that created it.
    pub created_version: u64,
    /// When it was written: now.
    pub updated_at: String,
    /// How many of its rules count on from where they were.
    pub rules_kept: u64,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LimitPut {
    /// There was none.
    Created,
    /// There was one.
    Replaced,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for PutLimitSpec {
    type Outcome = PutLimitOutcome;
    const NAME: &'static str = "limits.put";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Put;

    fn target(&self) -> String {
        format!("/v1/limits/{}", encode(&self.id))
    }
}
