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

use holdfast_state::{LogTime, Table, TableId};

pub use account::AccountRow;
pub use history::HistoryRow;
pub use transfer::{Resolution, Status, TransferRow};

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
    pub label: Option<String>,
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

#[cfg(test)]
mod tests {
    use holdfast_state::row::Row as _;

    use super::*;

    /// A row's bytes with two more fields.
    fn with_more(bytes: &[u8]) -> Vec<u8> {
        let mut more = bytes.to_vec();
        assert!(more[0] & 0xE0 == 0x80 && more[0] & 0x1F < 21, "a short array");
        more[0] += 2;
        more.extend_from_slice(&minicbor::to_vec(("later", [1, 2])).unwrap()[1..]);
        more
    }

    #[test]
    fn fields_of_a_later_release_survive_a_rewrite() {
        let account = with_more(&minicbor::to_vec(AccountRow::example()).unwrap());
        let mut row = AccountRow::parse(&account).unwrap();
        assert_ne!(row, AccountRow::example());
        row.changes += 1;
        let mut rewritten = Vec::new();
        row.write(&mut rewritten);
        row.changes -= 1;
        let mut same = Vec::new();
        row.write(&mut same);
        assert_eq!(same, account);
        assert_eq!(rewritten.len(), account.len());
        let transfer = with_more(&minicbor::to_vec(TransferRow::example()).unwrap());
        let mut same = Vec::new();
        TransferRow::parse(&transfer).unwrap().write(&mut same);
        assert_eq!(same, transfer);
    }
}
