//! `sessions.open`: Opens a session, which leases and documents can hang on.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    command::{Command, Kind, Method},
    json::Json,
    lifetime::Lifetime,
};

/// Which session, and how long it lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OpenSessionSpec {
    /// How long it is open unless it is renewed.
    pub ttl: Lifetime,
    /// Its id; without one it gets a fresh id that nobody can foresee, and a retry without
    /// an idempotency key would be another session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The owner's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Json>,
    /// Whose it is, for those who look: host and process, say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

impl OpenSessionSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(ttl: impl Into<Lifetime>) -> Self {
        Self { ttl: ttl.into(), id: None, metadata: None, owner: None }
    }
}

/// The session is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OpenSessionOutcome {
    /// Always the same.
    pub outcome: Opened,
    /// Its id.
    pub id: String,
    /// The transaction that opened it.
    pub version: u64,
    /// When it ends unless it is renewed.
    pub expires_at: String,
    /// It was open before, opened in the same words, and stays as it was.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Opened {
    /// The session is open.
    Opened,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for OpenSessionSpec {
    type Outcome = OpenSessionOutcome;
    const NAME: &'static str = "sessions.open";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        "/v1/sessions".to_owned()
    }
}
