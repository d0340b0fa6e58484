//! `ledger.account`: Shows an account and its balances.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::Serialize;

use crate::{
    api::ledger::AccountView,
    command::{Command, Kind, Method, encode},
};

/// Which account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShowAccountSpec {
    /// Its id.
    pub id: String,
}

impl ShowAccountSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into() }
    }
}

impl Command for ShowAccountSpec {
    type Outcome = AccountView;
    const NAME: &'static str = "ledger.account";
    const KIND: Kind = Kind::Query;
    const METHOD: Method = Method::Get;

    fn target(&self) -> String {
        format!("/v1/ledger/accounts/{}", encode(&self.id))
    }
}
