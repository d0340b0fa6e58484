//! Everything at once, to nodes that take turns: three on one log that loses, delays and reorders,
//! with dead entries, pauses longer than leases, hand-overs and deaths, by seed (P4-P11).
//!
//! Whatever happens: all agree on one history; what was acknowledged is in it; what was told to have
//! no effect has none; every key has one effect at most; and a linearizable read shows everything
//! that anybody had been told when it came. When the faults end, somebody leads, nobody waits any
//! more, and all have the same state.
//!
//! `CROWD_SEED=… cargo test -p holdfast-engine --test it crowd` replays one seed.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_engine::{Event, Failure, Reads};
use holdfast_state::MemoryStore;

use crate::{
    chaos::{Dice, KEYS, check, op_of},
    cluster::{Cluster, FAILOVER_US, LEASE_US, STEP_US},
    foreign,
    history::{History, history, rows},
    node::{Looked, Pending},
    toy::{balances, effects},
};

const SEEDS: u64 = 300;
const STEPS: u64 = 1_500;
const NODES: usize = 3;

/// A request, and the life of the node that was asked.
struct Asked {
    key: u64,
    pending: Pending,
    life: (usize, u32),
}

struct World {
    dice: Dice,
    cluster: Cluster,
    reads: Reads,
    asked: Vec<Asked>,
    /// Reads, with the highest version that anybody had been told when they came.
    looked: Vec<(u64, Looked)>,
    /// How often the node of each number was started.
    lives: [u32; NODES],
}

impl World {
    fn new(seed: u64) -> Self {
        let reads = if seed.is_multiple_of(2) { Reads::Confirmed } else { Reads::Lease };
        let mut cluster = Cluster::seeded(seed.wrapping_mul(1_000));
        for _ in 0..NODES {
            let by_look = seed % 4 < 2;
            let index = cluster.join(|config| {
                config.reads = reads;
                config.empty_read_is_linearizable = by_look;
            });
            cluster.members[index].log.hold();
        }
        let (asked, looked) = (Vec::new(), Vec::new());
        Self { dice: Dice(seed), cluster, reads, asked, looked, lives: [0; NODES] }
    }

    fn any(&mut self) -> usize {
        usize::try_from(self.dice.below(NODES as u64)).unwrap()
    }

    fn step(&mut self) {
        let which = self.any();
        match self.dice.below(48) {
            0..8 => self.ask(which),
            8..12 => self.look(which),
            12..20 => {
                if !self.cluster.members[which].paused {
                    self.cluster.node(which).turn();
                }
            }
            20..32 => self.log_does_something(which),
            32..36 => self.cluster.clock.pass_us(STEP_US + self.dice.below(STEP_US)),
            36..40 => self.cluster.settle(),
            40 => {
                let index = usize::try_from(self.dice.below(8)).unwrap();
                self.cluster.members[which].log.land(index);
            }
            41 => self.cluster.members[which].paused ^= true,
            42 => self.cluster.clock.pass_us(self.dice.below(LEASE_US)),
            43 if self.dice.below(2) == 0 => self.dead_entry(),
            44 if self.dice.below(4) == 0 => self.cluster.node(which).handle(Event::HandOver),
            45 if self.dice.below(6) == 0 => self.replace(which),
            _ => (0..NODES).for_each(|index| {
                if !self.cluster.members[index].paused {
                    self.cluster.members[index].log.answer_all();
                }
            }),
        }
    }

    fn ask(&mut self, which: usize) {
        let key = self.dice.below(KEYS);
        let pending = self.cluster.node(which).keyed(&format!("k-{key}"), &op_of(key));
        self.asked.push(Asked { key, pending, life: (which, self.lives[which]) });
    }

    fn look(&mut self, which: usize) {
        let outcomes = self.asked.iter().filter_map(|asked| asked.pending.answer()?.ok());
        let told = outcomes.map(|outcome| outcome.version.get()).max().unwrap_or(0);
        self.looked.push((told, self.cluster.node(which).read()));
    }

    fn log_does_something(&mut self, which: usize) {
        let log = &self.cluster.members[which].log;
        let held = log.held();
        if held.is_empty() {
            return;
        }
        let position = held[usize::try_from(self.dice.below(held.len() as u64)).unwrap()];
        match self.dice.below(12) {
            0..7 => log.answer(position),
            7 => log.perform(position),
            8 => log.lose(position),
            9 => log.lose_the_answer(position),
            10 => log.delay(position),
            _ => log.answer_all(),
        }
    }

    fn dead_entry(&mut self) {
        let tail = holdfast_log::blocking::tail(&self.cluster.memory).unwrap().get();
        if tail > 1 {
            let ahead = tail + self.dice.below(3);
            foreign::try_dead_entry(&self.cluster.memory, ahead);
        }
    }

    /// The process dies; another begins under the same name, with nothing but the log.
    fn replace(&mut self, which: usize) {
        self.lives[which] += 1;
        let (reads, by_look) = (self.reads, self.dice.below(2) == 0);
        let old = self.cluster.replace(which, Box::new(MemoryStore::new()), |config| {
            config.reads = reads;
            config.empty_read_is_linearizable = by_look;
        });
        self.cluster.members[which].log.hold();
        for position in old.log.held() {
            match self.dice.below(3) {
                0 => old.log.perform(position),
                1 => old.log.delay(position),
                _ => old.log.lose(position),
            }
        }
        while self.dice.below(2) == 0 && old.log.land(0) {}
        old.node.kill();
    }

    /// Every fault ends.
    fn heal(&mut self) {
        (0..NODES).for_each(|index| self.cluster.resume(index));
        for _ in 0..3 * FAILOVER_US / STEP_US {
            for _ in 0..4 {
                self.cluster.members.iter().for_each(|member| member.log.answer_all());
                self.cluster.settle();
            }
            self.cluster.step();
        }
        assert!(self.cluster.leader().is_some(), "somebody leads");
    }

    fn audit(&mut self) {
        self.heal();
        let told = history(&self.cluster.memory);
        for member in &self.cluster.members {
            assert_eq!(member.node.stopped, None);
            assert_eq!(rows(&told.store), rows(&*member.node.state()), "all have one state");
        }
        assert!(told.changes.iter().map(|change| change.time).is_sorted(), "P15");
        self.audit_answers(&told);
        for (version, read) in &self.looked {
            if let Some(Ok(shown)) = read.answer() {
                assert!(
                    shown.get() >= *version,
                    "P10: {shown} is shown, {version} was told before"
                );
            }
        }
        let open =
            |key: &u64| key.is_multiple_of(6) && effects(&told.store, &format!("k-{key}")) == 1;
        let opened = i64::try_from((0..KEYS).filter(open).count()).unwrap();
        let total: i64 = balances(&told.store).values().sum();
        assert_eq!(total, 50 * opened, "no money is made or lost");
    }

    fn audit_answers(&self, told: &History) {
        let (mut versions, mut maybe) = (BTreeMap::new(), BTreeSet::new());
        for Asked { key, pending, life: (which, life) } in &self.asked {
            match pending.answer() {
                Some(answer) => check(told, *key, &answer, &mut versions),
                None => assert_ne!(self.lives[*which], *life, "whoever lives answers everybody"),
            }
            let nothing = matches!(
                pending.answer(),
                Some(Err(Failure::NotLeader { .. }
                    | Failure::Overloaded
                    | Failure::Unavailable { .. }))
            );
            if !nothing {
                maybe.insert(*key);
            }
        }
        for key in 0..KEYS {
            let count = effects(&told.store, &format!("k-{key}"));
            assert!(count <= 1, "key {key} took effect {count} times");
            assert!(count == 0 || maybe.contains(&key), "P9: key {key} was told to have no effect");
        }
    }
}

/// What the runs came to, to see that they were not idle ones.
#[derive(Debug, Default)]
struct Tally {
    acknowledged: usize,
    elsewhere: usize,
    unknown: usize,
    confirmed: usize,
    claims: usize,
    step_downs: usize,
    dead: usize,
}

fn run(seed: u64, tally: &mut Tally) {
    let mut world = World::new(seed);
    for _ in 0..STEPS {
        world.step();
    }
    world.audit();
    let told = history(&world.cluster.memory);
    tally.claims += told.entries.iter().filter(|(_, header)| header.sequence == 0).count();
    tally.dead += told.dead;
    for Asked { pending, .. } in &world.asked {
        match pending.answer() {
            Some(Ok(_)) => tally.acknowledged += 1,
            Some(Err(Failure::NotLeader { .. })) => tally.elsewhere += 1,
            Some(Err(Failure::OutcomeUnknown { .. })) => tally.unknown += 1,
            Some(Err(_)) | None => {}
        }
    }
    let proved = |(_, read): &&(u64, Looked)| matches!(read.answer(), Some(Ok(_)));
    tally.confirmed += world.looked.iter().filter(proved).count();
    let downs = |member: &crate::cluster::Member| member.node.engine.metrics().step_downs.get();
    tally.step_downs +=
        world.cluster.members.iter().map(|m| usize::try_from(downs(m)).unwrap()).sum::<usize>();
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a seed to replay comes from whoever saw it fail")]
fn p4_p5_p7_p9_p10_p11_whatever_happens_to_nodes_that_take_turns_all_tell_one_history() {
    if let Ok(seed) = std::env::var("CROWD_SEED") {
        run(seed.parse().unwrap(), &mut Tally::default());
        return;
    }
    let mut tally = Tally::default();
    for seed in 0..SEEDS {
        let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(seed, &mut tally)));
        if let Err(panic) = ran {
            eprintln!("to replay: CROWD_SEED={seed} cargo test -p holdfast-engine --test it crowd");
            std::panic::resume_unwind(panic);
        }
    }
    println!("{tally:?}");
    let runs = usize::try_from(SEEDS).unwrap();
    assert!(tally.acknowledged > 10 * runs && tally.confirmed > 5 * runs, "{tally:?}");
    assert!(tally.elsewhere > 5 * runs && tally.unknown == 0, "{tally:?}");
    assert!(tally.claims > 3 * runs && tally.step_downs > runs && tally.dead > runs, "{tally:?}");
}
