//! Invoices of one lane, one after the other.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::{BACK_ORDERS, Invoice, Line, SOLD, units_of};
use crate::{
    request::{Answer, Request, operation},
    scenario::Lane,
};

/// What a lane waits to be answered.
#[derive(Debug)]
enum Asked {
    /// All of the invoice.
    Whole(usize, Invoice),
    /// Line by line.
    Lines(usize, Invoice),
    /// What is missing.
    BackOrder,
}

/// Invoices of one lane.
#[derive(Debug)]
pub(super) struct OrderLane {
    invoices: VecDeque<(usize, Invoice)>,
    asked: Option<Asked>,
}

impl OrderLane {
    pub(super) fn new(invoices: impl Iterator<Item = (usize, Invoice)>) -> Self {
        Self { invoices: invoices.collect(), asked: None }
    }

    fn follow(asked: Asked, answer: &Answer) -> Option<(Asked, Request)> {
        match asked {
            Asked::Whole(index, invoice) if !answer.is_done() => {
                let operations = operations(&invoice);
                let request = Request::write(format!("i{index}-lines"), "line by line", operations);
                Some((Asked::Lines(index, invoice), request.each()))
            }
            Asked::Lines(index, invoice) => {
                let results = answer.results();
                let missing = invoice.lines.iter().zip(results);
                let missing = missing.filter(|(_, result)| result["outcome"] == "refused");
                let owed: Vec<_> = missing
                    .filter_map(|(line, _)| money(&invoice.customer, BACK_ORDERS, line.mills))
                    .map(|transfer| operation("ledger.transfer", transfer))
                    .collect();
                let request = Request::write(format!("i{index}-back"), "back-order", owed);
                (!request.operations.is_empty()).then_some((Asked::BackOrder, request))
            }
            Asked::Whole(..) | Asked::BackOrder => None,
        }
    }
}

/// One operation for each line.
fn operations(invoice: &Invoice) -> Vec<Value> {
    invoice.lines.iter().map(|line| line_operation(&invoice.customer, line)).collect()
}

/// Goods and money of a line, as one.
fn line_operation(customer: &str, line: &Line) -> Value {
    let transfers: Vec<_> =
        goods(line).into_iter().chain(money(customer, line.account, line.mills)).collect();
    operation("ledger.transfer_linked", json!({ "transfers": transfers }))
}

fn goods(line: &Line) -> Option<Value> {
    let stock = units_of(line.code.as_ref()?);
    transfer(&stock, SOLD, line.units)
}

/// What the customer owes goes to the account; what is owed to the customer comes back.
fn money(customer: &str, account: &str, mills: i64) -> Option<Value> {
    transfer(customer, account, mills)
}

/// A transfer of an amount, the other way round if it is negative; none of nothing.
fn transfer(from: &str, to: &str, amount: i64) -> Option<Value> {
    let (from, to) = if amount > 0 { (from, to) } else { (to, from) };
    let (debit, credit) = (from, to);
    let transfer = json!({
        "debit_account": debit, "credit_account": credit, "amount": amount.unsigned_abs()
    });
    (amount != 0).then_some(transfer)
}

impl Lane for OrderLane {
    fn next(&mut self, last: Option<&Answer>) -> Option<Request> {
        let following =
            self.asked.take().zip(last).and_then(|(asked, answer)| Self::follow(asked, answer));
        let (asked, request) = match following {
            Some(following) => following,
            None => {
                let (index, invoice) = self.invoices.pop_front()?;
                let request = Request::write(format!("i{index}"), "invoice", operations(&invoice));
                (Asked::Whole(index, invoice), request)
            }
        };
        self.asked = Some(asked);
        Some(request)
    }
}
