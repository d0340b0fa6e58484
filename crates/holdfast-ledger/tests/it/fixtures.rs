//! Rows of every format ever released stay readable: `tests/fixtures` holds their
//! bytes, one row a line, and is never edited, only added to.

use holdfast_ledger::{
    Asset, Balances, Limit, Metadata,
    balances::{Event, Side},
    row::{AccountRow, AssetRow, HistoryRow, Resolution, Status, TransferRow},
};
use holdfast_state::{Amount, Id, LogTime, TimerId, Version, fixture::Fixtures, unknown::Unknown};

const FORMAT_1: Fixtures = Fixtures::new(include_str!("../fixtures/rows-format-1.txt"));

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn asset(code: &str) -> Asset {
    Asset::new(code).unwrap()
}

fn balances(sums: [i128; 4]) -> Balances {
    let [debits_posted, debits_pending, credits_posted, credits_pending] = sums.map(Amount::new);
    Balances { debits_posted, debits_pending, credits_posted, credits_pending }
}

#[test]
fn assets_and_metadata_of_format_1() {
    let declared_at = LogTime::from_us(1_767_225_600_000_000);
    let name = Some("Nights".to_owned());
    FORMAT_1.check("asset named", &AssetRow { exponent: 0, declared_at, label: name });
    FORMAT_1.check("asset unnamed", &AssetRow { exponent: 18, declared_at, label: None });
    FORMAT_1.check("metadata", &Metadata::new(r#"{"for":"dinner"}"#).unwrap());
}

#[test]
fn accounts_of_format_1() {
    let account = AccountRow {
        asset: asset("EUR"),
        limit: Limit::DebitsNotAboveCredits,
        balances: balances([4_000, 500, 25_800, 9]),
        changes: 3,
        version: Version::new(48_211),
        opened_at: LogTime::from_us(1_767_225_600_000_000),
        closed_at: None,
        unknown: Unknown::default(),
    };
    FORMAT_1.check("account", &account);
    let large = AccountRow {
        asset: asset("points:hotel"),
        limit: Limit::CreditsNotAboveDebits,
        balances: balances([i128::MAX, 0, i128::from(i64::MAX) + 1, 0]),
        closed_at: Some(LogTime::from_us(1_767_225_660_000_001)),
        ..account.clone()
    };
    FORMAT_1.check("account large", &large);
    FORMAT_1.check("account unlimited", &AccountRow { limit: Limit::None, ..account });
}

#[test]
fn transfers_of_format_1() {
    let made = TransferRow {
        debit_account: id("guest-42"),
        credit_account: id("escrow-lisbon"),
        amount: Amount::new(25_800),
        asset: asset("EUR"),
        status: Status::Posted,
        version: Version::new(48_211),
        time: LogTime::from_us(1_767_225_600_000_000),
        resolution: None,
        expires_at: None,
        timer: None,
        metadata: None,
        unknown: Unknown::default(),
    };
    FORMAT_1.check("transfer posted", &made);
    let due = LogTime::from_us(1_767_226_500_000_000);
    let pending = TransferRow {
        status: Status::Pending,
        expires_at: Some(due),
        timer: Some(TimerId { due, version: made.version, number: 0 }),
        metadata: Some(Metadata::new(r#"{"hold":"hold_0q3c"}"#).unwrap()),
        ..made
    };
    FORMAT_1.check("transfer pending", &pending);
    let ended = |status, amount| {
        let version = Version::new(48_300);
        let end = Resolution { amount: Amount::new(amount), version, time: due };
        TransferRow { status, resolution: Some(end), ..pending.clone() }
    };
    FORMAT_1.check("transfer posted in part", &ended(Status::Posted, 25_000));
    FORMAT_1.check("transfer voided", &ended(Status::Voided, 0));
    FORMAT_1.check("transfer expired", &ended(Status::Expired, 0));
}

#[test]
fn history_of_format_1() {
    let events = [
        ("posted", Event::Posted),
        ("pending", Event::Pending),
        ("posted pending", Event::PostedPending),
        ("voided", Event::Voided),
        ("expired", Event::Expired),
    ];
    for (name, event) in events {
        for (side_name, side) in [("debit", Side::Debit), ("credit", Side::Credit)] {
            let row = HistoryRow {
                transfer: id("hold"),
                event,
                side,
                amount: Amount::new(25_800),
                version: Version::new(48_211),
                time: LogTime::from_us(1_767_225_600_000_000),
                balances: balances([25_800, 0, 30_000, 1]),
            };
            FORMAT_1.check(&format!("history {name} {side_name}"), &row);
        }
    }
}
