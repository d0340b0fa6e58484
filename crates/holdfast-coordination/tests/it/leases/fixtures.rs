//! Rows of every format ever released stay readable: `tests/fixtures` holds their
//! bytes, one row a line, and is never edited, only added to.

use holdfast_coordination::leases::row::{LeaseRow, Ttl, WaitRow, WaiterRow};
use holdfast_state::{
    Id, Lifetime, LogTime, Metadata, TimerId, Version, row::Row, unknown::Unknown,
};

const FORMAT_1: &str = include_str!("../../fixtures/leases-format-1.txt");

fn bytes_of(name: &str) -> Vec<u8> {
    let line = FORMAT_1.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let hex = line.unwrap_or_else(|| panic!("no fixture {name}"));
    let digits = hex.as_bytes().chunks(2).map(|two| str::from_utf8(two).unwrap());
    digits.map(|two| u8::from_str_radix(two, 16).unwrap()).collect()
}

/// The fixture reads as this row, and this release still writes the same bytes.
fn check<R: Row + PartialEq + std::fmt::Debug>(name: &str, row: &R) {
    let mut written = Vec::new();
    row.write(&mut written);
    let hex: String = written.iter().map(|byte| format!("{byte:02x}")).collect();
    let bytes = bytes_of(name);
    assert_eq!(written, bytes, "{name} is written as {hex}");
    assert_eq!(&R::parse(&bytes).unwrap(), row, "{name}");
}

const TIME: LogTime = LogTime::from_us(1_767_225_600_000_000);

fn ttl() -> Ttl {
    Ttl(Lifetime::from_us(10_000_000).unwrap())
}

fn timer(number: u16) -> TimerId {
    TimerId { due: TIME.plus_us(10_000_000), version: Version::new(48_211), number }
}

#[test]
fn leases_of_format_1() {
    let lease = LeaseRow {
        token: Version::new(48_211),
        owner: Id::new("node-1").unwrap(),
        granted_at: TIME,
        expires_at: TIME.plus_us(13_000_000),
        ttl: ttl(),
        timer: timer(0),
        waiting: 0,
        metadata: None,
        unknown: Unknown::default(),
    };
    check("lease", &lease);
    let metadata = Some(Metadata::new(r#"{"address":"10.0.0.1"}"#).unwrap());
    check("lease with a queue and metadata", &LeaseRow { waiting: 300, metadata, ..lease });
}

#[test]
fn queues_of_format_1() {
    let owner = Id::new("node-2").unwrap();
    let waiter = WaiterRow { owner, ttl: ttl(), timer: timer(1), metadata: None };
    check("waiter", &waiter);
    let metadata = Some(Metadata::new("{}").unwrap());
    check("waiter with metadata", &WaiterRow { metadata, ..waiter });
    check("wait", &WaitRow { since: Version::new(48_211), number: 1 });
}
