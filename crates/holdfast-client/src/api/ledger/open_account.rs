//! `ledger.open_account`: Opens an account.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::ledger::{AccountStatus, Limit},
    command::{Command, Kind, Method},
    json::Json,
};

/// Which account, and of what kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OpenAccountSpec {
    /// Its id.
    pub id: String,
    /// What it counts.
    pub asset: String,
    /// What bounds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// The caller's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Json>,
}

impl OpenAccountSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>, asset: impl Into<String>) -> Self {
        Self { id: id.into(), asset: asset.into(), limit: None, metadata: None }
    }
}

/// The account is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OpenAccountOutcome {
    /// Always the same.
    pub outcome: Opened,
    /// Its id.
    pub id: String,
    /// What it counts.
    pub asset: String,
    /// What bounds it.
    pub limit: Limit,
    /// Whether transfers may touch it.
    pub status: AccountStatus,
    /// Sum of what was debited for good.
    pub debits_posted: i64,
    /// Sum of the debits that still wait.
    pub debits_pending: i64,
    /// Sum of what was credited for good.
    pub credits_posted: i64,
    /// Sum of the credits that still wait.
    pub credits_pending: i64,
    /// `credits_posted - debits_posted`.
    pub balance: i64,
    /// How many changes its history has.
    pub changes: u64,
    /// The transaction that changed it last.
    pub version: u64,
    /// When it was opened.
    pub opened_at: String,
    /// How much more may be moved on the side its limit bounds; absent without limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<i64>,
    /// When it was closed, while it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<String>,
    /// It had been opened before, in the same words.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// The caller's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Json>,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Opened {
    /// The account was opened.
    Opened,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for OpenAccountSpec {
    type Outcome = OpenAccountOutcome;
    const NAME: &'static str = "ledger.open_account";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        "/v1/ledger/accounts".to_owned()
    }
}
