//! The online retail data set: real invoices of a shop for gifts.
//!
//! Chen, D. (2015): "Online Retail", UCI Machine Learning Repository,
//! <https://doi.org/10.24432/C5BW33>. One row is one line of an invoice. An invoice
//! whose number begins with `C` is a credit note, one with `A` an adjustment for bad
//! debt; stock codes without a number are postage, discounts, fees and the like. A
//! negative quantity outside a credit note corrects the stock.

use std::{
    collections::{BTreeMap, HashSet},
    io::Read,
};

use anyhow::Context as _;
use serde::Deserialize;

use super::{Invoice, Line, Orders};

/// How many units there are at first, in percent of the most that were out at one time.
const STOCK_PERCENT: i64 = 90;

/// Lines of one transaction.
const LINES_MAX: usize = 100;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    invoice_no: String,
    stock_code: String,
    quantity: String,
    unit_price: String,
    #[serde(rename = "CustomerID")]
    customer_id: String,
}

/// Reads the data set, in file order.
///
/// # Errors
/// When a line is not of the data set at all; a row that is none is counted by its reason,
/// and left out. Lines that stand there twice are kept: a customer may have bought twice.
pub fn read(file: impl Read) -> anyhow::Result<Orders> {
    let (mut invoices, mut rejected) = (Vec::<Invoice>::new(), BTreeMap::new());
    let (mut seen, mut repeated) = (HashSet::new(), 0);
    let (mut number, mut part, mut total) = (String::new(), 0, 0_i64);
    for (at, row) in csv::Reader::from_reader(file).deserialize().enumerate() {
        let row: Row = row.with_context(|| format!("line {}", at + 2))?;
        if !seen.insert(format!("{row:?}")) {
            repeated += 1;
        }
        let line = match line(&row) {
            Ok(line) => line,
            Err(why) => {
                *rejected.entry(why).or_default() += 1;
                continue;
            }
        };
        total += line.mills;
        let goes_on = row.invoice_no == number;
        let open = invoices.last_mut().filter(|open| goes_on && open.lines.len() < LINES_MAX);
        match open {
            Some(open) => open.lines.push(line),
            None => {
                part = if goes_on { part + 1 } else { 0 };
                number.clone_from(&row.invoice_no);
                let id = format!("{number}-{part}");
                invoices.push(Invoice { id, customer: customer(&row), lines: vec![line] });
            }
        }
    }
    let stock = Orders::stock_for(&invoices, STOCK_PERCENT);
    Ok(Orders { name: "online-retail".to_owned(), invoices, stock, total, repeated, rejected })
}

fn customer(row: &Row) -> String {
    match row.customer_id.as_str() {
        "" => "customer:unknown".to_owned(),
        id => format!("customer:{id}"),
    }
}

/// What a row says, or why it says nothing.
fn line(row: &Row) -> Result<Line, &'static str> {
    let quantity: i64 = row.quantity.parse().map_err(|_| "the quantity is no number")?;
    let price = mills(&row.unit_price).ok_or("the price is no amount")?;
    let owed = quantity.checked_mul(price).ok_or("the amount is too large")?;
    let is_credit = row.invoice_no.starts_with('C');
    let Some(account) = special(&row.stock_code) else {
        if quantity == 0 {
            return Err("no units");
        }
        let account = if is_credit { "returns" } else { "sales" };
        let code = Some(row.stock_code.clone());
        return Ok(Line { code, units: quantity, mills: owed, account });
    };
    if owed == 0 {
        return Err("neither goods nor money");
    }
    Ok(Line { code: None, units: 0, mills: owed, account })
}

/// The account of a stock code that is no goods.
fn special(code: &str) -> Option<&'static str> {
    Some(match code {
        "POST" | "DOT" | "C2" => "carriage",
        "D" => "discounts",
        "M" | "m" => "manual",
        "S" => "samples",
        "B" => "bad-debt",
        "CRUK" => "charity",
        "BANK CHARGES" | "AMAZONFEE" => "fees",
        code if code.starts_with("gift_") => "vouchers",
        code if code.starts_with(|first: char| first.is_ascii_digit()) => return None,
        // Free gifts and the like: goods under a name.
        _ => return None,
    })
}

/// An amount with up to three decimal places, in thousandths.
fn mills(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if part.len() > 3 || !part.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let sign = if whole.starts_with('-') { -1 } else { 1 };
    let whole: i64 = whole.parse().ok()?;
    let part: i64 = format!("{part:0<3}").parse().ok()?;
    whole.checked_mul(1_000)?.checked_add(sign * part)
}
