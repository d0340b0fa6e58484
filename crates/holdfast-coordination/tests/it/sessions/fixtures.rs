//! Rows of every format ever released stay readable: `tests/fixtures` holds their
//! bytes, one row a line, and is never edited, only added to.

use holdfast_coordination::ties::{Tie, row::SessionRow};
use holdfast_state::{
    Id, Lifetime, LogTime, Metadata, TimerId, Version, fixture::Fixtures, unknown::Unknown,
};

const FORMAT_1: Fixtures = Fixtures::new(include_str!("../../fixtures/sessions-format-1.txt"));

const TIME: LogTime = LogTime::from_us(1_767_225_600_000_000);

#[test]
fn sessions_of_format_1() {
    let timer = TimerId { due: TIME.plus_us(10_000_000), version: Version::new(48_211), number: 2 };
    let session = SessionRow {
        opened: Version::new(48_211),
        number: 2,
        opened_at: TIME,
        expires_at: TIME.plus_us(13_000_000),
        ttl: Lifetime::from_us(10_000_000).unwrap(),
        timer,
        owner: None,
        metadata: None,
        unknown: Unknown::default(),
    };
    FORMAT_1.check_kept("session", &session);
    let (owner, metadata) = (Id::new("node-1").unwrap(), Metadata::new("{}").unwrap());
    let told = SessionRow { owner: Some(owner.clone()), metadata: Some(metadata), ..session };
    FORMAT_1.check("session with owner and metadata", &told);
    FORMAT_1.check("tie", &Tie { session: owner, opened: Version::new(48_211), number: 2 });
    FORMAT_1.check("tied", &());
}
