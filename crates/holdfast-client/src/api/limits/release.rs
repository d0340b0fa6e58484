//! `limits.release`: Gives back what a holder has of limits of concurrency.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::command::{Command, Kind, Method, encode};

/// Who holds what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReleaseHolderSpec {
    /// The limit's id.
    pub id: String,
    /// Who holds it.
    pub holder: String,
    /// What the request was.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub descriptors: BTreeMap<String, String>,
}

impl ReleaseHolderSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>, holder: impl Into<String>) -> Self {
        Self { id: id.into(), holder: holder.into(), descriptors: BTreeMap::new() }
    }
}

/// It is free.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReleaseHolderOutcome {
    /// Always the same.
    pub outcome: HolderReleased,
    /// The rules under which it was held.
    pub rules: Vec<String>,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HolderReleased {
    /// What was held is free.
    Released,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for ReleaseHolderSpec {
    type Outcome = ReleaseHolderOutcome;
    const NAME: &'static str = "limits.release";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        format!("/v1/limits/{}/release", encode(&self.id))
    }
}
