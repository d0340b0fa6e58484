//! Published data sets, replayed against a node in this process: their first rows where
//! `HOLDFAST_TEST_DATA` names a directory that has them, and rows made up in their form.

use std::{fs::File, path::PathBuf};

use holdfast_lab::{
    Options, Report, Scenario, Target, bookings::hotel, orders::online_retail, run,
};

/// A file of the data sets; tells when there is none.
fn real(path: &str) -> Option<File> {
    let found = std::env::var_os("HOLDFAST_TEST_DATA").map(|dir| PathBuf::from(dir).join(path));
    let file = found.and_then(|path| File::open(path).ok());
    if file.is_none() {
        eprintln!("skipped: HOLDFAST_TEST_DATA does not lead to {path}");
    }
    file
}

fn replay(scenario: &dyn Scenario) -> Report {
    let data = tempfile::tempdir().unwrap();
    let target = Target::in_process(&data.path().join("data")).unwrap();
    let options = Options {
        concurrency: 8,
        duplicates_percent: 10,
        kills: 0,
        stop_after: None,
        history: None,
        seed: 3,
        progress: false,
    };
    let report = run(scenario, &target, &options).unwrap();
    target.close().unwrap();
    assert_eq!(report.verdict, Ok(()), "{:?}", report.counts);
    report
}

fn count(report: &Report, what: &str) -> i64 {
    let found = report.counts.iter().find(|(name, _)| name == what);
    found.unwrap_or_else(|| panic!("nothing was told of {what}: {:?}", report.counts)).1
}

#[test]
fn hotel_bookings() {
    let Some(file) = real("hotel_bookings/hotel_bookings_first_500.csv") else { return };
    let bookings = hotel::read(file).unwrap();
    assert_eq!(bookings.bookings.len(), 493);
    let report = replay(&bookings);
    assert_eq!(count(&report, "rejected: no nights"), 7);
    assert!(count(&report, "found no room") > 0, "{:?}", report.counts);
}

#[test]
fn online_retail_to_the_penny() {
    let Some(file) = real("online_retail/order_lines_first_200_invoices.csv") else { return };
    let orders = online_retail::read(file).unwrap();
    // sum(Quantity * UnitPrice) of the file, in thousandths.
    assert_eq!(orders.total, 72_240_740);
    let report = replay(&orders);
    assert!(count(&report, "lines back-ordered") > 0, "{:?}", report.counts);
}

/// Sales, a return, postage, a discount, a stock correction, bad debt, and dirt.
const INVOICES: &str = "\
InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
1,85123A,HOLDER,6,2010-12-01T08:26:00,2.55,17850,United Kingdom
1,POST,POSTAGE,1,2010-12-01T08:26:00,18.00,17850,United Kingdom
1,71053,LANTERN,100,2010-12-01T08:26:00,0.001,17850,United Kingdom
2,85123A,HOLDER,20,2010-12-01T08:28:00,2.55,,United Kingdom
C3,85123A,HOLDER,-6,2010-12-01T08:30:00,2.55,17850,United Kingdom
C3,D,Discount,-1,2010-12-01T08:30:00,27.50,17850,United Kingdom
4,71053,damaged,-3,2010-12-01T08:31:00,0,,United Kingdom
A5,B,Adjust bad debt,1,2010-12-01T08:32:00,-11062.06,,United Kingdom
6,71053,LANTERN,many,2010-12-01T08:33:00,1,17850,United Kingdom
6,71053,LANTERN,1,2010-12-01T08:33:00,1.2345,17850,United Kingdom
6,71053,LANTERN,0,2010-12-01T08:33:00,1,17850,United Kingdom
";

#[test]
fn made_up_invoices() {
    let orders = online_retail::read(INVOICES.as_bytes()).unwrap();
    assert_eq!(orders.total, 15_300 + 18_000 + 100 + 51_000 - 15_300 - 27_500 - 11_062_060);
    let report = replay(&orders);
    let told = |what: &str| count(&report, what);
    assert_eq!(told("carriage, in pence"), 1_800);
    assert_eq!(told("discounts, in pence"), -2_750);
    assert_eq!(told("bad-debt, in pence"), -1_106_206);
    assert_eq!(told("returns, in pence"), -1_530);
    for why in ["the quantity is no number", "the price is no amount", "no units"] {
        assert_eq!(told(&format!("rejected: {why}")), 1, "{why}");
    }
}
