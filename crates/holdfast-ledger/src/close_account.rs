//! `ledger.close_account`: no transfer touches the account any more.
//!
//! Only an account with balance zero and nothing pending can be closed, so a
//! closed account never has to be touched. [`reopen_account`](crate::reopen_account)
//! takes it back. Closing a closed account changes nothing.

use holdfast_state::{
    Amount, Id, Read as _, Stop, Tx,
    command::{Class, Command, Method, Refusal, RefusalInfo, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    account::{ACCOUNT_NOT_FOUND, AccountView},
    row::Accounts,
};

/// The command.
#[derive(Debug)]
pub struct CloseAccount;

/// Which account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseAccountSpec {
    /// Its id.
    pub id: Id,
}

/// The account is closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CloseAccountOutcome {
    /// Always the same.
    pub outcome: Closed,
    /// It was closed already.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// The account.
    #[serde(flatten)]
    pub account: AccountView,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Closed {
    /// The account was closed.
    Closed,
}

/// Why an account is not closed, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum CloseAccountRefusal {
    /// It was never opened.
    AccountNotFound {
        /// Its id.
        account: Id,
    },
    /// Transfers of it still wait.
    AccountHasPending {
        /// Debits that wait.
        debits_pending: Amount,
        /// Credits that wait.
        credits_pending: Amount,
    },
    /// Its balance is not zero.
    BalanceNotZero {
        /// What it is.
        balance: Amount,
    },
}

impl Refusal for CloseAccountRefusal {
    const ALL: &'static [RefusalInfo] = &[
        ACCOUNT_NOT_FOUND,
        RefusalInfo {
            code: "account_has_pending",
            class: Class::Conflict,
            summary: "Pending transfers of the account must be posted or voided first.",
        },
        RefusalInfo {
            code: "balance_not_zero",
            class: Class::Conflict,
            summary: "The balance of the account must be brought to zero first.",
        },
    ];

    fn code(&self) -> &'static str {
        match self {
            Self::AccountNotFound { .. } => ACCOUNT_NOT_FOUND.code,
            Self::AccountHasPending { .. } => "account_has_pending",
            Self::BalanceNotZero { .. } => "balance_not_zero",
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/id")
    }
}

impl Command for CloseAccount {
    const NAME: &'static str = "ledger.close_account";
    const SUMMARY: &'static str = "Closes an account whose balance is zero.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/ledger/accounts/{id}/close";
    type Spec = CloseAccountSpec;
    type Outcome = CloseAccountOutcome;
    type Refusal = CloseAccountRefusal;
}

impl Write for CloseAccount {
    fn run(
        tx: &mut Tx<'_>,
        spec: &CloseAccountSpec,
    ) -> Result<CloseAccountOutcome, Stop<CloseAccountRefusal>> {
        let row = tx.get::<Accounts>(spec.id.as_str())?;
        let refusal = || CloseAccountRefusal::AccountNotFound { account: spec.id.clone() };
        let mut row = row.ok_or_else(|| Stop::Refused(refusal()))?;
        let existed = row.closed_at.is_some();
        if row.balances.has_pending() {
            return Err(Stop::Refused(CloseAccountRefusal::AccountHasPending {
                debits_pending: row.balances.debits_pending,
                credits_pending: row.balances.credits_pending,
            }));
        }
        let balance = row.balances.balance();
        if balance != Amount::ZERO {
            return Err(Stop::Refused(CloseAccountRefusal::BalanceNotZero { balance }));
        }
        if !existed {
            row.closed_at = Some(tx.now());
            row.version = tx.version();
            tx.put::<Accounts>(spec.id.as_str(), &row)?;
        }
        let account = AccountView::of(tx, &spec.id, &row)?;
        Ok(CloseAccountOutcome { outcome: Closed::Closed, existed, account })
    }
}
