//! Linearizable reads: what proves leadership to them, and what does not (P10, P11, P14).

use holdfast_engine::{Config, Failure, Reads};
use holdfast_log::MemoryLog;

use crate::{
    cluster::{Cluster, FAILOVER_US, LEASE_US, STEP_US},
    foreign,
    held::HeldLog,
    history::entries,
    node::{Looked, Node, Start, config},
    toy::Op,
};

fn open(account: u64) -> Op {
    Op::Open { account, balance: 10 }
}

/// A leader whose log is told apart from an empty one by a write or by a look.
fn leader(by_look: bool, reads: Reads) -> (Cluster, HeldLog) {
    let mut cluster = Cluster::of(0);
    let adapt = |config: &mut Config| {
        config.empty_read_is_linearizable = by_look;
        config.reads = reads;
    };
    cluster.join(adapt);
    cluster.until(FAILOVER_US, |cluster| cluster.leader() == Some(0));
    cluster.open(0, 100);
    cluster.join(adapt);
    cluster.step();
    let log = cluster.members[0].log.clone();
    (cluster, log)
}

fn length(cluster: &Cluster) -> usize {
    entries(&cluster.memory).len()
}

#[test]
fn a_node_that_is_alone_answers_reads_at_once_and_before_it_leads_when_it_does() {
    let memory = MemoryLog::new();
    let log = HeldLog::over(&memory);
    log.hold();
    let mut node = Node::new(&log, Start { config: config(), ..Start::default() });
    let early = node.read();
    node.settle();
    assert!(early.is_open());
    log.answer_all();
    node.settle();
    assert_eq!(early.version(), 0);
    let asked = node.op("op", &open(1));
    node.settle();
    let read = node.read();
    node.settle();
    assert_eq!(read.version(), 0, "what is not acknowledged is not shown");
    log.answer_all();
    node.settle();
    let read = node.read();
    node.settle();
    assert_eq!((asked.version(), read.version()), (1, 1));
    assert_eq!(entries(&memory).len(), 2, "it costs nothing");
}

#[test]
fn p10_only_an_append_that_was_first_sent_after_a_read_came_serves_it() {
    let (mut cluster, log) = leader(false, Reads::Confirmed);
    log.hold();
    cluster.node(0).op("a", &open(1));
    cluster.settle();
    let sent = log.held();
    let late = cluster.node(0).read();
    cluster.settle();
    assert_eq!(log.held().len(), 2, "an entry is sent for it");
    log.answer(sent[0]);
    cluster.settle();
    assert!(late.is_open(), "that append was sent before it came");
    log.answer_all();
    cluster.settle();
    assert_eq!(late.version(), 2);
}

#[test]
fn p10_many_reads_share_one_entry_and_work_carries_them_too() {
    let (mut cluster, log) = leader(false, Reads::Confirmed);
    log.hold();
    let before = cluster.node(0).engine.metrics().heartbeats.get();
    let reads: Vec<Looked> = (0..50).map(|_| cluster.node(0).read()).collect();
    cluster.settle();
    assert_eq!(log.held().len(), 1);
    let next: Vec<Looked> = (0..50).map(|_| cluster.node(0).read()).collect();
    cluster.node(0).op("work", &open(1));
    cluster.settle();
    assert_eq!(log.held().len(), 2, "the batch carries the reads that came with it");
    log.answer_all();
    cluster.settle();
    assert!(reads.iter().chain(&next).all(|read| !read.is_open()));
    assert_eq!(cluster.node(0).engine.metrics().heartbeats.get() - before, 1);
    assert_eq!(cluster.node(0).engine.metrics().confirmed.get(), 100);
}

#[test]
fn p5_p10_an_abandoned_copy_proves_nothing_and_the_entry_sent_again_does() {
    let (mut cluster, log) = leader(false, Reads::Confirmed);
    log.hold();
    let read = cluster.node(0).read();
    cluster.settle();
    foreign::dead_entry(&cluster.memory, log.held()[0]);
    log.answer_all();
    cluster.settle();
    assert!(read.is_open() && log.held().len() == 1);
    log.answer_all();
    cluster.settle();
    assert_eq!(read.version(), 1);
}

#[test]
fn p10_reads_of_a_paused_leader_are_not_answered_until_it_knows_that_it_was_deposed() {
    for by_look in [false, true] {
        let (mut cluster, log) = leader(by_look, Reads::Confirmed);
        cluster.pause(0);
        cluster.until(FAILOVER_US, |cluster| cluster.leader() == Some(1));
        cluster.open(1, 1);
        log.hold();
        cluster.resume(0);
        let read = cluster.node(0).read();
        cluster.settle();
        assert!(read.is_open(), "its state lacks what was acknowledged elsewhere");
        log.answer_all();
        cluster.settle();
        let Failure::NotLeader { leader } = read.failure() else { panic!("{read:?}") };
        assert_eq!(leader.unwrap().node, "n1");
        assert!(cluster.node(0).follows.is_some(), "by look: {by_look}");
    }
}

#[test]
fn p10_a_read_sees_what_a_follower_showed_before_its_leader_had_applied_it() {
    for by_look in [false, true] {
        let (mut cluster, _) = leader(by_look, Reads::Confirmed);
        cluster.node(0).hold_applies = true;
        cluster.node(0).op("a", &open(1));
        cluster.pass_us(10 * STEP_US);
        assert_eq!(cluster.node(1).state().mark().version.get(), 2, "a follower shows it");
        let read = cluster.node(0).read();
        cluster.settle();
        assert!(read.is_open(), "by look: {by_look}");
        cluster.node(0).hold_applies = false;
        cluster.settle();
        assert_eq!(read.version(), 2);
    }
}

#[test]
fn p10_a_transaction_that_wrote_nothing_waits_for_the_same_proof() {
    for by_look in [false, true] {
        let (mut cluster, log) = leader(by_look, Reads::Confirmed);
        let total = cluster.node(0).op("total", &Op::Total);
        cluster.settle();
        assert_eq!((total.body(), total.version()), ("10".to_owned(), 1), "it leads");
        cluster.pause(0);
        cluster.until(FAILOVER_US, |cluster| cluster.leader() == Some(1));
        cluster.open(1, 1);
        log.hold();
        cluster.resume(0);
        let total = cluster.node(0).op("total", &Op::Total);
        cluster.settle();
        assert!(total.is_open(), "its state lacks what was acknowledged elsewhere");
        log.answer_all();
        cluster.settle();
        assert!(matches!(total.failure(), Failure::NotLeader { .. }), "by look: {by_look}");
    }
}

#[test]
fn p10_an_empty_hole_proves_leadership_without_a_write_when_nothing_is_in_flight() {
    let (mut cluster, log) = leader(true, Reads::Confirmed);
    let length_before = length(&cluster);
    for _ in 0..20 {
        let read = cluster.node(0).read();
        cluster.settle();
        assert_eq!(read.version(), 1);
    }
    assert_eq!(length(&cluster), length_before);
    log.hold();
    cluster.node(0).op("in flight", &open(1));
    cluster.settle();
    let read = cluster.node(0).read();
    cluster.settle();
    assert!(read.is_open());
    assert_eq!(log.held().len(), 2, "while something is in flight a look proves nothing");
    log.answer_all();
    cluster.settle();
    assert!(read.version() >= 1, "nobody had been told of version 2 when it came");
}

#[test]
fn p10_a_look_reads_over_dead_entries_and_work_goes_on_behind_them() {
    let (mut cluster, _) = leader(true, Reads::Confirmed);
    let next = length(&cluster) as u64 + 1;
    foreign::dead_entry(&cluster.memory, next);
    foreign::dead_entry(&cluster.memory, next + 1);
    let read = cluster.node(0).read();
    cluster.settle();
    assert_eq!(read.version(), 1);
    assert_eq!(cluster.open(0, 1), 2);
    assert_eq!(length(&cluster) as u64, next + 2, "nothing was sent to the dead positions");
}

#[test]
fn p11_a_lease_answers_reads_without_the_log_for_as_long_as_it_runs_from_the_sending() {
    let (mut cluster, log) = leader(false, Reads::Lease);
    let length_before = length(&cluster);
    for _ in 0..20 {
        let read = cluster.node(0).read();
        cluster.node(0).turn();
        assert_eq!(read.version(), 1);
    }
    assert_eq!(length(&cluster), length_before);
    log.hold();
    cluster.node(0).op("extends", &open(1));
    cluster.settle();
    let sent_us = cluster.clock.now().monotonic_us;
    cluster.pause(1);
    cluster.pass_us(LEASE_US / 2);
    log.answer_all();
    cluster.settle();
    while cluster.clock.now().monotonic_us + STEP_US < sent_us + LEASE_US {
        cluster.clock.pass_us(STEP_US);
        cluster.node(0).turn();
        let now_us = cluster.clock.now().monotonic_us;
        assert!(cluster.node(0).engine.lease().runs(now_us));
    }
    cluster.clock.pass_us(2 * STEP_US);
    let now_us = cluster.clock.now().monotonic_us;
    let beats: Vec<u64> = log.held();
    assert!(!beats.is_empty(), "heartbeats are on their way, and extend nothing before they count");
    assert!(!cluster.node(0).engine.lease().runs(now_us), "it ran from when the entry was sent");
    let read = cluster.node(0).read();
    cluster.node(0).turn();
    assert!(read.is_open(), "without a lease it asks the log");
    for _ in 0..4 {
        log.answer_all();
        cluster.node(0).settle();
    }
    assert_eq!(read.version(), 2);
}

#[test]
fn p11_no_lease_overlaps_with_another_leaders() {
    let mut leaders = std::collections::BTreeSet::new();
    for seed in 0..8 {
        let mut cluster = Cluster::of(0);
        for _ in 0..3 {
            cluster.join(|config| config.reads = Reads::Lease);
        }
        let mut dice = crate::chaos::Dice(seed);
        for _ in 0..3_000 {
            let which = usize::try_from(dice.below(3)).unwrap();
            if dice.below(40) == 0 {
                cluster.members[which].paused ^= true;
            }
            cluster.clock.pass_us(STEP_US);
            let count = cluster.members.len() as u64;
            let first = usize::try_from(dice.below(count)).unwrap();
            for offset in 0..cluster.members.len() {
                let member = &mut cluster.members[(first + offset) % 3];
                if !member.paused {
                    member.node.settle();
                }
            }
            let now_us = cluster.clock.now().monotonic_us;
            let runs = |index: &usize| cluster.members[*index].node.engine.lease().runs(now_us);
            let running: Vec<usize> = (0..3).filter(runs).collect();
            assert!(running.len() <= 1, "seed {seed}: {running:?}");
            leaders.extend(running);
        }
    }
    assert_eq!(leaders.len(), 3, "each had it some time");
}

#[test]
fn reads_at_a_follower_are_told_who_leads() {
    let (mut cluster, _) = leader(true, Reads::Lease);
    let read = cluster.node(1).read();
    cluster.settle();
    let Failure::NotLeader { leader } = read.failure() else { panic!("{read:?}") };
    assert_eq!(leader.unwrap().address, "n0:1");
}

#[test]
fn reads_are_bounded() {
    let (mut cluster, log) = leader(false, Reads::Confirmed);
    let waiting_max = Config::default().waiting_max;
    log.hold();
    let reads: Vec<Looked> = (0..waiting_max).map(|_| cluster.node(0).read()).collect();
    let more = cluster.node(0).read();
    cluster.settle();
    assert_eq!(more.failure(), Failure::Overloaded);
    log.answer_all();
    cluster.settle();
    assert!(reads.iter().all(|read| read.answer() == Some(Ok(holdfast_state::Version::new(1)))));
}

#[test]
fn p14_freshness_counts_from_when_the_look_was_asked_for_and_only_where_it_proves_anything() {
    for by_look in [true, false] {
        let (mut cluster, _) = leader(by_look, Reads::Confirmed);
        cluster.pass_us(LEASE_US);
        let fresh_us = cluster.node(1).engine.metrics().fresh_us.get();
        let now_us = cluster.clock.now().monotonic_us;
        if !by_look {
            assert_eq!(fresh_us, 0, "an empty read that may be stale says nothing");
            continue;
        }
        assert!(now_us - fresh_us <= 2 * STEP_US, "{}", now_us - fresh_us);
        cluster.node(1).hold_applies = true;
        cluster.open(0, 7);
        cluster.pass_us(10 * STEP_US);
        let held = cluster.node(1).engine.metrics().fresh_us.get();
        assert!(held <= now_us + STEP_US, "what is not applied yet is not fresh: {held} {now_us}");
        let leaders = cluster.node(0).engine.metrics().fresh_us.get();
        assert!(leaders >= now_us, "the leader's own append proved more");
    }
}
