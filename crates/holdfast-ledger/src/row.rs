//! What the ledger stores: tables, and rows as short CBOR arrays.
//!
//! The two rows that are rewritten, an account and a transfer, keep the fields
//! they do not know, so that a release that knows fewer loses nothing that a
//! later one wrote. A history row is written once. Metadata of an account lies
//! in a table of its own, because an account's row is rewritten with each of its
//! transfers. `tests/fixtures` holds rows of every released format.

mod account;
mod history;
mod transfer;
mod unknown;

use holdfast_state::{LogTime, Table, TableId};

pub use account::AccountRow;
pub use history::HistoryRow;
pub use transfer::{Resolution, Status, TransferRow};
pub use unknown::Unknown;

use crate::Metadata;

/// Declared assets by code.
#[derive(Debug)]
pub struct Assets;

/// A declared asset.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct AssetRow {
    /// Decimal places between the minor unit and the asset.
    #[n(0)]
    pub exponent: u8,
    /// When it was declared.
    #[n(1)]
    pub declared_at: LogTime,
    /// What people call it.
    #[n(2)]
    pub name: Option<String>,
}

impl Table for Assets {
    const ID: TableId = TableId(0x0100);
    const NAME: &'static str = "ledger.assets";
    type Key<'k> = &'k str;
    type Row = AssetRow;
}

/// Accounts by id.
#[derive(Debug)]
pub struct Accounts;

impl Table for Accounts {
    const ID: TableId = TableId(0x0101);
    const NAME: &'static str = "ledger.accounts";
    type Key<'k> = &'k str;
    type Row = AccountRow;
}

/// Metadata of the accounts that have any, by the account's id.
#[derive(Debug)]
pub struct AccountMetadata;

impl Table for AccountMetadata {
    const ID: TableId = TableId(0x0102);
    const NAME: &'static str = "ledger.account_metadata";
    type Key<'k> = &'k str;
    type Row = Metadata;
}

/// Transfers by id.
#[derive(Debug)]
pub struct Transfers;

impl Table for Transfers {
    const ID: TableId = TableId(0x0103);
    const NAME: &'static str = "ledger.transfers";
    type Key<'k> = &'k str;
    type Row = TransferRow;
}

/// Changes of accounts: by the account's id, then numbered 1, 2, 3 … without gaps.
#[derive(Debug)]
pub struct History;

impl Table for History {
    const ID: TableId = TableId(0x0104);
    const NAME: &'static str = "ledger.history";
    type Key<'k> = (&'k str, u64);
    type Row = HistoryRow;
}
