//! `limits.status`: Shows how a request stands, rule by rule, and why.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    api::limits::{OnFailure, Quota, RuleVerdict},
    command::{Command, Kind, Method, Target, encode},
};

/// Which limit, and what would be asked of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LimitStatusSpec {
    /// The limit's id.
    pub id: String,
    /// What it costs; 1 when nothing is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<u64>,
    /// What the request is. In a query, a JSON object.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub descriptors: BTreeMap<String, String>,
}

impl LimitStatusSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), cost: None, descriptors: BTreeMap::new() }
    }
}

/// How it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LimitStatusOutcome {
    /// The limit's id.
    pub id: String,
    /// Which rules it has: the version of the limit.
    pub version: u64,
    /// When this was so.
    pub time: String,
    /// Would it be allowed?
    pub allowed: bool,
    /// The rules that apply, in the limit's order.
    pub rules: Vec<RuleStatus>,
}

/// What was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AcceptedCost {
    /// When.
    pub at: String,
    /// How much, at that very time.
    pub cost: u64,
}

/// How a rule stands, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RuleStatus {
    /// Its name.
    pub rule: String,
    /// What it says of the request.
    pub verdict: RuleVerdict,
    /// What is left of its quota.
    pub remaining: u64,
    /// In how long all of it is there again, in milliseconds, if nothing is charged.
    pub reset_after_ms: u64,
    /// The values by which it counts, as a JSON list.
    pub counter: String,
    /// How much is allowed.
    pub quota: Quota,
    /// What an edge does when it can ask nobody.
    pub on_failure: OnFailure,
    /// Of a sliding log, up to 32 requests that were accepted and count, the latest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<AcceptedCost>,
    /// In how long it has room, in milliseconds, if nothing else is charged meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

impl Command for LimitStatusSpec {
    type Outcome = LimitStatusOutcome;
    const NAME: &'static str = "limits.status";
    const KIND: Kind = Kind::Query;
    const METHOD: Method = Method::Get;

    fn target(&self) -> String {
        Target::at(format!("/v1/limits/{}/status", encode(&self.id)))
            .field("cost", &self.cost)
            .field("descriptors", &self.descriptors)
            .finish()
    }
}
