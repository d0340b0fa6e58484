//! Random requests, rules and time against naive limits: every answer, what every rule
//! says, and when there is room.

mod naive;

use holdfast_coordination::limits::{
    COMMANDS, CheckLimitSpec, DescriptorValue, Descriptors, PutLimitSpec, Quota, Rule, Rules,
    TIMERS, TakeLimitSpec, Units, check,
    check::{CheckLimitOutcome, CheckedLimit, RuleStanding},
    put,
    status::{LimitStatus, LimitStatusSpec},
    take,
};
use holdfast_state::{
    Id, Lifetime, Stop, Tx,
    command::{Query as _, Refusal},
    scenario::{Vocabulary, World},
};
use proptest::prelude::*;

pub(crate) use naive::has_room;
use naive::{Naive, NaiveRule, Request, Says};

const VOCABULARY: Vocabulary<'static> =
    Vocabulary { commands: COMMANDS, timers: TIMERS, looks: &[] };

#[derive(Clone, Debug)]
enum Step {
    Put(Vec<NaiveRule>),
    Check(Request, bool),
    /// In one transaction: all, or none.
    Take(Vec<Request>),
}

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn units(units: u64) -> Units {
    Units::new(units).unwrap()
}

/// Windows from a microsecond to longer than the narrowest shelf.
fn window() -> impl Strategy<Value = Lifetime> {
    let us = prop_oneof![1..50_u64, 1_000_000..90_000_000_u64, Just(60_000_000), Just(7_000_000)];
    us.prop_map(|us| Lifetime::from_us(us).unwrap())
}

fn quota() -> impl Strategy<Value = Quota> {
    let few = || (1..12_u64).prop_map(units);
    prop_oneof![
        3 => (few(), window()).prop_map(|(max, window)| Quota::SlidingLog { max, window }),
        2 => (few(), window()).prop_map(|(max, window)| Quota::SlidingCounter { max, window }),
        2 => (few(), few(), window())
            .prop_map(|(capacity, refill, every)| Quota::TokenBucket { capacity, refill, every }),
        2 => (few(), window(), prop::option::of(few()))
            .prop_map(|(max, window, burst)| Quota::Gcra { max, window, burst }),
    ]
}

fn rule() -> impl Strategy<Value = NaiveRule> {
    let only = prop::option::weighted(0.2, 0..2_u8);
    let parts = (0..3_u8, 0..3_u8, only, quota(), prop::bool::weighted(0.15));
    parts.prop_map(|(name, by, only, quota, dry)| NaiveRule::new(name, by, only, quota, dry))
}

/// No two rules that could not both be.
fn rules() -> impl Strategy<Value = Vec<NaiveRule>> {
    prop::collection::vec(rule(), 1..4).prop_map(|rules| {
        let mut distinct: Vec<NaiveRule> = Vec::new();
        for rule in rules {
            let same =
                |old: &NaiveRule| (old.name, old.by, old.only) == (rule.name, rule.by, rule.only);
            if !distinct.iter().any(same) {
                distinct.push(rule);
            }
        }
        distinct
    })
}

fn request() -> impl Strategy<Value = Request> {
    let cost = prop_oneof![3 => Just(1), 1 => 1..14_u64];
    let parts = (0..2_u8, prop::option::weighted(0.8, 0..2_u8), cost);
    parts.prop_map(|(tenant, user, cost)| Request { tenant, user, cost })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => rules().prop_map(Step::Put),
        12 => (request(), prop::bool::weighted(0.1))
            .prop_map(|(request, dry)| Step::Check(request, dry)),
        3 => prop::collection::vec(request(), 1..4).prop_map(Step::Take),
    ]
}

fn pause() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => Just(0),
        3 => 1..20_u64,
        4 => 100_000..8_000_000_u64,
        2 => 20_000_000..200_000_000_u64,
    ]
}

fn spec_of(rule: &NaiveRule) -> Rule {
    let by = ["tenant", "user"][..usize::from(rule.by)].iter().map(|name| id(name));
    let only = rule.only.map(|tenant| (id("tenant"), value(tenant)));
    Rule {
        name: id(&format!("r{}", rule.name)),
        by: by.collect(),
        only: only.into_iter().collect(),
        quota: rule.quota,
        dry_run: rule.dry_run,
        on_failure: Default::default(),
    }
}

fn value(number: u8) -> DescriptorValue {
    DescriptorValue::new(&format!("v{number}")).unwrap()
}

fn descriptors(request: &Request) -> Descriptors {
    let tenant = Descriptors::default().with(id("tenant"), value(request.tenant)).unwrap();
    match request.user {
        Some(user) => tenant.with(id("user"), value(user)).unwrap(),
        None => tenant,
    }
}

fn code<R: Refusal>(stop: Stop<R>) -> String {
    match stop {
        Stop::Refused(refusal) => refusal.code().to_owned(),
        Stop::Aborted(abort) => panic!("{abort}"),
    }
}

fn put_rules(world: &mut World, rules: &[NaiveRule]) {
    let rules: Vec<_> = rules.iter().map(spec_of).collect();
    let rules = Rules::try_from(rules).unwrap();
    let spec = PutLimitSpec { id: id("api"), rules, if_match: None, if_none_match: None };
    world.transact(|tx| put(tx, &spec)).unwrap();
}

fn ask(
    tx: &mut Tx<'_>,
    request: &Request,
    dry_run: bool,
) -> Result<CheckLimitOutcome, Stop<impl Refusal + use<>>> {
    let (descriptors, cost) = (descriptors(request), units(request.cost));
    check(tx, &CheckLimitSpec { id: id("api"), descriptors, cost, dry_run, holder: None })
}

fn takes(tx: &mut Tx<'_>, requests: &[Request]) -> Result<(), Stop<impl Refusal + use<>>> {
    requests.iter().try_for_each(|request| {
        let (descriptors, cost) = (descriptors(request), units(request.cost));
        take(tx, &TakeLimitSpec { id: id("api"), descriptors, cost, holder: None }).map(drop)
    })
}

/// Are the rules' words the model's, and is there room when they say, and not before?
fn compare(naive: &Naive, request: &Request, says: &[Says], standings: &[RuleStanding]) {
    let rule = |says: &Says| format!("r{}", says.rule);
    let names: Vec<_> = standings.iter().map(|standing| standing.rule.to_string()).collect();
    assert_eq!(names, says.iter().map(rule).collect::<Vec<_>>());
    for (says, standing) in says.iter().zip(standings) {
        let verdict = serde_json::to_value(standing.verdict).unwrap();
        let expected = match (says.room, says.denies) {
            (true, _) => "allowed",
            (false, true) => "denied",
            (false, false) => "would_deny",
        };
        assert_eq!(verdict, expected);
        assert_eq!(standing.remaining, says.remaining, "{says:?}");
        match standing.retry_after_ms {
            Some(ms) => {
                assert!(naive.has_room_in(says.rule, request, ms * 1000), "{says:?} {ms}");
                let early = (ms - 1) * 1000;
                assert!(!naive.has_room_in(says.rule, request, early), "{says:?} {ms}");
            }
            None => assert!(says.room || !naive.has_room_in(says.rule, request, 1 << 50)),
        }
    }
}

fn check_both(world: &mut World, naive: &mut Naive, request: &Request, dry_run: bool) {
    if naive.is_too_much(request) {
        let refused = world.transact(|tx| ask(tx, request, dry_run)).map_err(code);
        assert_eq!(refused.map(drop), Err("cost_above_quota".to_owned()));
        return;
    }
    // What would be said is said again, and then done.
    let (descriptors, cost) = (descriptors(request), units(request.cost));
    let spec = LimitStatusSpec { id: id("api"), descriptors, cost };
    let status = LimitStatus::run(&world.view(), &spec).map_err(code).unwrap();
    let (allowed, says) = naive.check(request, false);
    assert_eq!(status.allowed, allowed);
    let standings: Vec<_> = status.rules.into_iter().map(|rule| rule.standing).collect();
    compare(naive, request, &says, &standings);
    let done = world.transact(|tx| ask(tx, request, dry_run)).map_err(code).unwrap();
    assert_eq!(done.outcome == CheckedLimit::Allowed, allowed);
    if !dry_run && allowed {
        let (_, says) = naive.check(request, true);
        let remaining = |standing: &RuleStanding| standing.remaining;
        let left: Vec<_> = done.rules.iter().map(remaining).collect();
        assert_eq!(left, says.iter().map(|says| says.remaining).collect::<Vec<_>>());
    }
}

fn take_both(world: &mut World, naive: &mut Naive, requests: &[Request]) {
    let did = world.transact(|tx| takes(tx, requests)).map_err(code);
    let mut trial = naive.clone();
    let expected = requests.iter().try_for_each(|request| {
        if trial.is_too_much(request) {
            return Err("cost_above_quota".to_owned());
        }
        let (allowed, _) = trial.check(request, true);
        if allowed { Ok(()) } else { Err("limit_exceeded".to_owned()) }
    });
    assert_eq!(did, expected);
    if expected.is_ok() {
        *naive = trial;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn limits_do_what_naive_ones_do(
        first in rules(),
        steps in prop::collection::vec((step(), pause()), 1..60),
    ) {
        let mut world = World::default();
        let mut naive = Naive { now: world.now().as_us(), ..Naive::default() };
        put_rules(&mut world, &first);
        naive.put(first);
        for (step, pause) in steps {
            match &step {
                Step::Put(rules) => {
                    put_rules(&mut world, rules);
                    naive.put(rules.clone());
                }
                Step::Check(request, dry_run) => {
                    check_both(&mut world, &mut naive, request, *dry_run);
                }
                Step::Take(requests) => take_both(&mut world, &mut naive, requests),
            }
            world.pass(pause, &VOCABULARY);
            naive.now += pause;
        }
    }
}
