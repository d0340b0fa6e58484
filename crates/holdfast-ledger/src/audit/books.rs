//! The books an audit keeps: what every account and transfer has come to.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_state::{Amount, Id, LogTime, Version};

use super::{
    difference::{Difference, Report},
    sums::Sums,
};
use crate::{
    Asset, Limit,
    balances::{Event, Side},
    row::{AccountRow, HistoryRow, Status, TransferRow},
};

#[derive(Clone, Debug, Default)]
pub(super) struct Books {
    accounts: BTreeMap<Id, AccountBook>,
    transfers: BTreeMap<Id, TransferBook>,
}

/// What an account has come to.
#[derive(Clone, Debug, Default)]
struct AccountBook {
    /// Its latest row; `None` while only legs speak of it. Its sums are not believed.
    row: Option<AccountRow>,
    /// The sum of its legs.
    sums: Sums,
    /// What its last history row says.
    chain: Sums,
    /// The number of its last history row.
    changes: u64,
    /// The version of its last history row.
    version: Version,
}

/// A transfer as it stands, and which of its legs have been seen.
#[derive(Clone, Debug)]
struct TransferBook {
    row: TransferRow,
    legs: BTreeSet<(Event, Side)>,
}

impl TransferBook {
    /// The events it has had.
    fn events(&self) -> impl Iterator<Item = Event> {
        let first = if self.row.began_pending() { Event::Pending } else { Event::Posted };
        let last = match self.row.status {
            Status::Posted => self.row.resolution.map(|_| Event::PostedPending),
            Status::Pending => None,
            Status::Voided => Some(Event::Voided),
            Status::Expired => Some(Event::Expired),
        };
        std::iter::once(first).chain(last)
    }

    fn missing(&self) -> impl Iterator<Item = (Event, Side)> {
        let legs = self.events().flat_map(|event| [(event, Side::Debit), (event, Side::Credit)]);
        legs.filter(|leg| !self.legs.contains(leg))
    }
}

/// What is wrong with a transfer that stands alone.
fn malformed(row: &TransferRow) -> Option<&'static str> {
    let ended = row.resolution.map(|end| end.amount);
    let fits = match (row.status, ended) {
        (Status::Posted, None) | (Status::Pending, None) => true,
        (Status::Posted, Some(posted)) => posted.is_positive() && posted <= row.amount,
        (Status::Voided | Status::Expired, Some(posted)) => posted == Amount::ZERO,
        (Status::Pending, Some(_)) | (Status::Voided | Status::Expired, None) => false,
    };
    match () {
        () if row.debit_account == row.credit_account => Some("credit_account"),
        () if !row.amount.is_positive() => Some("amount"),
        () if !fits => Some("resolution"),
        () => None,
    }
}

/// What differs between a pending transfer and its end that must not.
fn changed(before: &TransferRow, after: &TransferRow) -> Option<&'static str> {
    let allowed = TransferRow {
        status: after.status,
        resolution: after.resolution,
        unknown: after.unknown.clone(),
        ..before.clone()
    };
    match () {
        () if before.status != Status::Pending || after.status == Status::Pending => Some("status"),
        () if allowed != *after => Some("content"),
        () => None,
    }
}

impl Books {
    /// A row of a transfer. `stamp` is the version and time of the transaction that
    /// wrote it, when the row comes from the log.
    pub(super) fn transfer(
        &mut self,
        id: &Id,
        row: &TransferRow,
        stamp: Option<(Version, LogTime)>,
        report: &mut Report,
    ) {
        if let Some(field) = malformed(row) {
            report.add(Difference::TransferMalformed { transfer: id.clone(), field });
        }
        let written = row.resolution.map_or((row.version, row.time), |end| (end.version, end.time));
        if stamp.is_some_and(|stamp| stamp != written) {
            report.add(Difference::TransferStamp { transfer: id.clone() });
        }
        let Some(book) = self.transfers.get_mut(id) else {
            if stamp.is_some() && row.resolution.is_some() {
                let transfer = id.clone();
                report.add(Difference::TransferMalformed { transfer, field: "beginning" });
            }
            report.transfers += u64::from(stamp.is_some());
            let book = TransferBook { row: row.clone(), legs: BTreeSet::new() };
            self.transfers.insert(id.clone(), book);
            return;
        };
        if row.resolution.is_none() {
            report.add(Difference::TransferDoubled { transfer: id.clone() });
        } else if let Some(field) = changed(&book.row, row) {
            report.add(Difference::TransferChanged { transfer: id.clone(), field });
        }
        book.row = row.clone();
    }

    /// A row of an account, for what does not come from transfers. `stamp` is as
    /// for a transfer.
    pub(super) fn account(
        &mut self,
        id: &Id,
        row: &AccountRow,
        stamp: Option<(Version, LogTime)>,
        report: &mut Report,
    ) {
        let sums = Sums::of(&row.balances);
        if row.closed_at.is_some() && (!sums.is_balanced() || sums.pending() != Sums::default()) {
            report.add(Difference::ClosedNotEmpty { account: id.clone() });
        }
        if stamp.is_some_and(|(version, _)| version != row.version) {
            report.add(Difference::AccountStamp { account: id.clone() });
        }
        let book = self.accounts.entry(id.clone()).or_default();
        let before = book.row.replace(row.clone());
        let field = match before {
            Some(before) if before.asset != row.asset => "asset",
            Some(before) if before.limit != row.limit => "limit",
            Some(before) if before.opened_at != row.opened_at => "opened_at",
            // In the log an account begins with the row of its opening.
            None if stamp.is_some_and(|(_, time)| row.changes > 0 || time != row.opened_at) => {
                "beginning"
            }
            Some(_) | None => return,
        };
        report.add(Difference::AccountChanged { account: id.clone(), field });
    }

    /// A history row: a leg of a transfer.
    pub(super) fn leg(&mut self, account: &Id, number: u64, row: &HistoryRow, report: &mut Report) {
        report.legs += 1;
        let book = self.accounts.entry(account.clone()).or_default();
        let expected = book.changes.wrapping_add(1);
        if number != expected {
            let account = account.clone();
            report.add(Difference::HistoryNumber { account, expected, found: number });
        }
        if row.version < book.version {
            report.add(Difference::HistoryOrder { account: account.clone(), number });
        }
        (book.changes, book.version) = (number, row.version);
        let stored = Sums::of(&row.balances);
        let before = std::mem::replace(&mut book.chain, stored);
        let Some(transfer) = self.transfers.get_mut(&row.transfer) else {
            report.add(Difference::LegForeign { account: account.clone(), number });
            return;
        };
        let is_its = match row.side {
            Side::Debit => transfer.row.debit_account == *account,
            Side::Credit => transfer.row.credit_account == *account,
        };
        if !is_its || !transfer.events().any(|event| event == row.event) {
            report.add(Difference::LegForeign { account: account.clone(), number });
            return;
        }
        let made = transfer.row.amount.get();
        let posted = transfer.row.resolution.map_or(0, |end| end.amount.get());
        let derived = before.and_leg(row.side, row.event, made, posted);
        if derived != stored {
            let account = account.clone();
            report.add(Difference::HistoryBalances { account, number, derived, stored });
        }
        if let Some(field) = leg_differs(&transfer.row, row) {
            report.add(Difference::LegDiffers { account: account.clone(), number, field });
        }
        if !transfer.legs.insert((row.event, row.side)) {
            let (account, transfer) = (account.clone(), row.transfer.clone());
            report.add(Difference::LegDoubled { account, number, transfer });
            return;
        }
        let was = book.sums;
        book.sums = was.and_leg(row.side, row.event, made, posted);
        let limit = book.row.as_ref().map_or(Limit::None, |row| row.limit);
        if was.within(limit) && !book.sums.within(limit) {
            report.add(Difference::LimitBroken { account: account.clone(), number });
        }
    }

    /// The row of an account, for what its legs must sum up to.
    pub(super) fn compare(&self, id: &Id, row: &AccountRow, report: &mut Report) {
        let none = AccountBook::default();
        let book = self.accounts.get(id).unwrap_or(&none);
        let stored = Sums::of(&row.balances);
        if book.sums != stored {
            let (account, derived) = (id.clone(), book.sums);
            report.add(Difference::AccountBalances { account, derived, stored });
        }
        if book.changes != row.changes {
            let (account, derived, stored) = (id.clone(), book.changes, row.changes);
            report.add(Difference::AccountChanges { account, derived, stored });
        }
    }

    /// Every event of the transfer has both its legs?
    pub(super) fn complete(&self, id: &Id, report: &mut Report) {
        for (event, side) in self.transfers.get(id).into_iter().flat_map(TransferBook::missing) {
            report.add(Difference::LegMissing { transfer: id.clone(), event, side });
        }
    }

    pub(super) fn complete_all(&self, report: &mut Report) {
        self.transfers.keys().for_each(|id| self.complete(id, report));
        for (id, _) in self.accounts.iter().filter(|(_, book)| book.row.is_none()) {
            report.add(Difference::AccountMissing { account: id.clone() });
        }
    }

    /// What the log says, against what the state says of itself.
    pub(super) fn compare_all(&self, stored: &Self, report: &mut Report) {
        self.complete_all(report);
        let ids: BTreeSet<&Id> = self.transfers.keys().chain(stored.transfers.keys()).collect();
        for id in ids {
            let row = |books: &Self| books.transfers.get(id).map(|book| book.row.clone());
            if row(self) != row(stored) {
                report.add(Difference::TransferDiffers { transfer: id.clone() });
            }
        }
        let ids: BTreeSet<&Id> = self.accounts.keys().chain(stored.accounts.keys()).collect();
        for id in ids {
            let row = |books: &Self| books.accounts.get(id).and_then(|book| book.row.clone());
            if row(self) != row(stored) {
                report.add(Difference::AccountDiffers { account: id.clone() });
            }
        }
        report.transfers = u64::try_from(self.transfers.len()).expect("a count");
    }

    /// The sums over all accounts: debits are credits, and pending is what is open.
    pub(super) fn totals(&self, accounts: &BTreeMap<Id, AccountRow>, report: &mut Report) {
        report.accounts = u64::try_from(accounts.len()).expect("a count");
        let mut assets: BTreeMap<Asset, Sums> = BTreeMap::new();
        for row in accounts.values() {
            let sums = assets.entry(row.asset).or_default();
            *sums = sums.plus(Sums::of(&row.balances));
        }
        for (asset, sums) in assets.into_iter().filter(|(_, sums)| !sums.is_balanced()) {
            report.add(Difference::Unbalanced { asset, sums });
        }
        let mut open: BTreeMap<&Id, Sums> = BTreeMap::new();
        let pending = self.transfers.values().filter(|book| book.row.status == Status::Pending);
        for TransferBook { row, .. } in pending {
            let made = row.amount.get();
            for (account, side) in
                [(&row.debit_account, Side::Debit), (&row.credit_account, Side::Credit)]
            {
                let sums = open.entry(account).or_default();
                *sums = sums.and_leg(side, Event::Pending, made, 0);
            }
        }
        for (id, row) in accounts {
            let stored = Sums::of(&row.balances);
            let open = open.get(id).copied().unwrap_or_default();
            if stored.pending() != open {
                report.add(Difference::PendingTotals { account: id.clone(), open, stored });
            }
        }
    }
}

/// What a leg says otherwise than its transfer.
fn leg_differs(transfer: &TransferRow, leg: &HistoryRow) -> Option<&'static str> {
    let made = (transfer.amount, transfer.version, transfer.time);
    let (amount, version, time) = match (leg.event, transfer.resolution) {
        (Event::PostedPending, Some(end)) => (end.amount, end.version, end.time),
        (Event::Voided | Event::Expired, Some(end)) => (transfer.amount, end.version, end.time),
        (Event::Posted | Event::Pending, _) | (_, None) => made,
    };
    match () {
        () if leg.amount != amount => Some("amount"),
        () if leg.version != version => Some("version"),
        () if leg.time != time => Some("time"),
        () => None,
    }
}
