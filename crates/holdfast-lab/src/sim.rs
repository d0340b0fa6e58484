//! The simulator: one seed decides everything.
//!
//! Production engines run in one thread over a simulated log, network, clocks, machines
//! and clients. A seed draws how large the world is and what may go wrong in it
//! ([`Shape`]), and then every delay, loss, pause, kill and wish, each part from a stream
//! of its own. First everything may fail; then all faults end, and the world must get
//! well within a bound of simulated time. At the end its history is given to the checks of
//! [`crate::check`]; what only somebody inside can see is judged as it happens, by an independent
//! reader of the log: [`Violation`] lists what must never be.
//!
//! There are two worlds ([`Profile`]): many nodes on a shared log (`world`), and one node on
//! the file log over a disk that fails (`disk`).
//!
//! Read in this order: `shape`, `agenda`, `world` (and `world/driving`, which is the
//! production driver's loop); `log`, `network`, `clock`, `nemesis`; `workload`, `naive`,
//! `primitives`, `client`; `recovery`; `truth`, `judge`, `retelling`; `trace`; then [`swarm`],
//! which runs many seeds.
//!
//! Promises: the same seed has the same trace, to the hash; nothing here reads a real
//! clock, starts a thread or iterates over an unordered map; a client that got no answer
//! is never taken to know anything. TigerBeetle's VOPR and FoundationDB's simulator are
//! where this comes from.

mod agenda;
mod client;
mod clock;
mod disk;
mod judge;
mod log;
#[cfg(feature = "planted")]
pub mod mutants;
mod naive;
mod nemesis;
mod network;
mod node;
mod primitives;
mod recovery;
mod retelling;
mod shape;
mod streams;
pub mod swarm;
mod trace;
mod truth;
mod violation;
mod workload;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use shape::{FAULTS, Fault, Shape};
pub use trace::Counts;
pub use violation::Violation;

use crate::check::zombies::Zombies;
use disk::DiskWorld;
use trace::Trace;
use world::World;

/// What is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Several nodes and clients over a shared log, with all that befalls messages, clocks
    /// and processes.
    Network,
    /// One node on the file log, over a disk that fails.
    Disk,
}

impl Profile {
    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Disk => "disk",
        }
    }
}

/// What a run came to.
#[derive(Debug)]
pub struct Run {
    /// What was simulated.
    pub profile: Profile,
    /// The seed.
    pub seed: u64,
    /// What it drew, for people.
    pub shape: String,
    /// A hash over everything that happened.
    pub hash: u64,
    /// How many things happened.
    pub notes: u64,
    /// Faults that happened and rare paths that were taken.
    pub counts: Counts,
    /// Writes that deposed leaders tried.
    pub zombies: Zombies,
    /// The last things that happened.
    pub last_lines: Vec<String>,
    /// The first promise that was broken, if one was.
    pub verdict: Result<(), Violation>,
}

/// Runs one seed; with `printing`, everything that happens goes to stdout.
#[must_use]
pub fn run(profile: Profile, seed: u64, printing: bool) -> Run {
    match profile {
        Profile::Network => {
            let mut world = World::new(seed, printing);
            let verdict = judged(|| world.run());
            let zombies = world.zombies;
            ended((profile, seed), (world.shape.to_string(), verdict), zombies, &world.trace)
        }
        Profile::Disk => {
            let mut world = DiskWorld::new(seed, printing);
            let verdict = judged(|| world.run());
            ended((profile, seed), (world.drawn(), verdict), Zombies::default(), &world.trace)
        }
    }
}

/// A panic in the code under test is a verdict too.
fn judged(run: impl FnOnce() -> Result<(), Violation>) -> Result<(), Violation> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        let message = text.unwrap_or_else(|| "a panic without a message".to_owned());
        Err(Violation::Panicked { message })
    })
}

fn ended(
    (profile, seed): (Profile, u64),
    (shape, verdict): (String, Result<(), Violation>),
    zombies: Zombies,
    trace: &Trace,
) -> Run {
    Run {
        profile,
        seed,
        shape,
        hash: trace.hash(),
        notes: trace.notes(),
        counts: trace.counts().clone(),
        zombies,
        last_lines: trace.last_lines(),
        verdict,
    }
}
