//! Why a transfer is not made.

use holdfast_state::{
    Amount, Id, LogTime,
    command::{Class, Refusal, RefusalInfo},
};
use serde::Serialize;

use crate::{Asset, Limit};

/// Why a transfer is not made, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum TransferRefusal {
    /// It would give to the account it takes from.
    SameAccount {
        /// The account.
        account: Id,
    },
    /// The amount is zero or less.
    AmountNotPositive {
        /// The amount.
        amount: Amount,
    },
    /// Both `expires_at` and `expires_in`.
    ExpiryGivenTwice,
    /// Only what is pending can expire.
    ExpiryWithoutPending,
    /// The id was used for another transfer.
    TransferExists {
        /// The id.
        id: Id,
        /// What differs.
        field: &'static str,
    },
    /// The account to take from was never opened.
    DebitAccountNotFound {
        /// Its id.
        account: Id,
    },
    /// The account to give to was never opened.
    CreditAccountNotFound {
        /// Its id.
        account: Id,
    },
    /// The accounts count in different assets, or not in the one asked for.
    AssetMismatch {
        /// What was asked for, or else the debit account's.
        requested: Asset,
        /// The debit account's.
        debit_asset: Asset,
        /// The credit account's.
        credit_asset: Asset,
    },
    /// An account is closed.
    AccountClosed {
        /// Its id.
        account: Id,
    },
    /// It would have expired by now.
    ExpiryInPast {
        /// When it would expire.
        expires_at: LogTime,
        /// Log time.
        now: LogTime,
    },
    /// A sum of the account would not fit.
    Overflows {
        /// Its id.
        account: Id,
    },
    /// The account's limit does not allow it.
    ExceedsLimit {
        /// Its id.
        account: Id,
        /// Its limit.
        limit: Limit,
        /// How much it allows.
        available: Amount,
        /// How much was asked.
        requested: Amount,
    },
}

const fn info(code: &'static str, class: Class, summary: &'static str) -> RefusalInfo {
    RefusalInfo { code, class, summary }
}

impl Refusal for TransferRefusal {
    const ALL: &'static [RefusalInfo] = &[
        info("same_account", Class::Invalid, "A transfer needs two different accounts."),
        info("amount_not_positive", Class::Invalid, "An amount must be above zero."),
        info("expiry_given_twice", Class::Invalid, "Give expires_at or expires_in, not both."),
        info("expiry_without_pending", Class::Invalid, "Only a pending transfer can expire."),
        info("transfer_exists", Class::Conflict, "The id was used for a different transfer."),
        info("debit_account_not_found", Class::NotFound, "The debit account was never opened."),
        info("credit_account_not_found", Class::NotFound, "The credit account was never opened."),
        info("asset_mismatch", Class::Invalid, "Both accounts must count in the asset asked for."),
        info("account_closed", Class::Conflict, "A closed account takes part in no transfer."),
        info("expiry_in_past", Class::Invalid, "It would have expired by now."),
        info("overflows", Class::Conflict, "A sum of the account would not fit in 128 bits."),
        info("exceeds_limit", Class::Conflict, "The limit of the account does not allow it."),
    ];

    fn code(&self) -> &'static str {
        match self {
            Self::SameAccount { .. } => "same_account",
            Self::AmountNotPositive { .. } => "amount_not_positive",
            Self::ExpiryGivenTwice => "expiry_given_twice",
            Self::ExpiryWithoutPending => "expiry_without_pending",
            Self::TransferExists { .. } => "transfer_exists",
            Self::DebitAccountNotFound { .. } => "debit_account_not_found",
            Self::CreditAccountNotFound { .. } => "credit_account_not_found",
            Self::AssetMismatch { .. } => "asset_mismatch",
            Self::AccountClosed { .. } => "account_closed",
            Self::ExpiryInPast { .. } => "expiry_in_past",
            Self::Overflows { .. } => "overflows",
            Self::ExceedsLimit { .. } => "exceeds_limit",
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        match self {
            Self::SameAccount { .. } | Self::CreditAccountNotFound { .. } => {
                Some("/credit_account")
            }
            Self::AmountNotPositive { .. } | Self::Overflows { .. } | Self::ExceedsLimit { .. } => {
                Some("/amount")
            }
            Self::ExpiryGivenTwice | Self::ExpiryWithoutPending => None,
            Self::TransferExists { .. } => Some("/id"),
            Self::DebitAccountNotFound { .. } => Some("/debit_account"),
            Self::AssetMismatch { .. } => Some("/asset"),
            Self::AccountClosed { .. } => None,
            Self::ExpiryInPast { .. } => Some("/expires_at"),
        }
    }
}
