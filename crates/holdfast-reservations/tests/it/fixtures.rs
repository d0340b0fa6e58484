//! Rows of every format ever released stay readable: `tests/fixtures` holds their
//! bytes, one row a line, and is never edited, only added to.

use holdfast_reservations::{
    Nights, Price, Quantity, Stock,
    row::{
        Asked, EntryRow, EntryStatus, HoldRow, Kind, LevelRow, QueueRow, ResourceRow, Stamp,
        Status, Sweep,
    },
};
use holdfast_state::{
    Amount, Date, Id, Lifetime, LogTime, Metadata, TimerId, Version, fixture::Fixtures,
    unknown::Unknown,
};

const FORMAT_1: Fixtures = Fixtures::new(include_str!("../fixtures/rows-format-1.txt"));

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn time(us: u64) -> LogTime {
    LogTime::from_us(1_767_225_600_000_000 + us)
}

fn stamp(version: u64, us: u64) -> Stamp {
    Stamp { version: Version::new(version), time: time(us) }
}

fn nights(from: &str, to: &str) -> Option<Nights> {
    Nights::new(from.parse::<Date>().unwrap(), to.parse().unwrap()).ok()
}

fn price() -> Option<Price> {
    Some(Price { amount: Amount::new(25_800), asset: "EUR".parse().unwrap() })
}

fn metadata() -> Option<Metadata> {
    Some(Metadata::new(r#"{"guest":42}"#).unwrap())
}

#[test]
fn resources_of_format_1() {
    let room = ResourceRow {
        kind: Kind::Nights,
        stock: Stock::new(12).unwrap(),
        stock_created: Stock::new(10).unwrap(),
        version: Version::new(48_211),
        created_at: time(0),
        waiting: 0,
        tickets: 0,
        sweep: None,
        unknown: Unknown::default(),
    };
    FORMAT_1.check_kept("resource nights", &room);
    let due = time(1);
    let timer = TimerId { due, version: Version::new(48_300), number: 1 };
    let sale = ResourceRow {
        kind: Kind::Units,
        waiting: 700,
        tickets: 800,
        sweep: Some(Sweep { from: 0, to: 1, ticket: 513, timer }),
        ..room
    };
    FORMAT_1.check_kept("resource units sweeping", &sale);
}

#[test]
fn levels_and_places_of_format_1() {
    let level = LevelRow { stock: None, held: 3, sold: 70_000, unknown: Unknown::default() };
    FORMAT_1.check_kept("level", &level);
    FORMAT_1.check_kept("level own stock", &LevelRow { stock: Stock::new(80_000), ..level });
    let quantity = Quantity::new(2).unwrap();
    let stay = nights("2026-12-24", "2026-12-26");
    FORMAT_1.check("place nights", &QueueRow { entry: id("wait-1"), nights: stay, quantity });
    FORMAT_1.check("place units", &QueueRow { entry: id("wait-1"), nights: None, quantity });
}

#[test]
fn holds_of_format_1() {
    let due = time(900_000_000);
    let held = HoldRow {
        resource: id("lisbon-double"),
        nights: nights("2026-12-24", "2026-12-26"),
        quantity: Quantity::default(),
        status: Status::Held,
        made: stamp(48_211, 0),
        confirmed: None,
        ended: None,
        expires_at: Some(due),
        timer: Some(TimerId { due, version: Version::new(48_211), number: 0 }),
        price: price(),
        entry: None,
        asked: None,
        metadata: metadata(),
        unknown: Unknown::default(),
    };
    FORMAT_1.check_kept("hold held", &held);
    let plain = HoldRow {
        nights: None,
        expires_at: None,
        timer: None,
        price: None,
        metadata: None,
        ..held.clone()
    };
    FORMAT_1.check_kept("hold of units without end", &plain);
    let confirmed =
        HoldRow { status: Status::Confirmed, confirmed: Some(stamp(48_212, 5)), ..held.clone() };
    FORMAT_1.check_kept("hold confirmed", &confirmed);
    let ended = |status| HoldRow { status, ended: Some(stamp(48_213, 7)), ..held.clone() };
    FORMAT_1.check_kept("hold released", &ended(Status::Released));
    FORMAT_1.check_kept("hold expired", &ended(Status::Expired));
    let cancelled = HoldRow { confirmed: confirmed.confirmed, ..ended(Status::Cancelled) };
    FORMAT_1.check_kept("hold cancelled", &cancelled);
    let asked = Asked {
        resource: id("lisbon-single"),
        nights: nights("2026-12-23", "2026-12-26"),
        quantity: Quantity::new(2).unwrap(),
        expires_at: Some(time(600_000_000)),
        price: None,
    };
    let moved = HoldRow { entry: Some(id("wait-1")), asked: Some(Box::new(asked)), ..held };
    FORMAT_1.check_kept("hold offered, moved and extended", &moved);
}

#[test]
fn entries_of_format_1() {
    let waiting = EntryRow {
        resource: id("lisbon-double"),
        nights: nights("2026-12-24", "2026-12-26"),
        quantity: Quantity::default(),
        ticket: 17,
        offer_expires_in: Lifetime::from_us(600_000_000).unwrap(),
        status: EntryStatus::Waiting,
        joined: stamp(48_211, 0),
        ended: None,
        price: price(),
        metadata: metadata(),
        unknown: Unknown::default(),
    };
    FORMAT_1.check_kept("entry waiting", &waiting);
    let ended = |status| EntryRow { status, ended: Some(stamp(48_300, 9)), ..waiting.clone() };
    FORMAT_1.check_kept("entry left", &ended(EntryStatus::Left));
    FORMAT_1.check_kept("entry offered", &ended(EntryStatus::Offered(id("hold_0q3c"))));
}
