//! Rows of every format ever released stay readable: `tests/fixtures` holds their
//! bytes, one row a line, and is never edited, only added to.

use std::collections::BTreeMap;

use holdfast_coordination::limits::{
    DescriptorValue, OnFailure, Quota, Rule, Units,
    quota::Algorithm,
    row::{
        ArrivalRow, BucketRow, ChunkRow, Held, HolderRow, LimitRow, LogRow, OccupancyRow, RuleRow,
        ShelvesRow, WindowRow,
    },
    stamps::{Stamp, Stamps},
};
use holdfast_state::{
    Id, Lifetime, LogTime, TimerId, Version, fixture::Fixtures, unknown::Unknown,
};

const FORMAT_1: Fixtures = Fixtures::new(include_str!("../../fixtures/limits-format-1.txt"));

const TIME: LogTime = LogTime::from_us(1_767_225_600_000_000);

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn rule(name: &str, quota: Quota) -> RuleRow {
    let rule = Rule {
        name: id(name),
        by: vec![id("tenant"), id("user")],
        only: BTreeMap::from([(id("route"), DescriptorValue::new("search").unwrap())]),
        quota,
        dry_run: true,
        on_failure: OnFailure::Closed,
    };
    RuleRow { since: Version::new(48_211), number: 1, rule }
}

#[test]
fn limits_of_format_1() {
    let window = Lifetime::from_us(60_000_000).unwrap();
    let [one, max] = [1, 100].map(|units| Units::new(units).unwrap());
    let mut plain = rule("plain", Quota::SlidingLog { max, window });
    (plain.rule.by, plain.rule.only) = (Vec::new(), BTreeMap::new());
    (plain.rule.dry_run, plain.rule.on_failure) = (false, OnFailure::Open);
    let limit = LimitRow {
        version: Version::new(48_212),
        created_version: Version::new(48_211),
        updated_at: TIME,
        rules: vec![plain],
    };
    FORMAT_1.check("limit", &limit);
    let rules = vec![
        rule("counter", Quota::SlidingCounter { max, window }),
        rule("bucket", Quota::TokenBucket { capacity: max, refill: one, every: window }),
        rule("gcra", Quota::Gcra { max, window, burst: None }),
        rule("burst", Quota::Gcra { max, window, burst: Some(one) }),
    ];
    FORMAT_1.check("limit of all algorithms", &LimitRow { rules, ..limit });
    let rules = vec![rule("open", Quota::Concurrency { max, ttl: window })];
    FORMAT_1.check("limit of concurrency", &LimitRow { rules, ..limit });
}

#[test]
fn counters_of_format_1() {
    let unknown = Unknown::default;
    let shelves = |algorithm| ShelvesRow {
        algorithm,
        width_us: 60_000_000,
        oldest: 29_453_760,
        newest: 29_453_761,
        timer: TimerId { due: TIME, version: Version::new(7), number: 0 },
        unknown: unknown(),
    };
    FORMAT_1.check_kept("shelves of logs", &shelves(Algorithm::SlidingLog));
    FORMAT_1.check("shelves of counters", &shelves(Algorithm::SlidingCounter));
    FORMAT_1.check("shelves of buckets", &shelves(Algorithm::TokenBucket));
    FORMAT_1.check("shelves of arrivals", &shelves(Algorithm::Gcra));
    FORMAT_1.check("shelves of holders", &shelves(Algorithm::Concurrency));
    let stamp = |us, cost| Stamps::from(Stamp { at: TIME.plus_us(us), cost });
    let mut two = stamp(1, 5);
    two.append(stamp(1_001, 300));
    let log = LogRow {
        total: 305,
        before: 0,
        front: Stamps::default(),
        chunks: false,
        tail: two.clone(),
        held: Vec::new(),
        unknown: unknown(),
    };
    FORMAT_1.check_kept("log", &log);
    let (front, before) = (stamp(0, 1), u64::MAX);
    let held = Held { slice: Some(id("gateway-1")), permits: 50, expires_at: TIME };
    let held = vec![held.clone(), Held { slice: None, ..held }];
    FORMAT_1.check("log with chunks", &LogRow { front, before, chunks: true, held, ..log });
    FORMAT_1.check("chunk", &ChunkRow { before: 17, stamps: two });
    let window = WindowRow { number: 29_453_760, current: 3, previous: 100, unknown: unknown() };
    FORMAT_1.check_kept("window", &window);
    let bucket = BucketRow { tokens: 4, part: 59_999_999, at: TIME, unknown: unknown() };
    FORMAT_1.check_kept("bucket", &bucket);
    let arrival = ArrivalRow { us: TIME.as_us(), part: 99, unknown: unknown() };
    FORMAT_1.check_kept("arrival", &arrival);
    let ends = stamp(0, 3);
    FORMAT_1.check_kept("occupancy", &OccupancyRow { ends, unknown: unknown() });
    FORMAT_1.check_kept("holder", &HolderRow { cost: 2, ends: TIME, unknown: unknown() });
}
