//! The experiments on coordination and flow, shortened, against a node in this process: each
//! passes, and its control fails for the reason it is there to show.

use std::time::Duration;

use holdfast_lab::{
    Options, Report, Scenario, Target, consumer_group::ConsumerGroup, deadlock::Deadlock,
    queue::Queue, rate_limit::RateLimit, run, zombie_leader::ZombieLeader,
};

fn report(scenario: &dyn Scenario) -> Report {
    let data = tempfile::tempdir().unwrap();
    let target = Target::in_process(&data.path().join("data")).unwrap();
    let options = Options {
        concurrency: 8,
        duplicates_percent: 10,
        kills: 0,
        stop_after: None,
        history: None,
        seed: 1,
        progress: false,
    };
    let report = run(scenario, &target, &options).unwrap();
    target.close().unwrap();
    report
}

fn passes(scenario: &dyn Scenario) {
    let report = report(scenario);
    assert_eq!(report.verdict, Ok(()), "{:?}", report.counts);
}

fn fails(scenario: &dyn Scenario, because: &str) {
    let report = report(scenario);
    let wrong = report.verdict.unwrap_err();
    assert!(wrong.0.contains(because), "{wrong}");
}

fn zombies() -> ZombieLeader {
    ZombieLeader {
        candidates: 3,
        ttl: Duration::from_millis(300),
        ticks: 90,
        faults_percent: 25,
        seed: 1,
        unprotected: false,
    }
}

#[test]
fn no_zombie_writes() {
    passes(&zombies());
}

#[test]
fn without_the_guard_zombies_write() {
    fails(&ZombieLeader { unprotected: true, ..zombies() }, "was written at version");
}

fn deadlocks() -> Deadlock {
    let patience = Duration::from_secs(5);
    Deadlock { workers: 6, leases: 6, rounds: 15, patience, seed: 1, unprotected: false }
}

#[test]
fn nobody_waits_for_itself() {
    passes(&deadlocks());
}

#[test]
fn without_queues_circles_last() {
    let patience = Duration::from_secs(4);
    let control = Deadlock { unprotected: true, leases: 4, rounds: 2, patience, ..deadlocks() };
    fails(&control, "waited for one another");
}

fn queue() -> Queue {
    Queue {
        messages: 400,
        consumers: 6,
        visibility: Duration::from_millis(300),
        poison_percent: 5,
        faults_percent: 8,
        seed: 1,
        unprotected: false,
    }
}

#[test]
fn each_message_is_done_once_or_dead() {
    passes(&queue());
}

#[test]
fn who_acknowledges_first_loses_messages() {
    fails(&Queue { unprotected: true, ..queue() }, "is lost: it was acknowledged");
}

fn limits() -> RateLimit {
    let window = Duration::from_millis(500);
    RateLimit { gateways: 4, keys: 40, max: 5, window, edges: 4, seed: 1, unprotected: false }
}

#[test]
fn no_window_has_more_than_it_may() {
    passes(&limits());
}

#[test]
fn gateways_that_count_by_their_own_clocks_let_too_many_through() {
    fails(&RateLimit { unprotected: true, ..limits() }, "6 requests were allowed within");
}

fn group() -> ConsumerGroup {
    ConsumerGroup {
        messages: 1_000,
        partitions: 6,
        members: 4,
        ttl: Duration::from_millis(300),
        faults_percent: 8,
        seed: 1,
        unprotected: false,
    }
}

#[test]
fn a_group_deals_with_each_message_once() {
    passes(&group());
}

#[test]
fn places_without_generations_are_set_back() {
    fails(&ConsumerGroup { unprotected: true, ..group() }, "and the work before ended at");
}
