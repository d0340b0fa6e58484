//! Nodes that share a log: who claims and when, and what becomes of whoever is deposed (P3, P7, P9).

use holdfast_engine::{Config, Failure, Leader, Leadership, Shared, Stopped};
use holdfast_log::{Body, Entry, Epoch, MemoryLog, Read, blocking};
use holdfast_state::MemoryStore;

use crate::{
    cluster::{Cluster, FAILOVER_US, LEASE_US, STEP_US, shared},
    foreign,
    history::{entries, history, rows},
    node::{Node, Pending, Start},
    toy::{Op, balances, effects},
};

fn open(account: u64) -> Op {
    Op::Open { account, balance: 10 }
}

/// Who is said to lead by `failure`.
fn said(failure: &Failure) -> Option<&str> {
    match failure {
        Failure::NotLeader { leader } => leader.as_ref().map(|leader| leader.node.as_str()),
        other => panic!("{other}"),
    }
}

fn claims(log: &MemoryLog) -> usize {
    history(log).entries.iter().filter(|(_, header)| header.sequence == 0).count()
}

#[test]
fn p7_on_a_new_log_one_of_three_leads_and_the_others_follow_and_know_it() {
    let mut cluster = Cluster::of(3);
    cluster.until(LEASE_US / 8 + 2 * STEP_US, |cluster| cluster.leader().is_some());
    let leader = cluster.leader().unwrap();
    cluster.pass_us(2 * STEP_US);
    cluster.open(leader, 1);
    cluster.step();
    for index in (0..3).filter(|index| *index != leader) {
        let known = cluster.node(index).follows.clone().expect("it follows").expect("somebody");
        assert_eq!((known.node, known.epoch), (format!("n{leader}"), Epoch::new(1)));
        assert_eq!(known.address, format!("n{leader}:1"));
        let refused = cluster.node(index).op("elsewhere", &open(2));
        cluster.settle();
        assert_eq!(said(&refused.failure()), Some(format!("n{leader}").as_str()));
        assert_eq!(balances(&*cluster.node(index).state()).len(), 1, "it applies what is written");
        assert_eq!(cluster.node(index).published.len(), 1, "and tells followers of the feed");
    }
}

#[test]
fn p7_nobody_claims_while_the_leader_is_heard() {
    let mut cluster = Cluster::led_by_the_first(3);
    cluster.pass_us(10 * LEASE_US);
    assert_eq!(cluster.leader(), Some(0));
    assert_eq!(claims(&cluster.memory), 1);
    let beats = cluster.node(0).engine.metrics().heartbeats.get();
    assert!((29..=32).contains(&beats), "{beats} in ten leases: three in each");
    for account in 0..100 {
        cluster.open(0, account);
        cluster.pass_us(LEASE_US / 5);
    }
    let more = cluster.node(0).engine.metrics().heartbeats.get() - beats;
    assert!((2..=4).contains(&more), "work is a heartbeat; who leads is said now and then: {more}");
    assert_eq!(history(&cluster.memory).changes.len(), 100, "versions are dense");
}

#[test]
fn p7_p11_a_lease_is_waited_out_from_when_the_last_entry_was_read_and_then_somebody_leads() {
    for pause_at in 0..10 {
        let mut cluster = Cluster::led_by_the_first(3);
        cluster.pass_us(pause_at * LEASE_US / 10);
        cluster.open(0, 1);
        cluster.step();
        cluster.pause(0);
        cluster.pass_us(LEASE_US + LEASE_US / 100 - 2 * STEP_US);
        assert_eq!(claims(&cluster.memory), 1, "the lease runs");
        cluster.until(LEASE_US / 2 + 4 * STEP_US, |cluster| cluster.leader().is_some());
        assert_eq!(claims(&cluster.memory), 2);
        let leader = cluster.leader().unwrap();
        assert_eq!(cluster.open(leader, 2), 2);
    }
}

#[test]
fn p7_claims_are_spread_in_time() {
    let mut cluster = Cluster::led_by_the_first(6);
    cluster.pass_us(LEASE_US);
    let mut waits = std::collections::BTreeSet::new();
    for _ in 0..8 {
        let leader = cluster.leader().unwrap();
        cluster.pause(leader);
        waits.insert(cluster.until(FAILOVER_US, |cluster| cluster.leader().is_some()));
        cluster.resume(leader);
        cluster.pass_us(2 * STEP_US);
    }
    assert!(waits.len() > 2, "{waits:?}");
    let lost: u64 =
        (0..6).map(|index| cluster.node(index).engine.metrics().claims_lost.get()).sum();
    assert!(lost <= 4, "{lost} of 8 races were needed");
}

#[test]
fn p7_a_node_that_has_just_started_waits_a_full_lease_although_nobody_is_heard() {
    let mut cluster = Cluster::led_by_the_first(1);
    cluster.open(0, 1);
    cluster.pause(0);
    cluster.clock.pass_us(100 * LEASE_US);
    let started = cluster.join(|_| {});
    cluster.pass_us(LEASE_US);
    assert_eq!(claims(&cluster.memory), 1, "the leader may have written before it was looked");
    assert_eq!(cluster.node(started).engine.metrics().role.get(), 1, "it follows meanwhile");
    cluster.until(FAILOVER_US, |cluster| cluster.leader() == Some(started));
}

#[test]
fn p11_the_lease_that_was_claimed_binds_those_with_a_shorter_one_of_their_own() {
    let mut cluster = Cluster::led_by_the_first(1);
    let hasty = cluster.join(|config| {
        let shared = Shared { lease_ms: 10, look_every_us: STEP_US, may_lead: true };
        config.leadership = Leadership::Shared(shared);
    });
    cluster.pass_us(LEASE_US);
    cluster.open(0, 1);
    cluster.step();
    cluster.pause(0);
    cluster.pass_us(LEASE_US - STEP_US);
    assert_eq!(cluster.node(hasty).led, None);
    cluster.until(FAILOVER_US, |cluster| cluster.leader() == Some(hasty));
}

/// Two entries of a leader in flight, a third gathered and a fourth asked for, when it is paused
/// past its lease and another leads.
fn deposed(performed: &[u64]) -> (Cluster, Vec<Pending>, usize) {
    let mut cluster = Cluster::led_by_the_first(2);
    cluster.open(0, 100);
    let log = cluster.members[0].log.clone();
    log.hold();
    let mut asked = Vec::new();
    for account in 1..=3 {
        asked.push(cluster.node(0).op(&format!("op-{account}"), &open(account)));
        cluster.settle();
    }
    let sent = log.held();
    assert_eq!(sent.len(), 2);
    performed.iter().for_each(|which| log.perform(sent[usize::try_from(*which).unwrap()]));
    cluster.pause(0);
    cluster.until(2 * FAILOVER_US, |cluster| cluster.leader() == Some(1));
    asked.push(cluster.node(0).op("queued", &open(4)));
    (cluster, asked, 1)
}

fn wake(cluster: &mut Cluster) {
    cluster.resume(0);
    for _ in 0..5 {
        cluster.members[0].log.answer_all();
        cluster.step();
    }
}

#[test]
fn p9_whoever_is_deposed_follows_and_its_callers_learn_what_happened() {
    let (mut cluster, asked, new) = deposed(&[0]);
    let theirs = cluster.open(new, 9);
    wake(&mut cluster);
    assert_eq!(asked[0].version(), 2, "it lay below the claim, so it counts");
    for nothing in &asked[1..] {
        assert_eq!(said(&nothing.failure()), Some("n1"), "it can count no more: nothing happened");
    }
    assert_eq!(theirs, 3);
    let told = history(&cluster.memory);
    for name in ["op-2", "op-3", "queued"] {
        assert_eq!(effects(&told.store, name), 0);
    }
    assert_eq!(cluster.node(0).stopped, None);
    assert_eq!(cluster.node(0).follows.clone().unwrap().unwrap().node, "n1");
    assert_eq!(rows(&told.store), rows(&*cluster.node(0).state()), "it has caught up");
    assert_eq!(cluster.node(0).engine.metrics().step_downs.get(), 1);
    let after = cluster.node(0).op("after", &open(5));
    cluster.settle();
    assert_eq!(said(&after.failure()), Some("n1"));
}

#[test]
fn p5_behind_a_position_that_is_not_known_nothing_is_told() {
    let (mut cluster, asked, _) = deposed(&[0]);
    cluster.resume(0);
    let sent = cluster.members[0].log.held();
    cluster.members[0].log.answer(*sent.iter().max().unwrap());
    cluster.settle();
    assert!(asked[0].is_open(), "the claim is known, what lies before it is not");
    cluster.members[0].log.answer_all();
    cluster.step();
    assert_eq!(asked[0].version(), 2);
}

#[test]
fn p4_zombie_writes_of_a_paused_leader_are_dead_wherever_they_land() {
    let (mut cluster, asked, new) = deposed(&[]);
    let log = cluster.members[0].log.clone();
    let sent = log.held();
    log.delay(sent[1]);
    log.delay(sent[0]);
    while log.land(0) {}
    let theirs = cluster.open(new, 9);
    cluster.step();
    wake(&mut cluster);
    assert_eq!(theirs, 2);
    let told = history(&cluster.memory);
    assert!(told.dead > 0 && told.changes.len() == 2);
    assert!(asked.iter().all(|asked| said(&asked.failure()) == Some("n1")));
    assert_eq!(rows(&told.store), rows(&*cluster.node(0).state()));
    assert_eq!(rows(&told.store), rows(&*cluster.node(1).state()));
}

#[test]
fn p9_whoever_is_deposed_sends_nothing_again() {
    let (mut cluster, _, _) = deposed(&[]);
    let log = cluster.members[0].log.clone();
    for position in log.held() {
        log.lose(position);
    }
    cluster.resume(0);
    cluster.pass_us(5 * crate::node::RETRY_US);
    log.answer_all();
    cluster.pass_us(5 * crate::node::RETRY_US);
    assert!(log.held().is_empty());
    assert!(cluster.node(0).follows.is_some());
}

#[test]
fn p7_p13_leadership_comes_back_with_a_new_nonce_and_everything_that_it_needs() {
    let mut cluster = Cluster::led_by_the_first(2);
    let first = cluster.node(0).keyed("k", &Op::Open { account: 1, balance: 50 });
    cluster.settle();
    let hold = Op::Hold { from: 1, amount: 7, for_us: 6 * FAILOVER_US };
    cluster.node(0).keyed("hold", &hold);
    cluster.settle();
    for round in 0..4 {
        let leader = cluster.leader().unwrap();
        cluster.pause(leader);
        cluster.until(FAILOVER_US, |cluster| cluster.leader().is_some());
        cluster.resume(leader);
        cluster.step();
        let next = cluster.leader().unwrap();
        assert_ne!(leader, next);
        let again = cluster.node(next).keyed("k", &Op::Open { account: 1, balance: 50 });
        let fresh = cluster.node(next).keyed(&format!("k-{round}"), &open(10 + round));
        cluster.settle();
        assert!(again.outcome().replayed && again.version() == first.version());
        assert!(!fresh.outcome().replayed);
    }
    let leader = cluster.leader().unwrap();
    assert_eq!(balances(&*cluster.node(leader).state())[&1], 43);
    cluster.pass_us(6 * FAILOVER_US);
    for index in 0..2 {
        assert_eq!(balances(&*cluster.node(index).state())[&1], 50, "the timer fired, once");
    }
    let fired: u64 = (0..2).map(|i| cluster.node(i).engine.metrics().timers_fired.get()).sum();
    assert_eq!(fired, 1);
    let mut nonces: Vec<_> = entries(&cluster.memory)
        .iter()
        .map(|bytes| Entry::decode(bytes).unwrap())
        .filter(|entry| matches!(entry.body, Body::Claim(_)))
        .map(|entry| entry.header.nonce.to_bytes())
        .collect();
    assert_eq!(nonces.len(), 5);
    nonces.sort_unstable();
    nonces.dedup();
    assert_eq!(nonces.len(), 5, "every claim has a nonce of its own");
}

#[test]
fn p7_a_node_that_may_not_lead_does_not_claim() {
    let mut cluster = Cluster::of(0);
    let node = cluster.join(|config| {
        let shared = Shared { may_lead: false, ..Shared::default() };
        config.leadership = Leadership::Shared(shared);
    });
    cluster.pass_us(20 * LEASE_US);
    assert!(entries(&cluster.memory).is_empty());
    assert_eq!(cluster.node(node).follows, Some(None));
    let leader = cluster.join(|_| {});
    cluster.until(FAILOVER_US, |cluster| cluster.leader() == Some(leader));
    cluster.open(leader, 1);
    cluster.pause(leader);
    cluster.pass_us(20 * LEASE_US);
    assert_eq!(claims(&cluster.memory), 1);
    assert_eq!(balances(&*cluster.node(node).state()).len(), 1);
}

#[test]
fn p7_a_node_whose_clock_contradicts_the_log_leaves_it_to_others_and_follows() {
    let mut cluster = Cluster::led_by_the_first(2);
    cluster.pass_us(LEASE_US);
    let right = cluster.clock.now().wall_us;
    for wrong in [right - 70_000_000, right + 70_000_000] {
        cluster.pause(0);
        cluster.clock.set_wall_us(wrong);
        cluster.pass_us(FAILOVER_US);
        assert_eq!((cluster.leader(), claims(&cluster.memory)), (None, 1), "60 s are the bound");
        let node = &cluster.node(1).engine;
        assert!(node.unfit().is_some_and(|reason| reason.contains("clock")), "{:?}", node.unfit());
        cluster.clock.set_wall_us(right + 4 * FAILOVER_US);
        cluster.resume(0);
        cluster.pass_us(LEASE_US);
        assert_eq!(cluster.leader(), Some(0));
    }
    cluster.pause(0);
    cluster.until(2 * FAILOVER_US, |cluster| cluster.leader() == Some(1));
    assert_eq!(cluster.node(1).engine.unfit(), None);
}

#[test]
fn p7_a_node_whose_clock_fits_comes_first_where_there_is_one() {
    for seed in 0..8 {
        let mut cluster = Cluster::seeded(100 + seed);
        for _ in 0..4 {
            cluster.join(|_| {});
        }
        for node in [1, 2] {
            cluster.off_by_us(node, if seed % 2 == 0 { 600_000_000 } else { -600_000_000 });
            cluster.pause(node);
        }
        cluster.until(FAILOVER_US, |cluster| cluster.leader().is_some());
        let first = cluster.leader().unwrap();
        for node in [1, 2] {
            cluster.resume(node);
        }
        cluster.pass_us(LEASE_US);
        cluster.pause(first);
        cluster.until(FAILOVER_US, |cluster| cluster.leader().is_some());
        assert_eq!(cluster.leader(), Some(3 - first), "seed {seed}");
        assert_eq!(claims(&cluster.memory), 2);
    }
}

#[test]
fn p3_a_follower_that_the_log_was_trimmed_past_says_so_and_stops() {
    let mut cluster = Cluster::led_by_the_first(2);
    cluster.pause(1);
    cluster.open(0, 1);
    cluster.open(0, 2);
    let tail = blocking::tail(&cluster.memory).unwrap();
    blocking::trim(&cluster.memory, tail).unwrap();
    cluster.resume(1);
    cluster.step();
    let Some(Stopped::Behind(position)) = cluster.node(1).stopped else {
        panic!("{:?}", cluster.node(1).stopped)
    };
    assert!(position < tail);
}

#[test]
fn p3_a_leader_whose_position_was_trimmed_does_not_know_what_became_of_its_work() {
    let (mut cluster, asked, new) = deposed(&[]);
    cluster.open(new, 9);
    let tail = blocking::tail(&cluster.memory).unwrap();
    blocking::trim(&cluster.memory, tail).unwrap();
    wake(&mut cluster);
    assert!(matches!(cluster.node(0).stopped, Some(Stopped::Behind(_))));
    assert!(matches!(asked[0].failure(), Failure::OutcomeUnknown { .. }));
    assert!(matches!(asked[3].failure(), Failure::Unavailable { .. }), "it was never evaluated");
}

#[test]
fn p16_an_empty_node_joins_by_snapshot_and_tail_and_learns_who_leads_behind_the_claim() {
    let mut cluster = Cluster::led_by_the_first(1);
    for account in 0..5 {
        cluster.open(0, account);
    }
    let snapshot = cluster.node(0).state();
    cluster.open(0, 5);
    let next = holdfast_engine::engine::checkpoint_of(snapshot.mark()).unwrap().unwrap();
    assert_eq!(next.lease_ms, LEASE_US / 1_000, "a snapshot tells the lease that binds");
    let said = blocking::read(&cluster.memory, next.said_at.unwrap(), 1).unwrap().swap_remove(0);
    let other = entries(&cluster.memory).pop().unwrap();
    blocking::trim(&cluster.memory, next.next_position).unwrap();
    let store = MemoryStore::from_pairs(rows(&*snapshot), snapshot.mark().clone());
    let joined = cluster.join_with(Box::new(store), |_| {});
    cluster.settle();
    assert_eq!(balances(&*cluster.node(joined).state()).len(), 6);
    assert_eq!(cluster.node(joined).follows, Some(None), "the claim was before the snapshot");
    let Read::Entry(said) = said else { panic!("{said:?}") };
    let told = Leader::said_in(&said, &next).expect("who leads was said there");
    assert_eq!(Leader::said_in(&other, &next), None, "only a claim or a renewal says it");
    let store = MemoryStore::from_pairs(rows(&*snapshot), snapshot.mark().clone());
    let clock = cluster.clock.clone();
    let start = Start { config: shared("told"), store: Box::new(store), clock, ..Start::default() };
    let start = Start { leader: Some(told.clone()), ..start };
    let mut knows = Node::new(&cluster.memory, start);
    knows.settle();
    assert_eq!(knows.follows, Some(Some(told)), "at once");
    cluster.pass_us(LEASE_US / 2);
    let known = cluster.node(joined).follows.clone().unwrap().expect("a heartbeat tells");
    assert_eq!((known.node.as_str(), known.epoch), ("n0", Epoch::new(1)));
    cluster.pause(0);
    cluster.until(FAILOVER_US, |cluster| cluster.leader() == Some(joined));
}

#[test]
fn p16_only_who_leads_takes_snapshots_and_not_two_of_one_version() {
    let mut cluster = Cluster::of(0);
    for _ in 0..2 {
        cluster.join(|config| config.snapshot_bytes = 1);
    }
    cluster.until(FAILOVER_US, |cluster| cluster.leader().is_some());
    let leader = cluster.leader().unwrap();
    cluster.open(leader, 1);
    cluster.pass_us(5 * LEASE_US);
    assert!(cluster.node(1 - leader).keep.is_empty());
    let kept = cluster.node(leader).keep.pop().unwrap();
    let state = holdfast_engine::engine::checkpoint_of(kept.mark()).unwrap().unwrap();
    cluster.node(leader).handle(holdfast_engine::Event::SnapshotKept(state));
    cluster.pass_us(5 * LEASE_US);
    let again = cluster.node(leader).keep.iter().filter(|next| next.mark() == kept.mark()).count();
    assert_eq!(again, 0, "heartbeats alone do not replace the snapshot of a version");
    assert!(cluster.node(leader).trims.is_empty(), "there is one snapshot");
}

#[test]
fn p17_followers_compare_their_state_with_the_digests_of_whoever_leads() {
    let mut cluster = Cluster::of(0);
    cluster.join(|config: &mut Config| config.digest_entries = 4);
    cluster.until(FAILOVER_US, |cluster| cluster.leader() == Some(0));
    for account in 0..3 {
        cluster.open(0, account);
    }
    let snapshot = cluster.node(0).state();
    let mut pairs = rows(&*snapshot);
    let wrong = pairs.len() - 1;
    pairs[wrong].1 = bytes::Bytes::from_static(b"\x01");
    let altered = MemoryStore::from_pairs(pairs, snapshot.mark().clone());
    let bad = cluster.join_with(Box::new(altered), |_| {});
    let good = cluster.join(|_| {});
    cluster.pass_us(8 * LEASE_US);
    assert!(cluster.node(good).engine.metrics().digests.get() > 0);
    assert_eq!(cluster.node(good).stopped, None);
    let stopped = cluster.node(bad).stopped.clone();
    assert!(matches!(stopped, Some(Stopped::StateInDoubt(_))), "{stopped:?}");
}

#[test]
fn a_follower_that_the_log_tells_looks_at_once_and_otherwise_seldom() {
    let mut cluster = Cluster::led_by_the_first(3);
    cluster.node(1).is_told = true;
    cluster.pass_us(LEASE_US);
    let looks = |cluster: &mut Cluster, index: usize| cluster.node(index).looks;
    let before = [looks(&mut cluster, 1), looks(&mut cluster, 2)];
    cluster.pass_us(2 * LEASE_US);
    let told = looks(&mut cluster, 1) - before[0];
    let untold = looks(&mut cluster, 2) - before[1];
    assert!(told < 50 && untold > 150, "{told} looks of one that is told, {untold} of another");
    cluster.open(0, 1);
    cluster.settle();
    let seen = [1, 2].map(|index| balances(&*cluster.node(index).state()).len());
    assert_eq!(seen, [1, 0], "without any time passing");
    cluster.pause(0);
    cluster.pause(2);
    cluster.until(FAILOVER_US, |cluster| cluster.leader() == Some(1));
}

#[test]
fn a_node_that_waits_for_the_log_or_for_its_state_sleeps_meanwhile() {
    const LONGEST_US: u64 = 1_000_000;
    let mut cluster = Cluster::led_by_the_first(2);
    cluster.pass_us(LEASE_US);
    let now = cluster.clock.now();
    assert!(cluster.node(0).engine.idle_us(now) <= LEASE_US / 3, "until the next heartbeat");
    assert!(cluster.node(1).engine.idle_us(now) <= STEP_US, "until the next look");
    cluster.node(1).hold_applies = true;
    let log = cluster.members[0].log.clone();
    cluster.open(0, 1);
    log.hold();
    for account in 2..5 {
        cluster.node(0).op("op", &open(account));
        cluster.settle();
    }
    cluster.clock.pass_us(20 * LEASE_US);
    cluster.settle();
    let now = cluster.clock.now();
    assert_eq!(log.held().len(), 2);
    assert_eq!(cluster.node(0).engine.idle_us(now), LONGEST_US, "the pipeline is full");
    assert_eq!(cluster.node(1).engine.idle_us(now), LONGEST_US, "a batch is not applied yet");
    log.answer_all();
    cluster.settle();
    cluster.node(0).handle(holdfast_engine::Event::HandOver);
    while cluster.node(0).engine.lease().runs(now.monotonic_us) || log.held().len() > 1 {
        log.answer_all();
        cluster.settle();
    }
    cluster.clock.pass_us(20 * LEASE_US);
    cluster.node(0).turn();
    let now = cluster.clock.now();
    assert_eq!(cluster.node(0).engine.idle_us(now), LONGEST_US, "a release is on its way");
}

#[test]
fn p7_a_dead_entry_in_the_way_of_a_claim_costs_one_more_and_a_live_one_ends_it() {
    let mut cluster = Cluster::led_by_the_first(2);
    cluster.open(0, 1);
    cluster.pass_us(LEASE_US);
    cluster.pause(0);
    let log = cluster.members[1].log.clone();
    log.hold();
    cluster.until(FAILOVER_US, |_| !log.held().is_empty());
    foreign::dead_entry(&cluster.memory, log.held()[0]);
    let asked = cluster.node(1).op("meanwhile", &open(9));
    cluster.settle();
    assert!(asked.is_open(), "whether it leads is not known yet");
    log.answer_all();
    cluster.until(4 * STEP_US, |_| !log.held().is_empty());
    assert_eq!(said(&asked.failure()), Some("n0"), "nobody waits for a claim to come");
    cluster.resume(0);
    cluster.open(0, 2);
    log.answer_all();
    cluster.pass_us(LEASE_US / 2);
    assert_eq!((cluster.leader(), claims(&cluster.memory)), (Some(0), 1));
    assert_eq!(cluster.node(1).engine.metrics().claims.get(), 2);
    assert_eq!(cluster.node(1).follows.clone().unwrap().unwrap().node, "n0");
    assert!(log.held().is_empty(), "the leader was heard");
}
