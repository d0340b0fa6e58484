//! `ledger.void_pending`: Takes a pending transfer back.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::ledger::Status,
    command::{Command, Kind, Method, encode},
    json::Json,
};

/// Which transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VoidPendingSpec {
    /// Its id.
    pub id: String,
}

impl VoidPendingSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into() }
    }
}

/// The transfer is voided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct VoidPendingOutcome {
    /// Always the same.
    pub outcome: Voided,
    /// Its id.
    pub id: String,
    /// The account it takes from.
    pub debit_account: String,
    /// The account it gives to.
    pub credit_account: String,
    /// What it was made over, in minor units.
    pub amount: i64,
    /// The asset of both accounts.
    pub asset: String,
    /// Where it stands.
    pub status: Status,
    /// The transaction that made it.
    pub version: u64,
    /// When it was made.
    pub time: String,
    /// It had been voided before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// From when on it is expired, if it was made pending with an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// The caller's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Json>,
    /// How much of a pending transfer was posted; zero if it was voided or expired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posted_amount: Option<i64>,
    /// When that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<String>,
    /// The transaction that posted, voided or expired a pending transfer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_version: Option<u64>,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Voided {
    /// The amount went back.
    Voided,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for VoidPendingSpec {
    type Outcome = VoidPendingOutcome;
    const NAME: &'static str = "ledger.void_pending";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        format!("/v1/ledger/transfers/{}/void", encode(&self.id))
    }
}
