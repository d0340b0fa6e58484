//! What orders must come to: two maps of balances, told of every request in version
//! order, compared outcome by outcome and account by account.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{BACK_ORDERS, Invoice, Line, Orders, SOLD, SUPPLIERS, units_of};
use crate::{
    history::{History, Record},
    request::operation,
    scenario::{Counts, Look, Wrong, shown},
};

struct Model<'a> {
    scenario: &'a Orders,
    units: BTreeMap<&'a str, i64>,
    out: i64,
    money: BTreeMap<&'a str, i64>,
    /// Invoices whose lines were sold one by one: which are missing.
    missing: BTreeMap<usize, Vec<&'a Line>>,
    counts: BTreeMap<&'static str, i64>,
}

pub(super) fn judge(
    scenario: &Orders,
    history: &History,
    look: &mut dyn Look,
) -> Result<Counts, Wrong> {
    let mut model = Model {
        scenario,
        units: scenario.stock.iter().map(|(code, units)| (code.as_str(), *units)).collect(),
        out: 0,
        money: scenario.money_accounts().into_iter().map(|account| (account, 0)).collect(),
        missing: BTreeMap::new(),
        counts: BTreeMap::new(),
    };
    for record in history.records() {
        model.take(record)?;
    }
    model.check_accounts(look)?;
    model.check_total()?;
    Ok(model.counts())
}

impl<'a> Model<'a> {
    fn take(&mut self, record: &Record) -> Result<(), Wrong> {
        let scenario = self.scenario;
        let index = index_of(&record.key).ok_or_else(|| Wrong(shown(record)))?;
        let invoice = &scenario.invoices[index];
        match record.label {
            "invoice" => self.whole(invoice, record),
            "line by line" => self.lines(index, invoice, record),
            _ => self.back_order(index, invoice, record),
        }
    }

    fn count(&mut self, what: &'static str, by: usize) {
        *self.counts.entry(what).or_default() += i64::try_from(by).unwrap_or(i64::MAX);
    }

    /// Sells a line, if its goods are there.
    fn sell(&mut self, customer: &'a str, line: &'a Line) -> bool {
        if let Some(code) = &line.code {
            let units = self.units.entry(code).or_default();
            if *units < line.units {
                return false;
            }
            *units -= line.units;
            self.out += line.units;
        }
        self.pay(customer, line.account, line.mills);
        true
    }

    fn pay(&mut self, customer: &'a str, account: &'a str, mills: i64) {
        *self.money.entry(customer).or_default() -= mills;
        *self.money.entry(account).or_default() += mills;
    }

    fn whole(&mut self, invoice: &'a Invoice, record: &Record) -> Result<(), Wrong> {
        let before = (self.units.clone(), self.out, self.money.clone());
        let mut lines = invoice.lines.iter();
        let sold = lines.all(|line| self.sell(&invoice.customer, line));
        if sold {
            self.count("invoices sold as a whole", 1);
        } else {
            (self.units, self.out, self.money) = before;
        }
        let expected = (!sold).then_some("exceeds_limit");
        same(record, record.answer.refused.as_deref(), expected)
    }

    fn lines(&mut self, index: usize, invoice: &'a Invoice, record: &Record) -> Result<(), Wrong> {
        same(record, record.answer.refused.as_deref(), None)?;
        self.count("invoices sold line by line", 1);
        let mut missing = Vec::new();
        for (line, result) in invoice.lines.iter().zip(record.answer.results()) {
            let sold = self.sell(&invoice.customer, line);
            let expected = (!sold).then_some("exceeds_limit");
            same(record, result["code"].as_str(), expected)?;
            if !sold {
                missing.push(line);
            }
        }
        self.count("lines back-ordered", missing.len());
        self.missing.insert(index, missing);
        Ok(())
    }

    fn back_order(
        &mut self,
        index: usize,
        invoice: &'a Invoice,
        record: &Record,
    ) -> Result<(), Wrong> {
        same(record, record.answer.refused.as_deref(), None)?;
        for line in self.missing.remove(&index).unwrap_or_default() {
            self.pay(&invoice.customer, BACK_ORDERS, line.mills);
        }
        Ok(())
    }

    fn check_accounts(&self, look: &mut dyn Look) -> Result<(), Wrong> {
        let delivered: i64 = self.scenario.stock.values().sum();
        let units = self.units.iter().map(|(code, units)| (units_of(code), *units));
        let goods = [(SUPPLIERS.to_owned(), -delivered), (SOLD.to_owned(), self.out)];
        let money = self.money.iter().map(|(account, mills)| ((*account).to_owned(), *mills));
        let expected: Vec<(String, i64)> = units.chain(goods).chain(money).collect();
        let accounts = expected.iter();
        let operations: Vec<Value> =
            accounts.map(|(id, _)| operation("ledger.account", json!({ "id": id }))).collect();
        let found = look
            .look(operations)
            .map_err(|error| Wrong(format!("the accounts cannot be looked at: {error:#}")))?;
        for ((account, balance), found) in expected.into_iter().zip(found) {
            if found["balance"] != balance {
                let what = format!("{account} has {}, and should have {balance}", found["balance"]);
                return Wrong::because(what);
            }
        }
        Ok(())
    }

    /// What customers owe is what all lines come to, however they were booked.
    fn check_total(&self) -> Result<(), Wrong> {
        let customers = self.scenario.invoices.iter().map(|invoice| invoice.customer.as_str());
        let customers: std::collections::BTreeSet<&str> = customers.collect();
        let owed: i64 = customers.into_iter().map(|customer| -self.money[customer]).sum();
        // The money of missing lines whose back-order was never booked is owed by nobody.
        let unbooked: i64 = self.missing.values().flatten().map(|line| line.mills).sum();
        if owed + unbooked != self.scenario.total || unbooked != 0 {
            let total = self.scenario.total;
            return Wrong::because(format!("customers owe {owed}, and the invoices say {total}"));
        }
        Ok(())
    }

    fn counts(self) -> Counts {
        let rejected = self.scenario.rejected.iter();
        let rejected = rejected.map(|(why, count)| {
            (format!("rejected: {why}"), i64::try_from(*count).unwrap_or(i64::MAX))
        });
        let counts = self.counts.into_iter().map(|(what, count)| (what.to_owned(), count));
        let customers = self.scenario.invoices.iter().map(|invoice| invoice.customer.as_str());
        let customers: std::collections::BTreeSet<&str> = customers.collect();
        let accounts = self.money.into_iter().filter(|(account, _)| !customers.contains(account));
        let accounts =
            accounts.map(|(account, mills)| (format!("{account}, in pence"), mills / 10));
        let repeated = i64::try_from(self.scenario.repeated).unwrap_or(i64::MAX);
        let repeated = [("the same line twice".to_owned(), repeated)];
        let total = [("all invoices, in pence".to_owned(), self.scenario.total / 10)];
        rejected.chain(repeated).chain(counts).chain(accounts).chain(total).collect()
    }
}

fn same(record: &Record, found: Option<&str>, expected: Option<&str>) -> Result<(), Wrong> {
    if found == expected {
        return Ok(());
    }
    let (found, expected) = (found.unwrap_or("done"), expected.unwrap_or("done"));
    Wrong::because(format!("{} was {found}, and should be {expected}", shown(record)))
}

fn index_of(key: &str) -> Option<usize> {
    key.strip_prefix('i')?.split('-').next()?.parse().ok()
}
