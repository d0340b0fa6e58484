//! `sessions.renew`: Prolongs a session and all that hangs on it.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    command::{Command, Kind, Method, encode},
    lifetime::Lifetime,
};

/// Which session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RenewSessionSpec {
    /// Its id.
    pub id: String,
    /// How long it is open from now on, and with later renewals; as before when nothing is
    /// given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Lifetime>,
    /// The transaction that opened it: only that session, and none that has had its id
    /// since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

impl RenewSessionSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), ttl: None, version: None }
    }
}

/// The session counts for longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RenewSessionOutcome {
    /// Always the same.
    pub outcome: Renewed,
    /// Its id.
    pub id: String,
    /// The transaction that opened it.
    pub version: u64,
    /// When it ends unless it is renewed again.
    pub expires_at: String,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Renewed {
    /// The session has its whole time again.
    Renewed,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for RenewSessionSpec {
    type Outcome = RenewSessionOutcome;
    const NAME: &'static str = "sessions.renew";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        format!("/v1/sessions/{}/renew", encode(&self.id))
    }
}
