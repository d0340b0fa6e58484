//! Log time as the entries record it: monotone, whatever the machine's clock does (P15).

use holdfast_engine::Stopped;
use holdfast_log::MemoryLog;
use holdfast_state::{LogTime, MemoryStore};

use crate::{
    cluster::{Cluster, FAILOVER_IN_DOUBT_US, FAILOVER_US, LEASE_US, STEP_US},
    held::HeldLog,
    history::{history, rows},
    node::{Clock, Node, Start},
    toy::Op,
};

const SECOND_US: u64 = 1_000_000;

fn start(seed: u64, clock: &Clock) -> Start {
    Start { seed, clock: clock.clone(), ..Start::default() }
}

fn assert_monotone(log: &MemoryLog) {
    let told = history(log);
    let entries: Vec<u64> = told.entries.iter().map(|(_, header)| header.log_time_us).collect();
    assert!(entries.is_sorted(), "of entries: {entries:?}");
    let changes: Vec<LogTime> = told.changes.iter().map(|change| change.time).collect();
    assert!(changes.is_sorted(), "of transactions: {changes:?}");
}

#[test]
fn p15_it_is_monotone_over_restarts_and_steps_of_the_wall_clock() {
    let memory = MemoryLog::new();
    let clock = Clock::new();
    let origin = clock.now().wall_us;
    for life in 0..12u64 {
        let mut node = Node::leading(&HeldLog::over(&memory), start(life + 1, &clock));
        for step in 0..10 {
            node.op("op", &Op::Open { account: life * 100 + step, balance: 1 });
            node.pass_us(SECOND_US);
            match (life + step) % 4 {
                0 => clock.set_wall_us(origin),
                1 => clock.set_wall_us(clock.now().wall_us + 50 * SECOND_US),
                _ => clock.set_wall_us(clock.now().wall_us.saturating_sub(20 * SECOND_US)),
            }
        }
        node.kill();
        let last = history(&memory).end.log_time_us;
        clock.set_wall_us(clock.now().wall_us.max(last - 59 * SECOND_US));
    }
    assert_monotone(&memory);
    assert_eq!(history(&memory).changes.len(), 120);
}

#[test]
fn p15_steps_are_approached_by_a_tenth_and_time_never_stands() {
    let memory = MemoryLog::new();
    let clock = Clock::new();
    let mut node = Node::leading(&HeldLog::over(&memory), start(1, &clock));
    clock.set_wall_us(clock.now().wall_us + 3_600 * SECOND_US);
    for account in 0..20 {
        node.op("op", &Op::Open { account, balance: 1 });
        if account == 10 {
            clock.set_wall_us(0);
        }
        node.pass_us(10 * SECOND_US);
    }
    let times: Vec<u64> = history(&memory).changes.iter().map(|c| c.time.as_us()).collect();
    let steps: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(steps[0], 11 * SECOND_US, "{steps:?}");
    assert_eq!(steps[15], 9 * SECOND_US, "{steps:?}");
    assert!(steps.iter().all(|step| (9 * SECOND_US..=11 * SECOND_US).contains(step)), "{steps:?}");
}

#[test]
fn p15_a_new_leader_goes_on_from_the_last_transaction_not_from_its_entrys_beginning() {
    for from_snapshot in [false, true] {
        let memory = MemoryLog::new();
        let clock = Clock::new();
        let log = HeldLog::over(&memory);
        let mut node = Node::leading(&log, start(1, &clock));
        log.hold();
        for account in 0..5 {
            node.op("op", &Op::Open { account, balance: 1 });
            node.pass_us(10 * SECOND_US);
        }
        while !log.held().is_empty() {
            log.answer_all();
            node.settle();
        }
        let snapshot = node.state();
        node.kill();
        clock.set_wall_us(clock.now().wall_us - 40 * SECOND_US);
        let mut again = start(2, &clock);
        if from_snapshot {
            let pairs = rows(&*snapshot);
            let mark = snapshot.mark().clone();
            again.store = Box::new(MemoryStore::from_pairs(pairs, mark));
        }
        let mut node = Node::leading(&HeldLog::over(&memory), again);
        node.op("op", &Op::Open { account: 9, balance: 1 });
        node.settle();
        assert_monotone(&memory);
    }
}

#[test]
fn p7_a_clock_that_contradicts_the_log_does_not_lead_and_says_so() {
    let memory = MemoryLog::new();
    let clock = Clock::new();
    let mut node = Node::leading(&HeldLog::over(&memory), start(1, &clock));
    node.pass_us(1_000 * SECOND_US);
    node.op("op", &Op::Open { account: 1, balance: 1 });
    node.settle();
    node.kill();
    let last = history(&memory).end.log_time_us;
    clock.set_wall_us(last - 61 * SECOND_US);
    let mut behind = Node::new(&HeldLog::over(&memory), start(2, &clock));
    let queued = behind.op("op", &Op::Total);
    behind.settle();
    let Some(Stopped::Failed(reason)) = &behind.stopped else { panic!("{:?}", behind.stopped) };
    assert!(reason.contains("behind the log's last entry"), "{reason}");
    assert!(queued.failure().to_string().contains("behind the log's last entry"));
    clock.set_wall_us(last + 91 * 24 * 3_600 * SECOND_US);
    let mut ahead = Node::new(&HeldLog::over(&memory), start(3, &clock));
    ahead.settle();
    let Some(Stopped::Failed(reason)) = &ahead.stopped else { panic!("{:?}", ahead.stopped) };
    assert!(reason.contains("ahead of the log's last entry"), "{reason}");
    assert_eq!(history(&memory).entries.len(), 2, "neither claimed");
    let mut accepted = start(4, &clock);
    accepted.config.clock = None;
    Node::leading(&HeldLog::over(&memory), accepted).kill();
}

/// How far log time has come by the last entry.
fn log_time_us(cluster: &Cluster) -> u64 {
    history(&cluster.memory).end.log_time_us
}

#[test]
fn p7_p15_where_nobodys_clock_fits_the_log_somebody_leads_and_log_time_goes_on_by_what_passed() {
    const S: i64 = 1_000_000;
    // The first leader's clock, and that of the others: in the end the log is ahead, or behind.
    for (first, others) in [(600 * S, 0), (86_400 * S, 0), (0, 600 * S), (0, 86_400 * S)] {
        for began_anew in [false, true] {
            // A node that begins anew has not seen the last entry come: a clock ahead is believed.
            if began_anew && others > 0 {
                continue;
            }
            let mut cluster = Cluster::of(1);
            cluster.off_by_us(0, first);
            cluster.until(FAILOVER_US, |cluster| cluster.leader() == Some(0));
            for _ in 1..3 {
                let node = cluster.join(|_| {});
                cluster.off_by_us(node, others);
            }
            cluster.pass_us(LEASE_US);
            cluster.open(0, 1);
            let (before, died_us) = (log_time_us(&cluster), cluster.clock.now().monotonic_us);
            cluster.pause(0);
            if began_anew {
                for node in 1..3 {
                    cluster.replace(node, Box::new(MemoryStore::new()), |_| {});
                }
            }
            let took = cluster.until(FAILOVER_IN_DOUBT_US, |cluster| cluster.leader().is_some());
            assert!(took >= 3 * LEASE_US, "they leave it to others first: {took}");
            let leader = cluster.leader().unwrap();
            cluster.pass_us(10 * LEASE_US);
            cluster.open(leader, 2);
            let passed = cluster.clock.now().monotonic_us - died_us;
            let gone_on = log_time_us(&cluster) - before;
            let slew = passed / 10;
            let read_later = if began_anew { STEP_US } else { 2 * STEP_US };
            assert!(
                (passed - slew - read_later..=passed + slew).contains(&gone_on),
                "{gone_on} of {passed}, {first} {others} {began_anew}"
            );
        }
    }
}

#[test]
fn p15_log_time_goes_on_from_the_last_entry_whoever_leads() {
    let mut cluster = Cluster::led_by_the_first(3);
    for round in 0..6 {
        let leader = cluster.leader().unwrap();
        for account in 0..5 {
            cluster.open(leader, round * 10 + account);
            cluster.pass_us(LEASE_US / 10);
        }
        cluster.pause(leader);
        let wall = cluster.clock.now().wall_us;
        cluster.clock.set_wall_us(if round % 2 == 0 {
            wall - 30_000_000
        } else {
            wall + 20_000_000
        });
        cluster.until(FAILOVER_US, |cluster| cluster.leader().is_some());
        cluster.resume(leader);
        cluster.step();
    }
    let told = history(&cluster.memory);
    let times: Vec<LogTime> = told.changes.iter().map(|change| change.time).collect();
    assert!(times.is_sorted() && times.len() == 30, "{times:?}");
    let entries: Vec<u64> = told.entries.iter().map(|(_, header)| header.log_time_us).collect();
    assert!(entries.is_sorted(), "{entries:?}");
}

#[test]
fn p15_after_a_failover_log_time_is_no_further_than_what_passed_whatever_the_new_leaders_clock_says()
 {
    const S: i64 = 1_000_000;
    for off in [50 * S, 5 * S, 0] {
        let mut cluster = Cluster::of(1);
        cluster.until(FAILOVER_US, |cluster| cluster.leader() == Some(0));
        let follower = cluster.join(|_| {});
        cluster.off_by_us(follower, off);
        cluster.pass_us(LEASE_US);
        cluster.open(0, 1);
        let (before, died_us) = (log_time_us(&cluster), cluster.clock.now().monotonic_us);
        cluster.pause(0);
        cluster.until(FAILOVER_US, |cluster| cluster.leader() == Some(follower));
        cluster.open(follower, 2);
        let passed = cluster.clock.now().monotonic_us - died_us;
        let gone_on = log_time_us(&cluster) - before;
        let look = STEP_US + STEP_US / 10;
        assert!(gone_on <= passed + passed / 10 + look, "{gone_on} of {passed}, {off}");
        assert!(gone_on >= passed - passed / 10, "{gone_on} of {passed}, {off}");
    }
}
