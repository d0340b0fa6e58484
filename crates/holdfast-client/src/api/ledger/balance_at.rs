//! `ledger.balance_at`: Shows the balances of an account at a past time or version.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::command::{Command, Kind, Method, Target, encode};

/// Which account, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BalanceAtSpec {
    /// The account's id.
    pub account: String,
    /// When.
    pub at: crate::Moment,
}

impl BalanceAtSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(account: impl Into<String>, at: crate::Moment) -> Self {
        Self { account: account.into(), at }
    }
}

/// An account's balances at a moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BalanceAtOutcome {
    /// The account's id.
    pub account: String,
    /// What it counts.
    pub asset: String,
    /// Number of its last change by then; 0 when there was none, nor perhaps the account.
    pub change: u64,
    /// Sum of what was debited for good.
    pub debits_posted: i64,
    /// Sum of the debits that still wait.
    pub debits_pending: i64,
    /// Sum of what was credited for good.
    pub credits_posted: i64,
    /// Sum of the credits that still wait.
    pub credits_pending: i64,
    /// `credits_posted - debits_posted` then.
    pub balance: i64,
    /// When it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// The transaction that made that change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

impl Command for BalanceAtSpec {
    type Outcome = BalanceAtOutcome;
    const NAME: &'static str = "ledger.balance_at";
    const KIND: Kind = Kind::Query;
    const METHOD: Method = Method::Get;

    fn target(&self) -> String {
        Target::at(format!("/v1/ledger/accounts/{}/balance", encode(&self.account)))
            .field("at", &self.at)
            .finish()
    }
}
