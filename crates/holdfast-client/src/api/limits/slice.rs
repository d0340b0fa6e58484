//! `limits.slice`: Exchanges the permits that an edge gives away by itself.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    api::limits::OnFailure,
    command::{Command, Kind, Method, encode},
    lifetime::Lifetime,
};

/// Which slice, and how much.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TakeSliceSpec {
    /// The limit's id.
    pub id: String,
    /// The slice: a name that no other edge uses, and that stands for these descriptors.
    pub slice: String,
    /// How long they may be given away; at most a minute.
    pub ttl: Lifetime,
    /// What the requests are that it is for.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub descriptors: BTreeMap<String, String>,
    /// How many permits; nothing is taken when nothing is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permits: Option<u64>,
    /// How many were given away of the slice that is held; more than it has do not count.
    /// Without it, all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<u64>,
}

impl TakeSliceSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>, slice: impl Into<String>, ttl: impl Into<Lifetime>) -> Self {
        Self {
            id: id.into(),
            slice: slice.into(),
            ttl: ttl.into(),
            descriptors: BTreeMap::new(),
            permits: None,
            used: None,
        }
    }
}

/// What the edge holds now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TakeSliceOutcome {
    /// Whether it is anything.
    pub outcome: SliceTaken,
    /// How many permits: as many as were asked for, or fewer.
    pub permits: u64,
    /// What to do when nobody can be asked: `closed` if a rule that applies says so.
    pub on_failure: OnFailure,
    /// When the last of them can be given away, in log time; absent when there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// In how long there is at least one, in milliseconds, if nothing else is charged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SliceTaken {
    /// The edge holds permits.
    Granted,
    /// It holds none: there are none, or it wanted none.
    Empty,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for TakeSliceSpec {
    type Outcome = TakeSliceOutcome;
    const NAME: &'static str = "limits.slice";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        format!("/v1/limits/{}/slices/{}", encode(&self.id), encode(&self.slice))
    }
}
