//! `limits.renew`: Prolongs what a holder has of limits of concurrency.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::command::{Command, Kind, Method, encode};

/// Who holds what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RenewHolderSpec {
    /// The limit's id.
    pub id: String,
    /// Who holds it.
    pub holder: String,
    /// What the request was.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub descriptors: BTreeMap<String, String>,
}

impl RenewHolderSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>, holder: impl Into<String>) -> Self {
        Self { id: id.into(), holder: holder.into(), descriptors: BTreeMap::new() }
    }
}

/// It is held for longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RenewHolderOutcome {
    /// Always the same.
    pub outcome: HolderRenewed,
    /// The rules under which it is held.
    pub rules: Vec<HeldRule>,
}

/// A rule under which something is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HeldRule {
    /// Its name.
    pub rule: String,
    /// Until when, unless it is renewed again.
    pub expires_at: String,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HolderRenewed {
    /// It is held for its whole time again.
    Renewed,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for RenewHolderSpec {
    type Outcome = RenewHolderOutcome;
    const NAME: &'static str = "limits.renew";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        format!("/v1/limits/{}/renew", encode(&self.id))
    }
}
