//! What a seed draws before the run begins: how large the world is, what may go wrong
//! in it, and how often.
//!
//! A run has only some of the faults (swarm testing: Groce et al., ISSTA 2012): a world
//! in which everything fails at once seldom gets far enough for the rare order of two
//! faults to matter.

use std::{collections::BTreeSet, fmt};

use holdfast_engine::{Reads, Shared};

use super::{agenda::Micros, primitives::Menu, streams::Streams};
use crate::random::Random;

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Messages between nodes and the log are lost.
    Loss,
    /// Messages are late, and so out of order.
    Delay,
    /// Messages arrive twice.
    Doubling,
    /// Messages are held back for seconds, into later epochs.
    Holding,
    /// One-way cuts between two places.
    Cuts,
    /// One-way links that for a while lose some messages and hold others back.
    Flaky,
    /// Processes are killed and begin again.
    Crashes,
    /// Processes stand still for a while and go on.
    Pauses,
    /// Leaders are asked to let another lead.
    HandOvers,
    /// Wall clocks are off, and step.
    Steps,
    /// Monotonic clocks run at half to twice the rate.
    Drift,
    /// The log answers nobody for a while.
    LogAway,
    /// The log restarts: calls that it had not done are gone.
    LogRestarts,
    /// The log is slow for a while.
    LogSlow,
    /// The log refuses for now.
    LogRefuses,
    /// A read shows the log as it was a while ago.
    StaleReads,
    /// Snapshots cannot be written.
    SnapshotsFail,
    /// A snapshot that was verified is spoiled later.
    SnapshotsRot,
    /// A node begins with an old copy of its state, or none.
    StateLost,
}

/// Every fault there is.
pub const FAULTS: &[Fault] = &[
    Fault::Loss,
    Fault::Delay,
    Fault::Doubling,
    Fault::Holding,
    Fault::Cuts,
    Fault::Flaky,
    Fault::Crashes,
    Fault::Pauses,
    Fault::HandOvers,
    Fault::Steps,
    Fault::Drift,
    Fault::LogAway,
    Fault::LogRestarts,
    Fault::LogSlow,
    Fault::LogRefuses,
    Fault::StaleReads,
    Fault::SnapshotsFail,
    Fault::SnapshotsRot,
    Fault::StateLost,
];

/// What befalls messages; chances are in ten thousand.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Weather {
    pub(super) delay_us: Micros,
    pub(super) jitter_us: Micros,
    pub(super) loss: u64,
    pub(super) doubled: u64,
    pub(super) late: u64,
    pub(super) late_us_max: Micros,
    pub(super) held: u64,
    pub(super) held_us_max: Micros,
}

/// What a seed draws.
#[derive(Clone, Debug)]
pub struct Shape {
    /// How many nodes there are.
    pub nodes: usize,
    /// How many clients ask, each one thing at a time.
    pub clients: usize,
    /// What may go wrong.
    pub faults: BTreeSet<Fault>,
    pub(super) accounts: u64,
    pub(super) menu: Menu,
    /// How long the faults last.
    pub(super) faulty_us: Micros,
    pub(super) weather: Weather,
    /// What the log takes for a call.
    pub(super) log_us: Micros,
    /// How long a node waits for the log.
    pub(super) log_patience_us: Micros,
    /// How long a client waits for an answer.
    pub(super) patience_us: Micros,
    /// Longest pause of a client between two operations.
    pub(super) thinks_us: Micros,
    /// What applying a batch takes; 0 means on the spot.
    pub(super) apply_us: Micros,
    /// Longest time between two strikes.
    pub(super) strikes_us: Micros,
    pub(super) read_bytes: usize,
    pub(super) snapshot_bytes: u64,
    pub(super) digest_entries: u64,
    pub(super) entries_in_flight: usize,
    pub(super) entries_unapplied: usize,
    pub(super) waiting_max: usize,
    pub(super) shared: Shared,
    pub(super) reads: Reads,
    /// How far wall clocks may be off, in microseconds.
    pub(super) wall_us: u64,
    /// Nodes whose clock is too far off do not lead.
    pub(super) clocks_bounded: bool,
}

impl Shape {
    /// Draws the shape of a run on a shared log.
    pub(super) fn draw(streams: Streams) -> Self {
        let mut random = streams.of("shape");
        let faults: BTreeSet<Fault> =
            FAULTS.iter().copied().filter(|_| random.percent(45)).collect();
        let nodes = random.pick(&[1, 2, 2, 3, 3, 3, 4, 5]);
        let weather = weather(&mut random, &faults);
        let round_trip_us = 2 * (weather.delay_us + weather.jitter_us);
        let clocks_bounded = random.percent(30);
        Self {
            nodes,
            clients: random.pick(&[1, 2, 3, 4, 6, 8]),
            accounts: 2 + random.below(6),
            menu: Menu::draw(&mut streams.of("menu")),
            faulty_us: 4_000_000 + random.below(12_000_000),
            weather,
            log_us: random.pick(&[50, 300, 1_000, 4_000]),
            log_patience_us: 4 * round_trip_us + random.pick(&[20_000, 100_000, 400_000]),
            patience_us: random.pick(&[150_000, 500_000, 2_000_000]),
            thinks_us: random.pick(&[1, 5_000, 50_000]),
            apply_us: random.pick(&[0, 0, 200, 3_000, 20_000]),
            strikes_us: random.pick(&[200_000, 600_000, 1_500_000]),
            read_bytes: random.pick(&[300, 2_000, 64 << 10]),
            snapshot_bytes: random.pick(&[2_000, 8_000, 30_000, u64::MAX]),
            digest_entries: random.pick(&[10, 40, 1_000_000]),
            shared: Shared {
                lease_ms: random.pick(&[150, 500, 2_000]),
                look_every_us: random.pick(&[2_000, 20_000, 80_000]),
                may_lead: true,
            },
            // Leases are for clocks that keep their rate (P11).
            reads: if random.percent(30) && !faults.contains(&Fault::Drift) {
                Reads::Lease
            } else {
                Reads::Confirmed
            },
            entries_in_flight: random.pick(&[1, 2, 2, 4, 8]),
            entries_unapplied: random.pick(&[1, 4, 16]),
            waiting_max: random.pick(&[2, 8, 8_192]),
            wall_us: if clocks_bounded { 20_000_000 } else { 600_000_000 },
            clocks_bounded,
            faults,
        }
    }

    /// May this go wrong?
    pub(super) fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }
}

fn weather(random: &mut Random, faults: &BTreeSet<Fault>) -> Weather {
    let mut chance = |fault, choices: &[u64]| {
        let drawn = random.pick(choices);
        if faults.contains(&fault) { drawn } else { 0 }
    };
    let loss = chance(Fault::Loss, &[50, 300, 1_500]);
    let doubled = chance(Fault::Doubling, &[100, 1_000, 3_000]);
    let late = chance(Fault::Delay, &[100, 1_000, 3_000]);
    let held = chance(Fault::Holding, &[30, 200, 600]);
    Weather {
        delay_us: random.pick(&[100, 500, 2_000]),
        jitter_us: random.pick(&[10, 500, 3_000]),
        loss,
        doubled,
        late,
        late_us_max: random.pick(&[10_000, 60_000, 400_000]),
        held,
        held_us_max: random.pick(&[1_000_000, 5_000_000, 15_000_000]),
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "  {} nodes, {} clients, {} accounts",
            self.nodes, self.clients, self.accounts
        )?;
        writeln!(f, "  {}", self.menu)?;
        writeln!(f, "  faults for {} ms: {:?}", self.faulty_us / 1000, self.faults)?;
        writeln!(f, "  {:?}", self.weather)?;
        writeln!(
            f,
            "  log {} us, patience of nodes {} us, of clients {} us, apply {} us, strikes within {} us",
            self.log_us, self.log_patience_us, self.patience_us, self.apply_us, self.strikes_us
        )?;
        write!(
            f,
            "  lease {} ms, look every {} us, reads {:?}, in flight {}, unapplied {}, waiting {}, snapshot after {} B, digest every {}, reads of {} B",
            self.shared.lease_ms,
            self.shared.look_every_us,
            self.reads,
            self.entries_in_flight,
            self.entries_unapplied,
            self.waiting_max,
            self.snapshot_bytes,
            self.digest_entries,
            self.read_bytes
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_draws_one_shape_and_the_swarm_draws_every_fault_and_leaves_each_out() {
        let drawn = |seed| Shape::draw(Streams::new(seed));
        assert_eq!(drawn(3).to_string(), drawn(3).to_string());
        let shapes: Vec<Shape> = (0..200).map(drawn).collect();
        for fault in FAULTS {
            let with = shapes.iter().filter(|shape| shape.has(*fault)).count();
            assert!((40..160).contains(&with), "{fault:?} in {with} of 200");
        }
        assert!(shapes.iter().any(|shape| shape.nodes == 5));
        assert!(shapes.iter().all(|shape| shape.has(Fault::Loss) || shape.weather.loss == 0));
    }
}
