//! Many seeds of the simulator, and that a seed is a run.

use std::{ops::Range, time::Instant};

use holdfast_lab::sim::{self, Profile, swarm};

/// How many seeds a machine with two processors runs here in about a minute.
const SEEDS: Range<u64> = 0..600;

/// Faults and rare paths that a few hundred runs must have reached, or they show little.
const REACHED: &[&str] = &[
    "fault: asked to hand over",
    "fault: asked to stop",
    "fault: call lost in a restart of the log",
    "fault: call while the log was away",
    "fault: clock changed its rate",
    "fault: cut",
    "fault: killed",
    "fault: message doubled",
    "fault: message held back",
    "fault: message late",
    "fault: message lost",
    "fault: old copy of the state",
    "fault: paused",
    "fault: snapshot spoiled",
    "fault: state wiped",
    "fault: the log refused for now",
    "fault: wall clock stepped",
    "failure: not the leader",
    "failure: overloaded",
    "path: answered again from the record",
    "path: append below the trim mark",
    "path: appended and not told",
    "path: began with a snapshot",
    "path: began with its own copy",
    "path: dead entries",
    "path: done, and nobody was told",
    "path: lapsed under another leader",
    "path: led, and follows",
    "path: taken by another entry",
    "path: taken by the same bytes",
    "path: the log was trimmed beyond it",
    "path: trimmed",
    "path: writes of deposed leaders",
];

#[test]
fn whatever_fails_no_promise_is_broken_and_afterwards_all_is_well() {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let begun = Instant::now();
    let ran = swarm::run_all(Profile::Network, SEEDS, threads, &|_| {});
    println!("{} seeds in {:.1} s\n{}", ran.runs, begun.elapsed().as_secs_f64(), ran.table());
    if let Some(failed) = &ran.failed {
        panic!("{}", swarm::tell(failed));
    }
    for what in REACHED {
        assert!(ran.counts.contains_key(what), "no run came to this: {what}");
    }
}

/// The same of the simulated disk.
const DISK_SEEDS: Range<u64> = 0..300;

const DISK_REACHED: &[&str] = &[
    "fault: failed sync of the log",
    "fault: failed write of the log",
    "fault: flipped bits",
    "fault: full disk",
    "fault: power cut at an operation",
    "fault: power cut between operations",
    "fault: power cut while opening",
    "fault: process killed",
    "path: a log that lost its end was refused",
    "path: asked to trim",
    "path: began with a snapshot",
    "path: began with nothing but the log",
    "path: flipped bits were refused by name",
    "path: stopped, since the log stopped",
];

#[test]
fn whatever_the_disk_does_what_was_told_stays_and_damage_is_refused_by_name() {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let begun = Instant::now();
    let ran = swarm::run_all(Profile::Disk, DISK_SEEDS, threads, &|_| {});
    println!("{} seeds in {:.1} s\n{}", ran.runs, begun.elapsed().as_secs_f64(), ran.table());
    if let Some(failed) = &ran.failed {
        panic!("{}", swarm::tell(failed));
    }
    for what in DISK_REACHED {
        assert!(ran.counts.contains_key(what), "no run came to this: {what}");
    }
}

#[test]
fn one_seed_is_one_run() {
    for profile in [Profile::Network, Profile::Disk] {
        let run = |seed| sim::run(profile, seed, false);
        for seed in 0..20 {
            let (first, second) = (run(seed), run(seed));
            assert_eq!(first.hash, second.hash, "seed {seed} has two traces");
            assert_eq!((first.notes, &first.counts), (second.notes, &second.counts));
        }
        assert_ne!(run(1).hash, run(2).hash, "seeds differ");
    }
}
