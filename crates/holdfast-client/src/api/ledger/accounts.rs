//! `ledger.accounts`: Lists accounts in the order of their ids.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::ledger::AccountView,
    command::{Command, Kind, Method, Target},
};

/// Which page.
#[derive(Clone, Default, Debug, PartialEq, Eq, Serialize)]
pub struct ListAccountsSpec {
    /// `next` of the page before; absent for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// How many accounts at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// A page of accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AccountsPage {
    /// The accounts, by id.
    pub accounts: Vec<AccountView>,
    /// Cursor of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl Command for ListAccountsSpec {
    type Outcome = AccountsPage;
    const NAME: &'static str = "ledger.accounts";
    const KIND: Kind = Kind::Query;
    const METHOD: Method = Method::Get;

    fn target(&self) -> String {
        Target::at("/v1/ledger/accounts")
            .field("cursor", &self.cursor)
            .field("limit", &self.limit)
            .finish()
    }
}
