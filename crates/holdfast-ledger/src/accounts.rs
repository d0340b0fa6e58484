//! `ledger.accounts`: all accounts, page by page, in the order of their ids.

use holdfast_state::{
    Id, Read, Stop,
    command::{Command, Method, Never, Query},
    page::{PageSize, bad_key, page},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{account::AccountView, row::Accounts};

/// The command.
#[derive(Debug)]
pub struct ListAccounts;

/// Which page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListAccountsSpec {
    /// `next` of the page before; absent for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Id>,
    /// How many accounts at most.
    #[serde(default)]
    pub limit: PageSize,
}

/// A page of accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AccountsPage {
    /// The accounts, by id.
    pub accounts: Vec<AccountView>,
    /// Cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Id>,
}

impl Command for ListAccounts {
    const NAME: &'static str = "ledger.accounts";
    const SUMMARY: &'static str = "Lists accounts in the order of their ids.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/ledger/accounts";
    type Spec = ListAccountsSpec;
    type Outcome = AccountsPage;
    type Refusal = Never;
}

impl Query for ListAccounts {
    fn run(state: &impl Read, spec: &ListAccountsSpec) -> Result<AccountsPage, Stop<Never>> {
        let cursor = spec.cursor.as_ref().map(Id::as_str);
        let page = page::<Accounts>(state, &(), cursor, spec.limit)?;
        let mut accounts = Vec::with_capacity(page.rows.len());
        for account in &page.rows {
            let id = account.key().id().map_err(|_| bad_key::<Accounts>())?;
            accounts.push(AccountView::of(state, &id, &account.row)?);
        }
        let next = accounts.last().filter(|_| page.more).map(|account| account.id.clone());
        Ok(AccountsPage { accounts, next })
    }
}
