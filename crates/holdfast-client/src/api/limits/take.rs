//! `limits.take`: Charges a request, or refuses when it may not go on.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    api::limits::{LimitFields, RuleStanding},
    command::{Command, Kind, Method, encode},
};

/// Which limit, and what is taken of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TakeLimitSpec {
    /// The limit's id.
    pub id: String,
    /// What it costs; 1 when nothing is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<u64>,
    /// What the request is.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub descriptors: BTreeMap<String, String>,
    /// Who holds what it takes of limits of concurrency: a name that no other request has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
}

impl TakeLimitSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), cost: None, descriptors: BTreeMap::new(), holder: None }
    }
}

/// It was charged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TakeLimitOutcome {
    /// Always the same.
    pub outcome: TakenLimit,
    /// The rules that apply, in the limit's order.
    pub rules: Vec<RuleStanding>,
    /// Header fields for the request's own answer.
    pub fields: LimitFields,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TakenLimit {
    /// Every rule that applies was charged.
    Taken,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for TakeLimitSpec {
    type Outcome = TakeLimitOutcome;
    const NAME: &'static str = "limits.take";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        format!("/v1/limits/{}/take", encode(&self.id))
    }
}
