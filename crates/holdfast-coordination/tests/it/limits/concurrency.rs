//! Limits of concurrency against a list of holders: who may come in, when there is room, and
//! that nobody counts after its time is over or what it held was given back.

use std::collections::BTreeMap;

use holdfast_coordination::limits::{
    COMMANDS, CheckLimitSpec, DescriptorValue, Descriptors, PutLimitSpec, Rules, TIMERS, Units,
    check,
    check::CheckedLimit,
    put,
    release::{ReleaseHolderSpec, release},
    renew::{RenewHolderSpec, renew},
};
use holdfast_state::{
    Id, Stop,
    command::Refusal,
    scenario::{Vocabulary, World},
};
use proptest::prelude::*;

const VOCABULARY: Vocabulary<'static> =
    Vocabulary { commands: COMMANDS, timers: TIMERS, looks: &[] };

const MAX: u64 = 6;

#[derive(Clone, Copy, Debug)]
enum Step {
    Come {
        tenant: u8,
        holder: u8,
        cost: u64,
    },
    Release {
        tenant: u8,
        holder: u8,
    },
    Renew {
        tenant: u8,
        holder: u8,
    },
    /// So much may be held from now on.
    Put {
        max: u64,
    },
    Pass {
        us: u64,
    },
}

/// Who holds how much until when, by tenant and holder.
#[derive(Debug)]
struct Naive {
    held: BTreeMap<(u8, u8), (u64, u64)>,
    now: u64,
    max: u64,
    ttl: u64,
}

impl Naive {
    fn pass(&mut self, us: u64) {
        self.now += us;
        let now = self.now;
        self.held.retain(|_, (_, ends)| *ends > now);
    }

    fn taken(&self, tenant: u8, at: u64) -> u64 {
        let of = self.held.iter().filter(|((other, _), (_, ends))| *other == tenant && *ends > at);
        of.map(|(_, (cost, _))| cost).sum()
    }

    fn room(&self, tenant: u8, cost: u64, at: u64) -> bool {
        self.taken(tenant, at) + cost <= self.max
    }
}

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn holder_id(number: u8) -> Id {
    id(&format!("h{number}"))
}

fn tenant_of(number: u8) -> Descriptors {
    let value = DescriptorValue::new(&format!("t{number}")).unwrap();
    Descriptors::default().with(id("tenant"), value).unwrap()
}

fn put_limit(world: &mut World, max: u64, ttl_us: u64) {
    let ttl = holdfast_state::Lifetime::from_us(ttl_us).unwrap();
    let rules = format!(
        r#"[{{"name":"open","by":["tenant"],"quota":{{"algorithm":"concurrency","max":{max},"ttl":"{ttl}"}}}}]"#
    );
    let rules: Rules = serde_json::from_str(&rules).unwrap();
    let spec = PutLimitSpec { id: id("api"), rules, if_match: None, if_none_match: None };
    world.transact(|tx| put(tx, &spec)).unwrap();
}

fn code<R: Refusal>(stop: Stop<R>) -> &'static str {
    match stop {
        Stop::Refused(refusal) => refusal.code(),
        Stop::Aborted(abort) => panic!("{abort}"),
    }
}

fn come(world: &mut World, naive: &mut Naive, tenant: u8, holder: u8, cost: u64) {
    let spec = CheckLimitSpec {
        id: id("api"),
        descriptors: tenant_of(tenant),
        cost: Units::new(cost).unwrap(),
        dry_run: false,
        holder: Some(holder_id(holder)),
    };
    let done = world.transact(|tx| check(tx, &spec)).map_err(code);
    let there = naive.held.contains_key(&(tenant, holder));
    if !there && cost > naive.max {
        assert_eq!(done.map(|done| done.outcome), Err("cost_above_quota"));
        return;
    }
    let done = done.unwrap();
    let allowed = there || naive.room(tenant, cost, naive.now);
    assert_eq!(done.outcome == CheckedLimit::Allowed, allowed);
    if allowed && !there {
        naive.held.insert((tenant, holder), (cost, naive.now + naive.ttl));
    }
    let left = naive.max.saturating_sub(naive.taken(tenant, naive.now));
    assert_eq!(done.rules[0].remaining, left);
    if let Some(ms) = done.retry_after_ms {
        assert!(naive.room(tenant, cost, naive.now + ms * 1000));
        assert!(!naive.room(tenant, cost, naive.now + (ms - 1) * 1000));
    }
}

fn take(world: &mut World, naive: &mut Naive, step: Step) {
    match step {
        Step::Come { tenant, holder, cost } => come(world, naive, tenant, holder, cost),
        Step::Release { tenant, holder } => {
            let (descriptors, name) = (tenant_of(tenant), holder_id(holder));
            let spec = ReleaseHolderSpec { id: id("api"), descriptors, holder: name };
            let done = world.transact(|tx| release(tx, &spec)).map(drop).map_err(code);
            let held = naive.held.remove(&(tenant, holder));
            assert_eq!(done, held.map(drop).ok_or("holder_not_found"));
        }
        Step::Renew { tenant, holder } => {
            let (descriptors, name) = (tenant_of(tenant), holder_id(holder));
            let spec = RenewHolderSpec { id: id("api"), descriptors, holder: name };
            let done = world.transact(|tx| renew(tx, &spec)).map_err(code);
            let ends = naive.now + naive.ttl;
            let held = naive.held.get_mut(&(tenant, holder)).map(|held| held.1 = ends);
            let until = done.map(|done| done.rules[0].expires_at.as_us());
            assert_eq!(until, held.map(|()| ends).ok_or("holder_not_found"));
        }
        Step::Put { max } => {
            put_limit(world, max, naive.ttl);
            naive.max = max;
        }
        Step::Pass { us } => {
            world.pass(us, &VOCABULARY);
            naive.pass(us);
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let (tenant, holder) = (0..2_u8, 0..6_u8);
    let us = prop_oneof![Just(0), 0..3_000_000_u64, 0..60_000_000_u64, 60_000_000..300_000_000_u64];
    prop_oneof![
        6 => (tenant.clone(), holder.clone(), 1..4_u64)
            .prop_map(|(tenant, holder, cost)| Step::Come { tenant, holder, cost }),
        2 => (tenant.clone(), holder.clone())
            .prop_map(|(tenant, holder)| Step::Release { tenant, holder }),
        2 => (tenant, holder).prop_map(|(tenant, holder)| Step::Renew { tenant, holder }),
        1 => (1..=MAX).prop_map(|max| Step::Put { max }),
        4 => us.prop_map(|us| Step::Pass { us }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn who_comes_in_is_who_a_list_would_let_in(
        ttl in prop_oneof![1_000_000..50_000_000_u64, 60_000_000..200_000_000_u64],
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let mut world = World::default();
        let now = world.now().as_us();
        let mut naive = Naive { held: BTreeMap::new(), now, max: MAX, ttl };
        put_limit(&mut world, MAX, ttl);
        steps.into_iter().for_each(|step| take(&mut world, &mut naive, step));
    }
}
