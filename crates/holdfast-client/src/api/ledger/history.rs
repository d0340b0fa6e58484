//! `ledger.history`: Lists the changes of an account, each with the balances after it.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::command::{Command, Kind, Method, Target, encode};

/// Which page of which account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShowHistorySpec {
    /// The account's id.
    pub account: String,
    /// `next` of the page before, read in the same order; absent for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// How many changes at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Which end comes first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<Order>,
}

impl ShowHistorySpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(account: impl Into<String>) -> Self {
        Self { account: account.into(), cursor: None, limit: None, order: None }
    }
}

/// A page of an account's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HistoryPage {
    /// The account's id.
    pub account: String,
    /// The changes, in the order asked.
    pub changes: Vec<Change>,
    /// Cursor of the next page. Newest first it is absent on the last page; oldest
    /// first it is absent only when nothing was read yet, since more may come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A change of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Change {
    /// 1 for the account's first.
    pub number: u64,
    /// The transfer.
    pub transfer: String,
    /// What happened to it.
    pub event: Event,
    /// Which side of the account it touches.
    pub side: Side,
    /// How much was posted, set aside, or given back.
    pub amount: i64,
    /// The transaction.
    pub version: u64,
    /// When.
    pub time: String,
    /// Sum of what was debited for good.
    pub debits_posted: i64,
    /// Sum of the debits that still wait.
    pub debits_pending: i64,
    /// Sum of what was credited for good.
    pub credits_posted: i64,
    /// Sum of the credits that still wait.
    pub credits_pending: i64,
    /// `credits_posted - debits_posted` after it.
    pub balance: i64,
}

/// What happens to a transfer, and so to its two accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// It was posted at once.
    Posted,
    /// It was made pending.
    Pending,
    /// It was pending and is posted now, whole or in part.
    PostedPending,
    /// It was pending and is taken back.
    Voided,
    /// It was pending for too long.
    Expired,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

/// Which end of a list comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The latest first.
    Newest,
    /// The earliest first.
    Oldest,
}

/// Which side of an account a transfer touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Side {
    /// The account it takes from.
    Debit,
    /// The account it gives to.
    Credit,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for ShowHistorySpec {
    type Outcome = HistoryPage;
    const NAME: &'static str = "ledger.history";
    const KIND: Kind = Kind::Query;
    const METHOD: Method = Method::Get;

    fn target(&self) -> String {
        Target::at(format!("/v1/ledger/accounts/{}/history", encode(&self.account)))
            .field("cursor", &self.cursor)
            .field("limit", &self.limit)
            .field("order", &self.order)
            .finish()
    }
}
