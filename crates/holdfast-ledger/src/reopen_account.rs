//! `ledger.reopen_account`: transfers may touch a closed account again.
//! Reopening an open account changes nothing.

use holdfast_state::{
    Id, Read as _, Stop, Tx,
    command::{Command, Method, Refusal, RefusalInfo, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    account::{ACCOUNT_NOT_FOUND, AccountView},
    row::Accounts,
};

/// The command.
#[derive(Debug)]
pub struct ReopenAccount;

/// Which account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReopenAccountSpec {
    /// Its id.
    pub id: Id,
}

/// The account is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReopenAccountOutcome {
    /// Always the same.
    pub outcome: Reopened,
    /// It was open already.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// The account.
    #[serde(flatten)]
    pub account: AccountView,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reopened {
    /// The account is open again.
    Reopened,
}

/// Why an account is not reopened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum ReopenAccountRefusal {
    /// It was never opened.
    AccountNotFound {
        /// Its id.
        account: Id,
    },
}

impl Refusal for ReopenAccountRefusal {
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

impl Command for ReopenAccount {
    const NAME: &'static str = "ledger.reopen_account";
    const SUMMARY: &'static str = "Opens a closed account again.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/ledger/accounts/{id}/reopen";
    type Spec = ReopenAccountSpec;
    type Outcome = ReopenAccountOutcome;
    type Refusal = ReopenAccountRefusal;
}

impl Write for ReopenAccount {
    fn run(
        tx: &mut Tx<'_>,
        spec: &ReopenAccountSpec,
    ) -> Result<ReopenAccountOutcome, Stop<ReopenAccountRefusal>> {
        let row = tx.get::<Accounts>(spec.id.as_str())?;
        let refusal = || ReopenAccountRefusal::AccountNotFound { account: spec.id.clone() };
        let mut row = row.ok_or_else(|| Stop::Refused(refusal()))?;
        let existed = row.closed_at.take().is_none();
        if !existed {
            row.version = tx.version();
            tx.put::<Accounts>(spec.id.as_str(), &row)?;
        }
        let account = AccountView::of(tx, &spec.id, &row)?;
        Ok(ReopenAccountOutcome { outcome: Reopened::Reopened, existed, account })
    }
}
