//! `ledger.close_account`: Closes an account whose balance is zero.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::ledger::{AccountStatus, Limit},
    command::{Command, Kind, Method, encode},
    json::Json,
};

/// Which account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CloseAccountSpec {
    /// Its id.
    pub id: String,
}

impl CloseAccountSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into() }
    }
}

/// The account is closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CloseAccountOutcome {
    /// Always the same.
    pub outcome: Closed,
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
    /// It was closed already.
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
pub enum Closed {
    /// The account was closed.
    Closed,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for CloseAccountSpec {
    type Outcome = CloseAccountOutcome;
    const NAME: &'static str = "ledger.close_account";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        format!("/v1/ledger/accounts/{}/close", encode(&self.id))
    }
}
