//! `ledger.accounts`: all accounts, page by page, in the order of their ids.

use holdfast_state::{
    Abort, Id, Read, Scan, Stop, StoreError, Table as _,
    command::{Command, Method, Never, Query},
    key::after_prefix,
    table::stored_key,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{account::AccountView, page::PageSize, row::Accounts};

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
        let table = stored_key(state.namespace(), Accounts::ID, &());
        let end = after_prefix(&table).expect("a table's number is not all FF");
        let from = match &spec.cursor {
            Some(last) => [&stored_key(state.namespace(), Accounts::ID, last)[..], &[0]].concat(),
            None => table,
        };
        let rows = spec.limit.rows();
        // One more than asked tells whether a page follows.
        let mut found = state.rows::<Accounts>(&from, &end, Scan::up(rows + 1))?;
        let more = found.len() > rows;
        found.truncate(rows);
        let mut accounts = Vec::with_capacity(found.len());
        for account in &found {
            accounts.push(AccountView::of(state, &id_of(account.key().str())?, &account.row)?);
        }
        let next = accounts.last().filter(|_| more).map(|account| account.id.clone());
        Ok(AccountsPage { accounts, next })
    }
}

fn id_of(part: Result<String, holdfast_state::key::BadKey>) -> Result<Id, Abort> {
    let id = part.ok().and_then(|text| Id::new(&text).ok());
    let doubt = || StoreError::Doubt { what: "the key of an account is not an id".to_owned() };
    id.ok_or_else(|| doubt().into())
}
