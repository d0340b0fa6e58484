//! Double-entry accounts and transfers.
//!
//! An *account* holds one asset and counts what was debited from it and
//! credited to it, posted and pending apart. A *transfer* moves an amount from
//! a debit account to a credit account: at once, or first *pending*, then
//! posted (whole or in part), voided, or expired. Every change of an account
//! leaves a *history* row with the balances after it, so the balance at any
//! past version or time is one lookup.
//!
//! Promises, at every version: debits equal credits per asset, posted and
//! pending; no account is beyond its limit; pending totals are the sums of the
//! transfers still open; a transfer id is used once. [`audit`] re-derives all
//! of it from transfers and history.
//!
//! Left to others: idempotency keys and answers (engine), HTTP (edges), who may
//! debit whose account (services).
//!
//! Read in this order: `asset`, [`currencies`], [`balances`], [`limit`] (values);
//! [`row`] (what is stored);
//! [`declare_asset`], [`get_asset`]; [`open_account`], [`close_account`],
//! [`reopen_account`], [`account`], [`accounts`]; `movement`, [`mod@transfer`],
//! [`transfer_linked`], [`post_pending`], [`void_pending`], [`expire_pending`],
//! [`get_transfer`]; [`history`], [`balance_at`]; [`audit`].

pub mod account;
pub mod accounts;
mod asset;
pub mod audit;
pub mod balance_at;
pub mod balances;
pub mod close_account;
pub mod currencies;
pub mod declare_asset;
pub mod expire_pending;
pub mod get_asset;
pub mod get_transfer;
pub mod history;
pub mod limit;
mod movement;
pub mod open_account;
pub mod post_pending;
pub mod reopen_account;
pub mod row;
pub mod transfer;
pub mod transfer_linked;
pub mod void_pending;

pub use holdfast_state::{Asset, Metadata};
use holdfast_state::{TableId, command::Entry, table::Table as _, timer::TimerHandler};

pub use balances::Balances;
pub use limit::Limit;
pub use transfer::{Transfer, TransferRefusal, TransferSpec, transfer};

/// Everything the ledger can be asked.
pub const COMMANDS: &[Entry] = &[
    Entry::write::<declare_asset::DeclareAsset>(),
    Entry::query::<get_asset::GetAsset>(),
    Entry::write::<open_account::OpenAccount>(),
    Entry::query::<account::ShowAccount>(),
    Entry::query::<accounts::ListAccounts>(),
    Entry::write::<close_account::CloseAccount>(),
    Entry::write::<reopen_account::ReopenAccount>(),
    Entry::write::<transfer::MakeTransfer>(),
    Entry::write::<transfer_linked::TransferLinked>(),
    Entry::write::<post_pending::PostPending>(),
    Entry::write::<void_pending::VoidPending>(),
    Entry::query::<get_transfer::GetTransfer>(),
    Entry::query::<history::ShowHistory>(),
    Entry::query::<balance_at::BalanceAt>(),
];

/// The ledger's timers: name and handler.
pub const TIMERS: &[(&str, TimerHandler)] =
    &[(expire_pending::HANDLER, expire_pending::expire_pending)];

/// The ledger's tables: number and name. Numbers `0x0100..=0x01ff` are the ledger's.
pub const TABLES: &[(TableId, &str)] = &[
    (row::Assets::ID, row::Assets::NAME),
    (row::Accounts::ID, row::Accounts::NAME),
    (row::AccountMetadata::ID, row::AccountMetadata::NAME),
    (row::Transfers::ID, row::Transfers::NAME),
    (row::History::ID, row::History::NAME),
];
