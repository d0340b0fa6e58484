//! `limits.check`: Says whether a request may go on, and charges it if so.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    api::limits::{LimitFields, RuleStanding},
    command::{Command, Kind, Method, encode},
};

/// Which limit, and what is asked of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckLimitSpec {
    /// The limit's id.
    pub id: String,
    /// What it costs; 1 when nothing is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<u64>,
    /// What the request is.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub descriptors: BTreeMap<String, String>,
    /// Nothing is charged, whatever the answer.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// Who holds what it takes of limits of concurrency: a name that no other request has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
}

impl CheckLimitSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            cost: None,
            descriptors: BTreeMap::new(),
            dry_run: false,
            holder: None,
        }
    }
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CheckLimitOutcome {
    /// May it go on?
    pub outcome: CheckedLimit,
    /// The rules that apply, in the limit's order.
    pub rules: Vec<RuleStanding>,
    /// Header fields for the request's own answer.
    pub fields: LimitFields,
    /// Nothing was charged: it was only asked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// In how long it may, in milliseconds, if nothing else is charged meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

/// What the command found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CheckedLimit {
    /// Every rule that applies has room for it, and was charged.
    Allowed,
    /// A rule has no room; none was charged.
    Denied,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for CheckLimitSpec {
    type Outcome = CheckLimitOutcome;
    const NAME: &'static str = "limits.check";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        format!("/v1/limits/{}/check", encode(&self.id))
    }
}
