//! Commands of `ledger`.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

mod account;
mod accounts;
mod balance_at;
mod close_account;
mod declare_asset;
mod get_asset;
mod get_transfer;
mod history;
mod open_account;
mod post_pending;
mod reopen_account;
mod transfer;
mod transfer_linked;
mod void_pending;

use serde::{Deserialize, Serialize};

use crate::{json::Json, lifetime::Lifetime};

pub use account::ShowAccountSpec;
pub use accounts::{AccountsPage, ListAccountsSpec};
pub use balance_at::{BalanceAtOutcome, BalanceAtSpec};
pub use close_account::{CloseAccountOutcome, CloseAccountSpec, Closed};
pub use declare_asset::{DeclareAssetOutcome, DeclareAssetSpec, Declared};
pub use get_asset::{AssetView, GetAssetSpec};
pub use get_transfer::{GetTransferSpec, Transfer};
pub use history::{Change, Event, HistoryPage, Order, ShowHistorySpec, Side};
pub use open_account::{OpenAccountOutcome, OpenAccountSpec, Opened};
pub use post_pending::{PostPendingOutcome, PostPendingSpec, Posted};
pub use reopen_account::{ReopenAccountOutcome, ReopenAccountSpec, Reopened};
pub use transfer_linked::{Linked, TransferLinkedOutcome, TransferLinkedSpec};
pub use void_pending::{VoidPendingOutcome, VoidPendingSpec, Voided};

/// Whether transfers may touch an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AccountStatus {
    /// They may.
    Open,
    /// They may not, until it is opened again.
    Closed,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AccountView {
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
    /// The caller's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Json>,
}

/// A bound on an account's balances that no transfer may break. Pending amounts
/// count as if they had been posted, on the side that is bounded only: what is
/// not yet certain to come cannot be spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// It may go either way: a bank, an adjustment account.
    None,
    /// `debits_posted + debits_pending <= credits_posted`: a wallet, a liability.
    DebitsNotAboveCredits,
    /// `credits_posted + credits_pending <= debits_posted`: an asset, an advance.
    CreditsNotAboveDebits,
}

/// What making a transfer does with its amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Made {
    /// It has moved.
    Posted,
    /// It is set aside.
    Pending,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

/// Where a transfer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// Its amount has moved for good.
    Posted,
    /// Its amount is set aside.
    Pending,
    /// It was pending and taken back.
    Voided,
    /// It was pending and nobody posted it in time.
    Expired,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

/// The transfer is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TransferOutcome {
    /// What was done with the amount.
    pub outcome: Made,
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
    /// It had been made before, in the same words; `transfer` is how it stands now.
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

/// Which amount moves, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TransferSpec {
    /// The account it takes from.
    pub debit_account: String,
    /// The account it gives to.
    pub credit_account: String,
    /// How much, in minor units; above zero.
    pub amount: i64,
    /// What asset the caller believes the accounts have; refused if they do not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asset: Option<String>,
    /// A pending transfer not posted before this time expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// The same, counted from now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<Lifetime>,
    /// Its id; without one it gets a fresh id, and a retry would be another transfer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The caller's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Json>,
    /// Set the amount aside only, until it is posted, voided or expired.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub pending: bool,
}

impl TransferSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(
        debit_account: impl Into<String>,
        credit_account: impl Into<String>,
        amount: i64,
    ) -> Self {
        Self {
            debit_account: debit_account.into(),
            credit_account: credit_account.into(),
            amount,
            asset: None,
            expires_at: None,
            expires_in: None,
            id: None,
            metadata: None,
            pending: false,
        }
    }
}
