//! Sliding logs with more stamps than one row has, over several shelves, against a list.

use holdfast_coordination::limits::{
    COMMANDS, CheckLimitSpec, Descriptors, PutLimitSpec, Quota, Rules, TABLES, TIMERS, Units,
    check, check::CheckedLimit, put, row::Chunks,
};
use holdfast_state::{
    Id, Lifetime, LogTime, Read as _, Scan,
    key::after_prefix,
    scenario::{Vocabulary, World},
    table::stored_key,
};
use proptest::prelude::*;

use super::model::has_room;

const VOCABULARY: Vocabulary<'static> =
    Vocabulary { commands: COMMANDS, timers: TIMERS, looks: &[] };

fn id() -> Id {
    Id::new("api").unwrap()
}

fn quota(max: u64, window_us: u64) -> Quota {
    let window = Lifetime::from_us(window_us).unwrap();
    Quota::SlidingLog { max: Units::new(max).unwrap(), window }
}

fn put_quota(world: &mut World, quota: &Quota) {
    let quota = serde_json::to_string(quota).unwrap();
    let rules = format!(r#"[{{"name":"all","quota":{quota}}}]"#);
    let rules: Rules = serde_json::from_str(&rules).unwrap();
    let spec = PutLimitSpec { id: id(), rules, if_match: None, if_none_match: None };
    world.transact(|tx| put(tx, &spec)).unwrap();
}

/// Asks for a cost: was it allowed, and if not, when is there room?
fn ask(world: &mut World, cost: u64) -> (bool, Option<u64>) {
    let (descriptors, cost) = (Descriptors::default(), Units::new(cost).unwrap());
    let spec = CheckLimitSpec { id: id(), descriptors, cost, dry_run: false, holder: None };
    let outcome = world.transact(|tx| check(tx, &spec)).unwrap();
    (outcome.outcome == CheckedLimit::Allowed, outcome.retry_after_ms)
}

fn chunks(world: &World) -> usize {
    world.view().scan::<Chunks>(&(), Scan::up(10_000)).unwrap().len()
}

/// A pause, and how many requests come together after it, each so many microseconds after
/// the one before.
fn bursts() -> impl Strategy<Value = Vec<(u64, usize, u64, u64)>> {
    let pause = prop_oneof![3 => 0..3_000_000_u64, 1 => 10_000_000..80_000_000_u64];
    prop::collection::vec((pause, 1..120_usize, 0..40_000_u64, 1..4_u64), 1..14)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn many_stamps_are_counted_one_by_one(
        maxima in prop::collection::vec(60..400_u64, 1..3),
        window in prop_oneof![1_000_000..20_000_000_u64, 60_000_000..100_000_000_u64],
        bursts in bursts(),
    ) {
        let (mut world, mut accepted) = (World::default(), Vec::new());
        for (turn, (pause, requests, gap, cost)) in bursts.into_iter().enumerate() {
            // Now and then more or less is allowed, of the same stamps.
            let quota = quota(maxima[turn % maxima.len()], window);
            put_quota(&mut world, &quota);
            world.pass(pause, &VOCABULARY);
            for _ in 0..requests {
                let now = world.now().as_us();
                let (allowed, retry) = ask(&mut world, cost);
                prop_assert_eq!(allowed, has_room(&quota, &accepted, now, cost));
                if allowed {
                    accepted.push((now, cost));
                } else {
                    let ms = retry.unwrap();
                    prop_assert!(has_room(&quota, &accepted, now + ms * 1000, cost));
                    prop_assert!(!has_room(&quota, &accepted, now + (ms - 1) * 1000, cost));
                }
                world.pass(gap, &VOCABULARY);
            }
        }
    }
}

/// Most of a large log is never read again: not to count it, nor to forget it.
#[test]
fn a_large_log_costs_little_and_leaves_nothing() {
    let mut world = World::default();
    put_quota(&mut world, &quota(10_000, 60_000_000));
    for _ in 0..10_000 {
        assert!(ask(&mut world, 1).0);
        world.pass(1000, &VOCABULARY);
    }
    assert!(chunks(&world) > 300, "{}", chunks(&world));
    assert!(!ask(&mut world, 1).0);
    // Half of them slide out at once.
    world.pass(55_000_000, &VOCABULARY);
    assert!(ask(&mut world, 5_000).0);
    assert!(!ask(&mut world, 1_000).0);
    world.pass(180_000_000, &VOCABULARY);
    let left = TABLES.iter().filter(|(_, name)| *name != "limits.limits").map(|(table, _)| {
        let from = stored_key(world.view().namespace(), *table, &());
        let to = after_prefix(&from).unwrap();
        world.view().scan_stored(&from, &to, Scan::up(10_000)).unwrap().len()
    });
    assert_eq!(left.sum::<usize>(), 0);
}

/// Of a log of which far more is taken than is allowed now, a bound is said for when there
/// is room, and it is never too late.
#[test]
fn a_lowered_quota_says_a_time_that_is_not_too_late() {
    let mut world = World::default();
    put_quota(&mut world, &quota(5_000, 3_600_000_000));
    for _ in 0..5_000 {
        assert!(ask(&mut world, 1).0);
        world.pass(1000, &VOCABULARY);
    }
    put_quota(&mut world, &quota(10, 3_600_000_000));
    let mut asked = 0;
    let begun = world.now();
    loop {
        let (allowed, retry) = ask(&mut world, 1);
        if allowed {
            break;
        }
        asked += 1;
        world.pass(retry.unwrap() * 1000, &VOCABULARY);
    }
    assert!((2..10).contains(&asked), "{asked}");
    // The tenth from the end slides out.
    let expected = LogTime::from_us(begun.as_us() - 10_000 + 3_600_000_000);
    assert!(world.now().since_us(expected) <= 1000, "{} {expected}", world.now());
}
