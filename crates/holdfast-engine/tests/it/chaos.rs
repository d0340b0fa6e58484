//! Everything at once: two nodes on one log that loses, delays and reorders, with dead entries and
//! takeovers, by seed. Whatever happens, all readers agree on one history, what was acknowledged is
//! in it, and every key has one effect.
//!
//! `CHAOS_SEED=… cargo test -p holdfast-engine --test it chaos` replays one seed.

use std::collections::BTreeMap;

use holdfast_engine::{Answer, Decision, Failure};
use holdfast_log::{MemoryLog, blocking};
use holdfast_state::{MemoryStore, Version};

use crate::{
    foreign,
    held::HeldLog,
    history::{History, history, rows},
    node::{Clock, Node, Pending, RETRY_US, Start},
    toy::{Op, balances, effects},
};

const SEEDS: u64 = 400;
const STEPS: u64 = 2_000;
pub(crate) const KEYS: u64 = 240;

/// SplitMix64.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }
}

/// What is asked under a key: always the same.
pub(crate) fn op_of(key: u64) -> Op {
    match key % 6 {
        0 => Op::Open { account: key, balance: 50 },
        1 | 2 => Op::Transfer { from: key - key % 6, to: (key + 6) % KEYS, amount: 7 },
        3 => Op::Transfer { from: key - 3, to: 1_000, amount: 30 },
        4 => Op::Hold { from: key - 4, amount: 3, for_us: 40_000 },
        _ => Op::Transfer { from: 5_000 + key, to: 1, amount: 1 },
    }
}

struct World {
    dice: Dice,
    memory: MemoryLog,
    clock: Clock,
    nodes: Vec<(HeldLog, Node)>,
    /// Every request, whichever node was asked.
    asked: Vec<(u64, Pending)>,
    next_seed: u64,
    dead_entries: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut world = Self {
            dice: Dice(seed),
            memory: MemoryLog::new(),
            clock: Clock::new(),
            nodes: Vec::new(),
            asked: Vec::new(),
            next_seed: seed.wrapping_mul(1_000) + 1,
            dead_entries: 0,
        };
        let first = world.fresh();
        let second = world.fresh();
        world.nodes = vec![first, second];
        world
    }

    /// A node that begins with nothing but the log.
    fn fresh(&mut self) -> (HeldLog, Node) {
        self.next_seed += 1;
        let log = HeldLog::over(&self.memory);
        log.hold();
        let clock = self.clock.clone();
        let store = Box::new(MemoryStore::new());
        let node =
            Node::new(&log, Start { seed: self.next_seed, clock, store, ..Start::default() });
        (log, node)
    }

    fn step(&mut self) {
        let which = usize::try_from(self.dice.below(2)).unwrap();
        match self.dice.below(24) {
            0..6 => self.ask(which),
            6..13 => {
                self.nodes[which].1.turn();
            }
            13..20 => self.log_does_something(which),
            20 => self.clock.pass_us(RETRY_US + self.dice.below(20_000)),
            21 => {
                let index = usize::try_from(self.dice.below(8)).unwrap();
                self.nodes[which].0.land(index);
            }
            22 if self.dice.below(4) == 0 => self.dead_entry(),
            _ if self.dice.below(6) == 0 => self.replace(which),
            _ => self.nodes[which].1.settle(),
        }
    }

    fn ask(&mut self, which: usize) {
        let key = self.dice.below(KEYS);
        let node = &mut self.nodes[which].1;
        self.asked.push((key, node.keyed(&format!("k-{key}"), &op_of(key))));
    }

    fn log_does_something(&mut self, which: usize) {
        let log = &self.nodes[which].0;
        let held = log.held();
        if held.is_empty() {
            return;
        }
        let position = held[usize::try_from(self.dice.below(held.len() as u64)).unwrap()];
        match self.dice.below(10) {
            0..5 => log.answer(position),
            5 => log.perform(position),
            6 => log.lose(position),
            7 => log.lose_the_answer(position),
            8 => log.delay(position),
            _ => log.answer_all(),
        }
    }

    fn dead_entry(&mut self) {
        let tail = blocking::tail(&self.memory).unwrap().get();
        if tail > 1 {
            let ahead = tail + self.dice.below(3);
            self.dead_entries += u64::from(foreign::try_dead_entry(&self.memory, ahead));
        }
    }

    /// The process dies, or was stopped; another one takes its place.
    fn replace(&mut self, which: usize) {
        let (log, node) = self.fresh();
        let (old_log, old) = std::mem::replace(&mut self.nodes[which], (log, node));
        for position in old_log.held() {
            match self.dice.below(3) {
                0 => old_log.perform(position),
                1 => old_log.delay(position),
                _ => old_log.lose(position),
            }
        }
        while self.dice.below(2) == 0 && old_log.land(0) {}
        old.kill();
    }

    /// Every fault ends; whoever leads then finishes everything.
    fn heal(&mut self) -> Node {
        for (log, mut node) in std::mem::take(&mut self.nodes) {
            for _ in 0..50 {
                log.answer_all();
                node.turn();
                self.clock.pass_us(RETRY_US);
            }
            node.kill();
        }
        let (log, mut last) = self.fresh();
        for _ in 0..1_000 {
            let busy = last.turn();
            log.answer_all();
            if last.led.is_some() && !busy && log.held().is_empty() {
                return last;
            }
        }
        panic!("it does not come to lead: {:?}", last.stopped);
    }

    fn audit(&mut self) {
        let last = self.heal();
        let told = history(&self.memory);
        assert_eq!(rows(&told.store), rows(&*last.state()), "the last leader read the same");
        assert!(told.changes.iter().map(|change| change.time).is_sorted(), "P15");
        let mut versions = BTreeMap::new();
        for (key, pending) in &self.asked {
            if let Some(answer) = pending.answer() {
                check(&told, *key, &answer, &mut versions);
            }
        }
        for key in 0..KEYS {
            let count = effects(&told.store, &format!("k-{key}"));
            assert!(count <= 1, "key {key} took effect {count} times");
        }
        let opened =
            (0..KEYS).filter(|key| key % 6 == 0 && effects(&told.store, &format!("k-{key}")) == 1);
        let total: i64 = balances(&told.store).values().sum();
        assert_eq!(total, 50 * i64::try_from(opened.count()).unwrap(), "no money is made or lost");
    }
}

pub(crate) fn check(
    told: &History,
    key: u64,
    answer: &Answer,
    versions: &mut BTreeMap<u64, Version>,
) {
    match answer {
        Ok(outcome) => {
            let before = versions.insert(key, outcome.version);
            assert!(before.is_none_or(|before| before == outcome.version), "one answer per key");
            let index = usize::try_from(outcome.version.get() - 1).unwrap();
            let change = told.changes.get(index).unwrap_or_else(|| {
                panic!("key {key} was acknowledged as {} and is gone", outcome.version)
            });
            assert_eq!(change.time, outcome.time);
            let name = format!("k-{key}");
            let named = |bytes: &[u8]| bytes.windows(name.len()).any(|w| w == name.as_bytes());
            let is_it = change.facts().any(
                |fact| matches!(fact.unwrap(), holdfast_state::Fact::Put { key, .. } if named(key)),
            );
            assert!(is_it, "version {} is key {key}'s", outcome.version);
            let done = u64::from(outcome.decision == Decision::Done);
            assert_eq!(effects(&told.store, &name), done);
        }
        Err(
            Failure::OutcomeUnknown { .. }
            | Failure::Unavailable { .. }
            | Failure::NotLeader { .. }
            | Failure::Overloaded,
        ) => {}
        Err(other) => panic!("{other}"),
    }
}

/// What a run came to, to see that it was not an idle one.
#[derive(Default)]
struct Tally {
    acknowledged: usize,
    unknown: usize,
    claims: usize,
    dead: usize,
}

fn run(seed: u64, tally: &mut Tally) {
    let mut world = World::new(seed);
    for _ in 0..STEPS {
        world.step();
    }
    world.audit();
    let told = history(&world.memory);
    tally.claims += told.entries.iter().filter(|(_, header)| header.sequence == 0).count();
    tally.dead += told.dead;
    for (_, pending) in &world.asked {
        match pending.answer() {
            Some(Ok(_)) => tally.acknowledged += 1,
            Some(Err(Failure::OutcomeUnknown { .. })) => tally.unknown += 1,
            Some(Err(_)) | None => {}
        }
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a seed to replay comes from whoever saw it fail")]
fn p4_p5_p6_p9_p13_whatever_the_log_does_all_readers_see_one_history() {
    if let Ok(seed) = std::env::var("CHAOS_SEED") {
        run(seed.parse().unwrap(), &mut Tally::default());
        return;
    }
    let mut tally = Tally::default();
    for seed in 0..SEEDS {
        let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(seed, &mut tally)));
        if let Err(panic) = ran {
            eprintln!("to replay: CHAOS_SEED={seed} cargo test -p holdfast-engine --test it chaos");
            std::panic::resume_unwind(panic);
        }
    }
    let Tally { acknowledged, unknown, claims, dead } = tally;
    println!(
        "{acknowledged} acknowledged, {unknown} unknown, {claims} claims, {dead} dead entries"
    );
    let runs = usize::try_from(SEEDS).unwrap();
    assert!(acknowledged > 10 * runs && unknown > runs && claims > 5 * runs && dead > runs);
}
