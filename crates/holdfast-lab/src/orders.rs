//! Orders of a shop: goods and money in double entry, invoice by invoice.
//!
//! Units of each stock code lie in an account that cannot be overdrawn, so nothing is
//! sold that is not there. A line that sells moves the units out and the money in as
//! one; an invoice is sold as a whole, or, where something is missing, line by line, and
//! the money of what is missing waits among the back-orders. Returns bring units and
//! money back; postage, discounts, fees, vouchers and bad debt have accounts of their
//! own. So what all accounts say together is what the invoices say, to the penny.
//!
//! Invoices come from [`online_retail`]; `lane` asks, `model` judges.

mod lane;
mod model;
pub mod online_retail;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use self::lane::OrderLane;
use crate::{
    history::History,
    request::{Request, operation},
    scenario::{Counts, Lane, Look, Scenario, Wrong},
};

/// The money: thousandths of a pound, since some prices are.
const MONEY: &str = "GBP-MILLS";

/// The goods.
const UNITS: &str = "UNITS";

/// One line of an invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The stock code, of a line that moves goods.
    pub code: Option<String>,
    /// Units that leave the shop; negative for those that come back.
    pub units: i64,
    /// What the customer owes for it, in thousandths of a pound; negative for what the
    /// customer gets back.
    pub mills: i64,
    /// Whose the money is.
    pub account: &'static str,
}

/// An invoice, or a part of a long one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoice {
    /// Its number, and which part it is.
    pub id: String,
    /// Who owes.
    pub customer: String,
    /// Its lines.
    pub lines: Vec<Line>,
}

/// Invoices in the order in which they are written.
#[derive(Clone, Debug)]
pub struct Orders {
    /// What people call it.
    pub name: String,
    /// In order.
    pub invoices: Vec<Invoice>,
    /// Units there are at first, by stock code.
    pub stock: BTreeMap<String, i64>,
    /// What all lines of the file come to, in thousandths of a pound.
    pub total: i64,
    /// Lines that stand there twice; they are sold twice.
    pub repeated: u64,
    /// Lines that are none, by reason.
    pub rejected: BTreeMap<&'static str, u64>,
}

impl Orders {
    /// This share, in percent, of the most that was out at one time: less than all, so
    /// that something is missing now and then.
    #[must_use]
    pub fn stock_for(invoices: &[Invoice], percent: i64) -> BTreeMap<String, i64> {
        let mut out: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
        for line in invoices.iter().flat_map(|invoice| &invoice.lines) {
            if let Some(code) = &line.code {
                let (now, most) = out.entry(code).or_default();
                *now += line.units;
                *most = (*most).max(*now);
            }
        }
        let stock = out.into_iter().map(|(code, (_, most))| {
            (code.to_owned(), (most.saturating_mul(percent) / 100).max(1))
        });
        stock.collect()
    }

    /// Accounts of money: customers', and those that lines name.
    fn money_accounts(&self) -> BTreeSet<&str> {
        let lines = self.invoices.iter().flat_map(|invoice| &invoice.lines);
        let customers = self.invoices.iter().map(|invoice| invoice.customer.as_str());
        let named = lines.map(|line| line.account);
        named.chain(customers).chain([BACK_ORDERS]).collect()
    }
}

/// Where the money of lines waits whose goods are missing.
const BACK_ORDERS: &str = "back-orders";

/// Where goods come from at first, and where they go.
const SUPPLIERS: &str = "suppliers";
const SOLD: &str = "sold";

/// The account of a stock code's units.
fn units_of(code: &str) -> String {
    format!("stock:{}", code.replace(' ', "_"))
}

fn open(id: &str, asset: &str, limit: &str) -> Value {
    operation("ledger.open_account", json!({ "id": id, "asset": asset, "limit": limit }))
}

impl Scenario for Orders {
    fn name(&self) -> &str {
        &self.name
    }

    fn prepare(&self) -> Vec<Request> {
        let mut operations = vec![
            operation("ledger.declare_asset", json!({ "asset": MONEY, "exponent": 3 })),
            operation("ledger.declare_asset", json!({ "asset": UNITS, "exponent": 0 })),
            open(SUPPLIERS, UNITS, "none"),
            open(SOLD, UNITS, "none"),
        ];
        operations.extend(self.money_accounts().into_iter().map(|id| open(id, MONEY, "none")));
        for (code, units) in &self.stock {
            let account = units_of(code);
            operations.push(open(&account, UNITS, "debits_not_above_credits"));
            let delivered = json!({
                "debit_account": SUPPLIERS, "credit_account": account, "amount": units
            });
            operations.push(operation("ledger.transfer", delivered));
        }
        let pieces = operations.chunks(100).enumerate();
        pieces
            .map(|(number, piece)| {
                Request::write(format!("prepare-{number}"), "prepare", piece.to_vec())
            })
            .collect()
    }

    fn lanes(&self, count: usize) -> Vec<Box<dyn Lane>> {
        let lane = |number| -> Box<dyn Lane> {
            let own = self.invoices.iter().enumerate();
            let own = own.filter(|(index, _)| index % count == number);
            Box::new(OrderLane::new(own.map(|(index, invoice)| (index, invoice.clone()))))
        };
        (0..count).map(lane).collect()
    }

    fn expected(&self) -> u64 {
        self.invoices.len() as u64
    }

    fn judge(&self, history: &History, look: &mut dyn Look) -> Result<Counts, Wrong> {
        model::judge(self, history, look)
    }
}
