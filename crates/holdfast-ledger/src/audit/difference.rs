//! What an audit finds.

use holdfast_state::{Id, audit::Differences};

use super::sums::Sums;
use crate::{
    Asset,
    balances::{Event, Side},
};

/// Something that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    /// Bytes in the log are not what they should be.
    #[error("{what} does not decode")]
    Undecodable {
        /// What they should be.
        what: &'static str,
    },
    /// Rows were removed from a table that only grows.
    #[error("rows were removed from {table}")]
    Removed {
        /// The table.
        table: &'static str,
    },
    /// A row of the account changed what never changes.
    #[error("account {account} changed its {field}")]
    AccountChanged {
        /// The account.
        account: Id,
        /// What changed.
        field: &'static str,
    },
    /// The account's row is not the sum of its legs.
    #[error("account {account} has {stored:?}, its transfers make {derived:?}")]
    AccountBalances {
        /// The account.
        account: Id,
        /// What its legs sum up to.
        derived: Sums,
        /// What its row says.
        stored: Sums,
    },
    /// The account's row counts another number of changes than its history has.
    #[error("account {account} counts {stored} changes, its history has {derived}")]
    AccountChanges {
        /// The account.
        account: Id,
        /// What its history has.
        derived: u64,
        /// What its row says.
        stored: u64,
    },
    /// The account's row bears another version than the transaction that wrote it.
    #[error("account {account} does not bear the version of its transaction")]
    AccountStamp {
        /// The account.
        account: Id,
    },
    /// A transaction has a leg on the account and does not write its row.
    #[error("account {account} has a leg in a transaction that leaves its row as it was")]
    AccountNotWritten {
        /// The account.
        account: Id,
    },
    /// The account is closed, and something is left in it.
    #[error("account {account} is closed and not empty")]
    ClosedNotEmpty {
        /// The account.
        account: Id,
    },
    /// The log has the account and the state has not, or the other way round, or
    /// they have it differently.
    #[error("account {account} is not in the state as it is in the log")]
    AccountDiffers {
        /// The account.
        account: Id,
    },
    /// Legs touch an account that has no row.
    #[error("account {account} has no row")]
    AccountMissing {
        /// The account.
        account: Id,
    },
    /// The transfer contradicts itself.
    #[error("transfer {transfer} has a {field} that no transfer has")]
    TransferMalformed {
        /// The transfer.
        transfer: Id,
        /// What no transfer has.
        field: &'static str,
    },
    /// The transfer was made although it had been made before.
    #[error("transfer {transfer} was made twice")]
    TransferDoubled {
        /// The transfer.
        transfer: Id,
    },
    /// The transfer changed otherwise than from pending to its end.
    #[error("transfer {transfer} changed its {field}")]
    TransferChanged {
        /// The transfer.
        transfer: Id,
        /// What changed.
        field: &'static str,
    },
    /// The transfer's row bears another version or time than its transaction.
    #[error("transfer {transfer} does not bear the version and time of its transaction")]
    TransferStamp {
        /// The transfer.
        transfer: Id,
    },
    /// The log has the transfer and the state has not, or the other way round, or
    /// they have it differently.
    #[error("transfer {transfer} is not in the state as it is in the log")]
    TransferDiffers {
        /// The transfer.
        transfer: Id,
    },
    /// An event of the transfer has no history row on one of its accounts.
    #[error("transfer {transfer} has no leg for {event:?} on its {side:?} side")]
    LegMissing {
        /// The transfer.
        transfer: Id,
        /// The event.
        event: Event,
        /// The side.
        side: Side,
    },
    /// An event of the transfer has a second history row on one of its accounts.
    #[error("change {number} of account {account} repeats a leg of transfer {transfer}")]
    LegDoubled {
        /// The account.
        account: Id,
        /// The number of the second.
        number: u64,
        /// The transfer.
        transfer: Id,
    },
    /// A history row belongs to no event of a transfer with this account.
    #[error("change {number} of account {account} belongs to no transfer")]
    LegForeign {
        /// The account.
        account: Id,
        /// The row's number.
        number: u64,
    },
    /// A history row says another amount, version or time than its transfer.
    #[error("change {number} of account {account} has another {field} than its transfer")]
    LegDiffers {
        /// The account.
        account: Id,
        /// The row's number.
        number: u64,
        /// What differs.
        field: &'static str,
    },
    /// A number is left out, or used again.
    #[error("account {account} has change {found} where {expected} is due")]
    HistoryNumber {
        /// The account.
        account: Id,
        /// The number that is due.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// A history row is older than the one before it.
    #[error("change {number} of account {account} is older than the one before it")]
    HistoryOrder {
        /// The account.
        account: Id,
        /// The row's number.
        number: u64,
    },
    /// The balances of a history row are not those before it and its leg.
    #[error("change {number} of account {account} leaves {stored:?}, not {derived:?}")]
    HistoryBalances {
        /// The account.
        account: Id,
        /// The row's number.
        number: u64,
        /// Those before it and its leg.
        derived: Sums,
        /// What it says.
        stored: Sums,
    },
    /// A leg brought the account beyond its limit.
    #[error("change {number} brought account {account} beyond its limit")]
    LimitBroken {
        /// The account.
        account: Id,
        /// The leg's number.
        number: u64,
    },
    /// Debits are not credits.
    #[error("{asset} does not balance: {sums:?}")]
    Unbalanced {
        /// The asset.
        asset: Asset,
        /// The sums over all its accounts.
        sums: Sums,
    },
    /// What an account has pending is not the sum of its open transfers.
    #[error("account {account} has {stored:?}, its open transfers make {open:?}")]
    PendingTotals {
        /// The account.
        account: Id,
        /// The pending sums of its open transfers.
        open: Sums,
        /// What its row says.
        stored: Sums,
    },
}

/// What an audit came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Accounts in the state at the end.
    pub accounts: u64,
    /// Transfers known at the end.
    pub transfers: u64,
    /// Legs seen, those of a state that was read and those of the log.
    pub legs: u64,
    /// Transactions of the log.
    pub transactions: u64,
    /// What is not as it must be.
    pub differences: Differences<Difference>,
}

impl Report {
    /// Is everything as it must be?
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.differences.is_none()
    }

    pub(super) fn add(&mut self, difference: Difference) {
        self.differences.add(difference);
    }
}
