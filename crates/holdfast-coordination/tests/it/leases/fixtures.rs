//! Rows of every format ever released stay readable: `tests/fixtures` holds their
//! bytes, one row a line, and is never edited, only added to.

use holdfast_coordination::{
    leases::row::{LeaseRow, Term, WaitRow, WaiterRow},
    ties::Tie,
};
use holdfast_state::{
    Id, Lifetime, LogTime, Metadata, TimerId, Version, fixture::Fixtures, unknown::Unknown,
};

const FORMAT_1: Fixtures = Fixtures::new(include_str!("../../fixtures/leases-format-1.txt"));

const TIME: LogTime = LogTime::from_us(1_767_225_600_000_000);

fn ttl() -> Lifetime {
    Lifetime::from_us(10_000_000).unwrap()
}

fn tie() -> Tie {
    Tie { session: Id::new("node-1").unwrap(), opened: Version::new(48_000), number: 3 }
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
        term: Some(Term { expires_at: TIME.plus_us(13_000_000), ttl: ttl(), timer: timer(0) }),
        waiting: 0,
        metadata: None,
        tie: None,
        unknown: Unknown::default(),
    };
    FORMAT_1.check("lease", &lease);
    let tied = LeaseRow { term: None, tie: Some(tie()), ..lease.clone() };
    FORMAT_1.check_kept("lease of a session", &tied);
    let metadata = Some(Metadata::new(r#"{"address":"10.0.0.1"}"#).unwrap());
    FORMAT_1
        .check("lease with a queue and metadata", &LeaseRow { waiting: 300, metadata, ..lease });
}

#[test]
fn queues_of_format_1() {
    let owner = Id::new("node-2").unwrap();
    let waiter = WaiterRow { owner, ttl: Some(ttl()), timer: timer(1), metadata: None, tie: None };
    FORMAT_1.check("waiter", &waiter);
    let metadata = Some(Metadata::new("{}").unwrap());
    let tied = WaiterRow { ttl: None, tie: Some(tie()), ..waiter.clone() };
    FORMAT_1.check("waiter with metadata", &WaiterRow { metadata, ..waiter });
    FORMAT_1.check("waiter of a session", &tied);
    FORMAT_1.check("wait", &WaitRow { since: Version::new(48_211), number: 1 });
}
