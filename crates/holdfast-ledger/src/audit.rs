//! The audit: every balance derived again, from transfers and history alone.
//!
//! It reads a state (or begins with none), then the changes of the log in order,
//! and at the end looks at the state that the partition says it has come to. It
//! takes from accounts only what never changes, their asset and limit; sums come
//! from transfers, one leg of history at a time:
//!
//! - every event of a transfer has one history row on each of its two accounts,
//!   with its amount, version and time, and no other history row exists;
//! - the history of an account is numbered without gaps, and each row's balances
//!   are those before it and its leg;
//! - the account's row is the sum of its legs, and its pending sums are those of
//!   the transfers that are open;
//! - per asset, debits equal credits, posted and pending;
//! - no leg brings an account beyond its limit;
//! - nothing is removed, and no transfer changes but from pending to its end.
//!
//! It shares no arithmetic with the commands. It keeps every transfer it has seen
//! in memory, about 300 bytes each, so as to notice one that is made twice.

mod books;
mod difference;
mod sums;

use std::collections::BTreeMap;

use holdfast_state::{
    Abort, Batch, Fact, Id, Namespace, Read, Table as _, View,
    audit::{AuditEntry, Findings},
    fact::Change,
    key::{BadKey, KeyReader, after_prefix},
    page::each,
    row::Row as _,
    table::{split_key, stored_key},
};

use self::books::Books;
pub use self::{
    difference::{Difference, Report},
    sums::Sums,
};
use crate::TABLES;
use crate::row::{AccountRow, Accounts, History, HistoryRow, TransferRow, Transfers};

/// A namespace's ledger, derived again.
#[derive(Clone, Debug)]
pub struct Audit {
    namespace: Namespace,
    books: Books,
    report: Report,
}

impl Audit {
    /// Begins before the first transaction.
    #[must_use]
    pub fn from_nothing(namespace: Namespace) -> Self {
        Self { namespace, books: Books::default(), report: Report::default() }
    }

    /// Begins with a state, whose rows are checked against one another.
    ///
    /// # Errors
    /// [`Abort`]: the state cannot be read.
    pub fn from_state(state: &impl Read) -> Result<Self, Abort> {
        let mut report = Report::default();
        let (books, _) = load(state, &mut report)?;
        Ok(Self { namespace: state.namespace(), books, report })
    }

    /// Goes on with the transactions of a batch.
    pub fn batch(&mut self, batch: &Batch) {
        for change in batch.changes() {
            match change {
                Ok(change) => self.change(&change),
                Err(_) => self.report.add(Difference::Undecodable { what: "a batch" }),
            }
        }
    }

    /// Goes on with one transaction.
    pub fn change(&mut self, change: &Change) {
        let rows = self.rows_of(change);
        let report = &mut self.report;
        report.transactions += 1;
        let stamp = Some((change.version, change.time));
        for (id, row) in &rows.transfers {
            self.books.transfer(id, row, stamp, report);
        }
        for (id, row) in &rows.accounts {
            self.books.account(id, row, stamp, report);
        }
        for (account, number, row) in &rows.history {
            self.books.leg(account, *number, row, report);
        }
        // Of several rows of one account in a transaction the last holds.
        let last: BTreeMap<&Id, &AccountRow> =
            rows.accounts.iter().map(|(id, row)| (id, row)).collect();
        for (account, _, _) in rows.history.iter().filter(|(id, _, _)| !last.contains_key(id)) {
            report.add(Difference::AccountNotWritten { account: account.clone() });
        }
        for (id, row) in last {
            self.books.compare(id, row, report);
        }
        for (id, _) in &rows.transfers {
            self.books.complete(id, report);
        }
    }

    /// Ends: compares what was derived with the state that there is.
    ///
    /// # Errors
    /// [`Abort`]: the state cannot be read.
    pub fn finish(mut self, state: &impl Read) -> Result<Report, Abort> {
        let (stored, accounts) = load(state, &mut self.report)?;
        let report = &mut self.report;
        for (id, row) in &accounts {
            self.books.compare(id, row, report);
        }
        self.books.compare_all(&stored, report);
        self.books.totals(&accounts, report);
        Ok(self.report)
    }

    fn rows_of(&mut self, change: &Change) -> Rows {
        let mut rows = Rows::default();
        for fact in change.facts() {
            match fact {
                Ok(Fact::Put { key, value }) => {
                    if let Err(Undecodable(what)) = rows.read(self.namespace, key, value) {
                        self.report.add(Difference::Undecodable { what });
                    }
                }
                Ok(Fact::Delete { key }) => {
                    let end = [key, &[0]].concat();
                    self.removed(key, &end);
                }
                Ok(Fact::DeleteRange { from, to }) => self.removed(from, to),
                Err(_) => self.report.add(Difference::Undecodable { what: "a fact" }),
            }
        }
        rows
    }

    /// Notes it when the range `from..to` touches tables that nothing is removed from.
    fn removed(&mut self, from: &[u8], to: &[u8]) {
        for (id, table) in TABLES {
            let start = stored_key(self.namespace, *id, &());
            let end = after_prefix(&start).expect("a table's number is not all FF");
            if from < &end[..] && to > &start[..] {
                self.report.add(Difference::Removed { table });
            }
        }
    }
}

/// How the ledger is audited.
pub const AUDIT: AuditEntry = AuditEntry {
    name: "ledger",
    from_nothing: |namespace| Box::new(Audit::from_nothing(namespace)),
    from_state: |state| Ok(Box::new(Audit::from_state(state)?)),
};

impl holdfast_state::audit::Audit for Audit {
    fn batch(&mut self, batch: &Batch) {
        self.batch(batch);
    }

    fn finish(self: Box<Self>, state: &View) -> Result<Findings, Abort> {
        let report = (*self).finish(state)?;
        Ok(Findings {
            transactions: report.transactions,
            counts: vec![("accounts", report.accounts), ("transfers", report.transfers)],
            differences: report.differences.in_words(),
        })
    }
}

/// Which table's key or row does not decode.
struct Undecodable(&'static str);

/// The ledger's rows that one transaction wrote, in its order.
#[derive(Default)]
struct Rows {
    transfers: Vec<(Id, TransferRow)>,
    accounts: Vec<(Id, AccountRow)>,
    history: Vec<(Id, u64, HistoryRow)>,
}

impl Rows {
    fn read(&mut self, of: Namespace, key: &[u8], value: &[u8]) -> Result<(), Undecodable> {
        let Some((namespace, table, mut parts)) = split_key(key) else { return Ok(()) };
        if namespace != of {
            return Ok(());
        }
        match table {
            Transfers::ID => {
                let id = parts.id().map_err(|_| Undecodable(Transfers::NAME))?;
                let row = TransferRow::parse(value).map_err(|_| Undecodable(Transfers::NAME))?;
                self.transfers.push((id, row));
            }
            Accounts::ID => {
                let id = parts.id().map_err(|_| Undecodable(Accounts::NAME))?;
                let row = AccountRow::parse(value).map_err(|_| Undecodable(Accounts::NAME))?;
                self.accounts.push((id, row));
            }
            History::ID => {
                let (id, number) = numbered(&mut parts).map_err(|_| Undecodable(History::NAME))?;
                let row = HistoryRow::parse(value).map_err(|_| Undecodable(History::NAME))?;
                self.history.push((id, number, row));
            }
            _ => {}
        }
        Ok(())
    }
}

fn numbered(parts: &mut KeyReader<'_>) -> Result<(Id, u64), BadKey> {
    Ok((parts.id()?, parts.u64()?))
}

/// A state's books, with its rows checked against one another, and its accounts.
fn load(
    state: &impl Read,
    report: &mut Report,
) -> Result<(Books, BTreeMap<Id, AccountRow>), Abort> {
    let mut books = Books::default();
    let mut accounts = BTreeMap::new();
    each::<Transfers>(state, |found| {
        books.transfer(&found.key().id()?, &found.row, None, report);
        Ok(())
    })?;
    each::<Accounts>(state, |found| {
        let id = found.key().id()?;
        books.account(&id, &found.row, None, report);
        accounts.insert(id, found.row);
        Ok(())
    })?;
    each::<History>(state, |found| {
        let (id, number) = numbered(&mut found.key())?;
        books.leg(&id, number, &found.row, report);
        Ok(())
    })?;
    for (id, row) in &accounts {
        books.compare(id, row, report);
    }
    books.complete_all(report);
    books.totals(&accounts, report);
    Ok((books, accounts))
}
