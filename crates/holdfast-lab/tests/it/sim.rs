//! Many seeds of the simulator, and that a seed is a run.
//!
//! The seeds are split into cases of some tens of seconds, so that whoever runs cases beside each
//! other has something for every processor.

use std::{ops::Range, time::Instant};

use holdfast_lab::sim::{self, Profile, swarm};

/// Faults and rare paths that a few hundred runs must have reached, or they show little.
const REACHED: &[&str] = &[
    "fault: asked to hand over",
    "fault: asked to stop",
    "fault: call lost in a restart of the log",
    "fault: call while the log was away",
    "fault: clock changed its rate",
    "fault: cut",
    "fault: killed",
    "fault: link made flaky",
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
    "documents: compared and set",
    "documents: conditions unmet",
    "documents: were over when somebody came",
    "leases: deadlocks refused",
    "leases: ended with a session",
    "leases: guarded writes",
    "leases: passed on",
    "leases: stale tokens refused",
    "limits: allowed",
    "limits: denied",
    "limits: holders that gave back",
    "limits: holders that stayed",
    "limits: holders that were not in",
    "limits: slices",
    "queues: deleted",
    "queues: died of too many deliveries",
    "queues: done",
    "queues: given out again",
    "queues: letters edited",
    "queues: letters purged",
    "queues: lost while they were out",
    "queues: redriven",
    "queues: redriven, edited",
    "queues: rejected",
    "queues: stale receipts refused",
    "topics: batches",
    "topics: batches that differ",
    "topics: committed",
    "topics: deleted",
    "topics: groups deleted",
    "topics: ids that another message has",
    "topics: messages appended again",
    "topics: removed, being old",
    "topics: removed, being too much",
    "topics: sought",
    "topics: stale generations refused",
    "transactions: some operations refused, others done",
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

/// The same of the simulated disk.
const DISK_REACHED: &[&str] = &[
    "fault: failed sync of the log",
    "fault: failed write of the log",
    "fault: flipped bits",
    "fault: flipped bits of the state",
    "fault: full disk",
    "fault: log wiped",
    "fault: old copy of the log",
    "fault: old copy of the state",
    "fault: power cut at an operation",
    "fault: power cut between operations",
    "fault: power cut while opening",
    "fault: process killed",
    "fault: state wiped",
    "documents: compared and set",
    "leases: passed on",
    "limits: denied",
    "queues: given out again",
    "topics: committed",
    "path: a log that lost its end was refused",
    "path: asked to trim",
    "path: began with a snapshot",
    "path: began with its own copy",
    "path: began with nothing but the log",
    "path: bits flipped on their way were refused by name",
    "path: flipped bits were refused by name",
    "path: spoiled state was found in doubt when it was opened",
    "path: stopped, since the log stopped",
];

/// Runs seeds on one thread: cases run beside each other.
fn all_hold(profile: Profile, seeds: Range<u64>, reached: &[&str]) {
    let begun = Instant::now();
    let ran = swarm::run_all(profile, seeds, 1, &|_| {});
    println!("{} seeds in {:.1} s\n{}", ran.runs, begun.elapsed().as_secs_f64(), ran.table());
    if let Some(failed) = &ran.failed {
        panic!("{}", swarm::tell(failed));
    }
    for what in reached {
        assert!(ran.counts.contains_key(what), "no run came to this: {what}");
    }
    if profile == Profile::Network {
        ran.zombies.proven().unwrap();
    }
}

/// Cases of one simulation with their seeds.
macro_rules! seeds {
    ($profile:ident, $reached:ident: $($case:ident = $seeds:expr;)*) => {
        $(#[test]
        fn $case() {
            all_hold(Profile::$profile, $seeds, $reached);
        })*
    };
}

/// Whatever befalls network, clocks, processes and log: no promise is broken, and afterwards all
/// is well. Among the promises are P4, P5, P7, P10 to P16, P23, and P25 within a partition: the
/// versions are an order that explains every answer and respects real time.
mod p25_whatever_fails_the_answers_fit_one_order {
    use super::*;

    seeds! {
        Network, REACHED:
        seeds_0_to_249 = 0..250;
        seeds_250_to_499 = 250..500;
        seeds_500_to_749 = 500..750;
        seeds_750_to_999 = 750..1_000;
    }
}

/// Whatever the disk does: what was told stays, damage is refused by name, state in doubt is made
/// anew.
mod whatever_the_disk_does_what_was_told_stays {
    use super::*;

    seeds! {
        Disk, DISK_REACHED:
        seeds_0_to_149 = 0..150;
        seeds_150_to_299 = 150..300;
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
