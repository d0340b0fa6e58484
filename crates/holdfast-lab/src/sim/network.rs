//! Messages between clients, nodes and the log: lost, late, twice, out of order, or held
//! back for so long that they arrive in another epoch.
//!
//! A message is a list of delays after which it arrives: none when it is lost, two when
//! it is doubled. Cuts are one-way and by pair. What is on its way when a cut begins
//! still arrives.

use std::collections::BTreeSet;

use super::{agenda::Micros, node::NodeId, shape::Weather, trace::Trace};
use crate::random::Random;

/// Where messages come from and go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Clients,
    Node(NodeId),
    Log,
}

/// What carries them.
#[derive(Debug)]
pub(super) struct Network {
    random: Random,
    weather: Weather,
    /// One-way cuts.
    cuts: BTreeSet<(Place, Place)>,
    /// One-way links that lose some messages and hold others back.
    flaky: BTreeSet<(Place, Place)>,
}

/// The longest that a flaky link holds a message back.
const FLAKY_US: Micros = 1_500_000;

impl Network {
    pub(super) const fn new(random: Random, weather: Weather) -> Self {
        Self { random, weather, cuts: BTreeSet::new(), flaky: BTreeSet::new() }
    }

    /// After which delays a message arrives that is sent now.
    pub(super) fn send(&mut self, from: Place, to: Place, trace: &mut Trace) -> Vec<Micros> {
        if self.cuts.contains(&(from, to)) {
            trace.count("fault: message cut off");
            return Vec::new();
        }
        if self.flaky.contains(&(from, to)) {
            match self.random.below(4) {
                0 => {
                    trace.count("fault: message lost on a flaky link");
                    return Vec::new();
                }
                1 => {
                    trace.count("fault: message held back on a flaky link");
                    return vec![1 + self.random.below(FLAKY_US)];
                }
                _ => {}
            }
        }
        // Between client and node a connection keeps messages single; repeating is the client's.
        let between_machines = from != Place::Clients && to != Place::Clients;
        if self.happens(self.weather.loss) {
            trace.count("fault: message lost");
            return Vec::new();
        }
        let mut delays = vec![self.delay(between_machines, trace)];
        if between_machines && self.happens(self.weather.doubled) {
            trace.count("fault: message doubled");
            delays.push(self.delay(between_machines, trace));
        }
        delays
    }

    fn happens(&mut self, in_ten_thousand: u64) -> bool {
        in_ten_thousand > 0 && self.random.below(10_000) < in_ten_thousand
    }

    fn delay(&mut self, may_hold: bool, trace: &mut Trace) -> Micros {
        let usual = self.weather.delay_us + self.random.below(self.weather.jitter_us.max(1));
        if may_hold && self.happens(self.weather.held) {
            trace.count("fault: message held back");
            return usual + self.random.below(self.weather.held_us_max.max(1));
        }
        if self.happens(self.weather.late) {
            trace.count("fault: message late");
            return usual + self.random.below(self.weather.late_us_max.max(1));
        }
        usual
    }

    /// Nothing arrives there from here any more.
    pub(super) fn cut(&mut self, from: Place, to: Place) {
        self.cuts.insert((from, to));
    }

    /// Some of what goes there from here is lost, some is late, and the rest is not.
    pub(super) fn make_flaky(&mut self, from: Place, to: Place) {
        self.flaky.insert((from, to));
    }

    /// It is neither cut nor flaky any more.
    pub(super) fn mend(&mut self, from: Place, to: Place) {
        self.cuts.remove(&(from, to));
        self.flaky.remove(&(from, to));
    }

    /// From now on messages arrive, once, and soon.
    pub(super) fn heal(&mut self) {
        self.cuts.clear();
        self.flaky.clear();
        self.weather = Weather {
            delay_us: self.weather.delay_us,
            jitter_us: self.weather.jitter_us.min(1000),
            ..Weather::default()
        };
    }
}
