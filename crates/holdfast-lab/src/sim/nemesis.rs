//! Who breaks things, what it breaks, and for how long.
//!
//! At drawn moments it picks one of the faults that the run's shape allows and draws
//! where and how hard. Chances that befall every message or call belong to the network
//! and the log; this is about what happens at a moment.

use super::{
    agenda::Micros,
    network::Place,
    node::NodeId,
    shape::{Fault, Shape},
};
use crate::random::Random;

/// A blow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blow {
    Cut {
        from: Place,
        to: Place,
        for_us: Micros,
    },
    Flaky {
        from: Place,
        to: Place,
        for_us: Micros,
    },
    /// The process dies and begins again after a while, with its state as it was.
    Kill {
        node: NodeId,
        after_us: Micros,
        state: State,
    },
    /// The process is asked to stop and begins again.
    Stop {
        node: NodeId,
    },
    Pause {
        node: NodeId,
        for_us: Micros,
    },
    HandOver {
        node: NodeId,
    },
    WallClock {
        node: NodeId,
        offset_us: i64,
    },
    Rate {
        node: NodeId,
        rate: u64,
    },
    LogAway {
        for_us: Micros,
    },
    LogRestarts,
    LogSlow {
        by_us: Micros,
        for_us: Micros,
    },
    SnapshotFails {
        at_sync: bool,
    },
    SnapshotRots,
}

/// What a killed process's machine has of its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// What was written back last.
    Kept,
    /// An old copy was put in its place.
    Old,
    /// Nothing.
    Wiped,
}

/// What ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mend {
    Cut { from: Place, to: Place },
    Pause { node: NodeId, life: u64 },
}

/// Who breaks things.
#[derive(Debug)]
pub(super) struct Nemesis {
    random: Random,
    /// The faults that strike at a moment.
    faults: Vec<Fault>,
    strikes_us: Micros,
    nodes: u64,
    wall_us: u64,
    state_lost: bool,
}

impl Nemesis {
    pub(super) fn new(random: Random, shape: &Shape) -> Self {
        let strikes = |fault: &&Fault| {
            matches!(
                fault,
                Fault::Cuts
                    | Fault::Flaky
                    | Fault::Crashes
                    | Fault::Pauses
                    | Fault::HandOvers
                    | Fault::Steps
                    | Fault::Drift
                    | Fault::LogAway
                    | Fault::LogRestarts
                    | Fault::LogSlow
                    | Fault::SnapshotsFail
                    | Fault::SnapshotsRot
            )
        };
        Self {
            random,
            faults: shape.faults.iter().filter(strikes).copied().collect(),
            strikes_us: shape.strikes_us,
            nodes: shape.nodes as u64,
            wall_us: shape.wall_us,
            state_lost: shape.has(Fault::StateLost),
        }
    }

    /// How long until it strikes.
    pub(super) const fn rests(&mut self) -> Micros {
        1 + self.random.below(self.strikes_us)
    }

    fn node(&mut self) -> NodeId {
        NodeId::try_from(self.random.below(self.nodes)).expect("a few nodes")
    }

    /// Up to so long; most are short.
    fn span(&mut self, longest_us: Micros) -> Micros {
        let longest = if self.random.percent(70) { longest_us / 10 } else { longest_us };
        1_000 + self.random.below(longest)
    }

    /// The next blow, if any fault of the run strikes at a moment.
    pub(super) fn blow(&mut self) -> Option<Blow> {
        if self.faults.is_empty() {
            return None;
        }
        let faults = std::mem::take(&mut self.faults);
        let fault = self.random.pick(&faults);
        self.faults = faults;
        let node = self.node();
        Some(match fault {
            Fault::Cuts => {
                let (from, to) = self.pair(node);
                Blow::Cut { from, to, for_us: self.span(4_000_000) }
            }
            Fault::Flaky => {
                let node = Place::Node(node);
                let both = [(node, Place::Log), (Place::Log, node)];
                let (from, to) = self.random.pick(&both);
                Blow::Flaky { from, to, for_us: self.span(6_000_000) }
            }
            Fault::Crashes if self.random.percent(25) => Blow::Stop { node },
            Fault::Crashes => {
                let state = self.state();
                Blow::Kill { node, after_us: self.span(2_000_000), state }
            }
            Fault::Pauses => Blow::Pause { node, for_us: self.span(9_000_000) },
            Fault::HandOvers => Blow::HandOver { node },
            Fault::Steps => Blow::WallClock { node, offset_us: self.offset() },
            Fault::Drift => Blow::Rate { node, rate: self.rate() },
            Fault::LogAway => Blow::LogAway { for_us: self.span(3_000_000) },
            Fault::LogRestarts => Blow::LogRestarts,
            Fault::LogSlow => {
                Blow::LogSlow { by_us: self.span(600_000), for_us: self.span(3_000_000) }
            }
            Fault::SnapshotsFail => Blow::SnapshotFails { at_sync: self.random.percent(50) },
            Fault::SnapshotsRot => Blow::SnapshotRots,
            Fault::Loss
            | Fault::Delay
            | Fault::Doubling
            | Fault::Holding
            | Fault::LogRefuses
            | Fault::StaleReads
            | Fault::StateLost => unreachable!("it does not strike at a moment"),
        })
    }

    fn pair(&mut self, node: NodeId) -> (Place, Place) {
        let node = Place::Node(node);
        match self.random.below(6) {
            0 | 1 => (node, Place::Log),
            2 | 3 => (Place::Log, node),
            4 => (Place::Clients, node),
            _ => (node, Place::Clients),
        }
    }

    fn state(&mut self) -> State {
        match self.random.below(if self.state_lost { 4 } else { 1 }) {
            2 => State::Old,
            3 => State::Wiped,
            _ => State::Kept,
        }
    }

    /// How far a wall clock is off.
    pub(super) fn offset(&mut self) -> i64 {
        let span = i64::try_from(2 * self.wall_us).expect("some minutes");
        let drawn = self.random.below(2 * self.wall_us + 1);
        i64::try_from(drawn).expect("some minutes") - span / 2
    }

    /// How fast a monotonic clock runs.
    pub(super) const fn rate(&mut self) -> u64 {
        500_000 + self.random.below(1_500_001)
    }
}
