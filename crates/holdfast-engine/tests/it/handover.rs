//! Leadership is given up in the log, so that another node takes it without waiting for the lease
//! (P11), and nothing is lost or left open on the way.

use holdfast_engine::{Event, Failure, Stopped};

use crate::{
    cluster::{Cluster, FAILOVER_US, LEASE_US, STEP_US},
    foreign,
    history::{history, rows},
    node::Ask,
    toy::{Op, effects},
};

fn open(account: u64) -> Op {
    Op::Open { account, balance: 10 }
}

/// What a follower needs to take over that was given up: the jitter, and some looks.
const TAKEOVER_US: u64 = LEASE_US / 8 + 3 * STEP_US;

#[test]
fn p11_what_is_evaluated_is_finished_and_another_leads_before_the_lease_is_over() {
    let mut cluster = Cluster::led_by_the_first(3);
    cluster.pass_us(LEASE_US / 2);
    let log = cluster.members[0].log.clone();
    log.hold();
    let evaluated: Vec<_> = (1..=3)
        .map(|account| {
            let asked = cluster.node(0).op(&format!("op-{account}"), &open(account));
            cluster.settle();
            asked
        })
        .collect();
    let queued = cluster.node(0).op("queued", &open(4));
    cluster.node(0).handle(Event::HandOver);
    let late = cluster.node(0).op("late", &open(5));
    let read = cluster.node(0).read();
    cluster.settle();
    let nobody = Failure::NotLeader { leader: None };
    assert_eq!(queued.failure(), nobody);
    assert_eq!((late.failure(), read.failure()), (nobody.clone(), nobody));
    assert_eq!(cluster.leader(), Some(0), "it has something to finish");
    let begun = cluster.clock.now().monotonic_us;
    while cluster.node(0).led.is_some() {
        log.answer_all();
        cluster.settle();
    }
    assert!(evaluated.iter().map(|asked| asked.version()).eq(1..=3));
    assert_eq!(cluster.node(0).follows, Some(None), "nobody leads");
    cluster.until(TAKEOVER_US, |cluster| cluster.leader().is_some());
    let took = cluster.clock.now().monotonic_us - begun;
    assert!(took < LEASE_US / 3, "{took}");
    let leader = cluster.leader().unwrap();
    assert_ne!(leader, 0);
    assert_eq!(cluster.open(leader, 6), 4);
    log.answer_all();
    cluster.pass_us(LEASE_US);
    assert_eq!(cluster.node(0).follows.clone().unwrap().unwrap().node, format!("n{leader}"));
    let told = history(&cluster.memory);
    assert_eq!(effects(&told.store, "queued") + effects(&told.store, "late"), 0);
    assert_eq!(rows(&told.store), rows(&*cluster.node(0).state()));
}

#[test]
fn whoever_gave_leadership_up_takes_it_back_when_nobody_else_wants_it_for_a_lease() {
    let mut cluster = Cluster::led_by_the_first(1);
    cluster.node(0).handle(Event::HandOver);
    cluster.settle();
    assert_eq!(cluster.leader(), None);
    cluster.pass_us(LEASE_US - 2 * STEP_US);
    assert_eq!(cluster.leader(), None, "others come first");
    cluster.until(4 * STEP_US + LEASE_US / 8, |cluster| cluster.leader() == Some(0));
    assert_eq!(cluster.open(0, 1), 1);
}

#[test]
fn stopping_a_leader_finishes_what_is_queued_and_gives_leadership_up() {
    let mut cluster = Cluster::led_by_the_first(2);
    cluster.pass_us(LEASE_US / 2);
    let queued: Vec<_> = (1..=50).map(|account| cluster.node(0).op("op", &open(account))).collect();
    cluster.node(0).handle(Event::Stop);
    let late = cluster.node(0).op("late", &open(99));
    cluster.settle();
    assert_eq!(cluster.node(0).stopped, Some(Stopped::Cleanly));
    assert!(queued.iter().map(|asked| asked.version()).eq(1..=50));
    assert!(matches!(late.failure(), Failure::Unavailable { .. }));
    cluster.pause(0);
    cluster.until(TAKEOVER_US, |cluster| cluster.leader() == Some(1));
    assert_eq!(cluster.open(1, 100), 51);
}

#[test]
fn stopping_a_follower_is_done_at_once() {
    let mut cluster = Cluster::led_by_the_first(2);
    cluster.open(0, 1);
    cluster.step();
    assert_eq!(cluster.node(1).stop(), Stopped::Cleanly);
    cluster.pass_us(LEASE_US);
    assert_eq!(cluster.leader(), Some(0), "nobody else noticed");
}

#[test]
fn p5_a_release_whose_place_a_dead_entry_took_is_sent_again() {
    let mut cluster = Cluster::led_by_the_first(2);
    cluster.pass_us(LEASE_US / 2);
    let log = cluster.members[0].log.clone();
    log.hold();
    cluster.node(0).handle(Event::HandOver);
    cluster.settle();
    foreign::dead_entry(&cluster.memory, log.held()[0]);
    log.answer_all();
    cluster.settle();
    assert_eq!((cluster.leader(), log.held().len()), (Some(0), 1));
    log.answer_all();
    cluster.until(TAKEOVER_US, |cluster| cluster.leader() == Some(1));
}

#[test]
fn p11_between_the_release_and_its_acknowledgement_no_lease_runs_and_nothing_is_evaluated() {
    let mut cluster = Cluster::led_by_the_first(2);
    let timer = Op::Hold { from: 1, amount: 1, for_us: LEASE_US / 2 };
    cluster.open(0, 1);
    let armed = cluster.node(0).submit(Ask::of(timer.work("hold")));
    cluster.settle();
    assert_eq!(armed.version(), 2);
    let log = cluster.members[0].log.clone();
    log.hold();
    cluster.node(0).handle(Event::HandOver);
    cluster.settle();
    let now_us = cluster.clock.now().monotonic_us;
    assert!(!cluster.node(0).engine.lease().runs(now_us));
    log.perform(log.held()[0]);
    cluster.pass_us(FAILOVER_US);
    assert_eq!(cluster.node(0).engine.metrics().timers_fired.get(), 0, "it is the other's by now");
    assert_eq!(cluster.node(1).engine.metrics().timers_fired.get(), 1);
    log.answer_all();
    cluster.step();
    assert_eq!(cluster.node(0).follows.clone().unwrap().unwrap().node, "n1");
    let told = history(&cluster.memory);
    assert_eq!(told.dead, 0, "the one that gave up wrote nothing after it");
}

#[test]
fn a_claim_that_comes_before_the_release_ends_the_hand_over_as_well() {
    let mut cluster = Cluster::led_by_the_first(1);
    let log = cluster.members[0].log.clone();
    log.hold();
    cluster.node(0).handle(Event::HandOver);
    cluster.settle();
    foreign::newer_claim(&cluster.memory, log.held()[0]);
    log.answer_all();
    cluster.settle();
    let follows = cluster.node(0).follows.clone().unwrap().unwrap();
    assert_eq!(follows.node, "another");
    let refused = cluster.node(0).op("op", &open(1));
    cluster.settle();
    assert_eq!(refused.failure(), Failure::NotLeader { leader: Some(follows) });
}
