//! `ledger.account`: an account and its balances; and [`AccountView`], which
//! every command about accounts answers with.

use holdfast_state::{
    Abort, Amount, Id, LogTime, Read, Stop,
    command::{Class, Command, Method, Query, Refusal, RefusalInfo},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Asset, Balances, Limit, Metadata,
    balances::Side,
    row::{AccountMetadata, AccountRow, Accounts},
};

/// The command.
#[derive(Debug)]
pub struct ShowAccount;

/// Which account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowAccountSpec {
    /// Its id.
    pub id: Id,
}

/// Whether transfers may touch an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountStatus {
    /// They may.
    Open,
    /// They may not, until it is opened again.
    Closed,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AccountView {
    /// Its id.
    pub id: Id,
    /// What it counts.
    pub asset: Asset,
    /// What bounds it.
    pub limit: Limit,
    /// Whether transfers may touch it.
    pub status: AccountStatus,
    /// Its sums in minor units.
    #[serde(flatten)]
    pub balances: Balances,
    /// `credits_posted - debits_posted`.
    pub balance: Amount,
    /// How much more may be moved on the side its limit bounds; absent without limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available: Option<Amount>,
    /// How many changes its history has.
    pub changes: u64,
    /// The transaction that changed it last.
    pub version: u64,
    /// When it was opened.
    pub opened_at: LogTime,
    /// When it was closed, while it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<LogTime>,
    /// The caller's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

impl AccountView {
    /// The account `id`, with its metadata looked up.
    pub(crate) fn of(state: &impl Read, id: &Id, row: &AccountRow) -> Result<Self, Abort> {
        Ok(Self::with_metadata(id, row, state.get::<AccountMetadata>(id.as_str())?))
    }

    pub(crate) fn with_metadata(id: &Id, row: &AccountRow, metadata: Option<Metadata>) -> Self {
        let available = |side| row.limit.available(&row.balances, side);
        Self {
            id: id.clone(),
            asset: row.asset,
            limit: row.limit,
            status: match row.closed_at {
                Some(_) => AccountStatus::Closed,
                None => AccountStatus::Open,
            },
            balances: row.balances,
            balance: row.balances.balance(),
            available: available(Side::Debit).or_else(|| available(Side::Credit)),
            changes: row.changes,
            version: row.version.get(),
            opened_at: row.opened_at,
            closed_at: row.closed_at,
            metadata,
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum ShowAccountRefusal {
    /// It was never opened.
    AccountNotFound {
        /// Its id.
        account: Id,
    },
}

/// What every command says of an account that was never opened.
pub(crate) const ACCOUNT_NOT_FOUND: RefusalInfo = RefusalInfo {
    code: "account_not_found",
    class: Class::NotFound,
    summary: "No account with this id was opened.",
};

impl Refusal for ShowAccountRefusal {
    const ALL: &'static [RefusalInfo] = &[ACCOUNT_NOT_FOUND];

    fn code(&self) -> &'static str {
        match self {
            Self::AccountNotFound { .. } => ACCOUNT_NOT_FOUND.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/id")
    }
}

impl Command for ShowAccount {
    const NAME: &'static str = "ledger.account";
    const SUMMARY: &'static str = "Shows an account and its balances.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/ledger/accounts/{id}";
    type Spec = ShowAccountSpec;
    type Outcome = AccountView;
    type Refusal = ShowAccountRefusal;
}

impl Query for ShowAccount {
    fn run(
        state: &impl Read,
        spec: &ShowAccountSpec,
    ) -> Result<AccountView, Stop<ShowAccountRefusal>> {
        let row = state.get::<Accounts>(spec.id.as_str())?;
        let refusal = || ShowAccountRefusal::AccountNotFound { account: spec.id.clone() };
        let row = row.ok_or_else(|| Stop::Refused(refusal()))?;
        Ok(AccountView::of(state, &spec.id, &row)?)
    }
}
