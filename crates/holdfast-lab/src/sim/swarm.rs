//! Many seeds: run beside each other, summed up, and the first that breaks a promise
//! told so that anybody can run it again.

use std::{
    fmt::Write as _,
    ops::Range,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use super::{Counts, Profile, Run, run};
use crate::check::zombies::Zombies;

/// What many runs came to.
#[derive(Debug, Default)]
pub struct Swarm {
    /// Runs that ended.
    pub runs: u64,
    /// Things that happened in all of them.
    pub notes: u64,
    /// Sum of what each counted.
    pub counts: Counts,
    /// In how many runs each was counted at all.
    pub runs_with: Counts,
    /// Writes that deposed leaders tried, in all of them.
    pub zombies: Zombies,
    /// A hash over all runs' hashes, whatever order they ran in.
    pub hash: u64,
    /// The failed run of the lowest seed.
    pub failed: Option<Box<Run>>,
}

impl Swarm {
    fn add(&mut self, ran: Run) {
        self.runs += 1;
        self.notes += ran.notes;
        self.zombies = self.zombies.and(ran.zombies);
        self.hash ^= ran.hash.rotate_left(u32::try_from(ran.seed % 64).expect("below 64"));
        for (what, count) in &ran.counts {
            *self.counts.entry(what).or_insert(0) += count;
            *self.runs_with.entry(what).or_insert(0) += 1;
        }
        let earlier = self.failed.as_ref().is_none_or(|failed| ran.seed < failed.seed);
        if ran.verdict.is_err() && earlier {
            self.failed = Some(Box::new(ran));
        }
    }

    /// What happened how often, as lines.
    #[must_use]
    pub fn table(&self) -> String {
        let mut table = String::new();
        for (what, count) in &self.counts {
            let runs = self.runs_with.get(what).copied().unwrap_or(0);
            // Writing to a string cannot fail.
            let _written = writeln!(table, "  {what:<48} {count:>10} in {runs:>7} runs");
        }
        table
    }
}

/// A failed run, for whoever has to understand it: with what runs it again.
#[must_use]
pub fn tell(ran: &Run) -> String {
    let verdict = match &ran.verdict {
        Ok(()) => "no promise was broken".to_owned(),
        Err(violation) => violation.to_string(),
    };
    format!(
        "seed {}: {verdict}\nto run it again: holdfast lab sim --profile {} --seed {} --trace\n\
         drawn:\n{}\nthe last {} of {} things that happened:\n{}",
        ran.seed,
        ran.profile.name(),
        ran.seed,
        ran.shape,
        ran.last_lines.len(),
        ran.notes,
        ran.last_lines.join("\n"),
    )
}

/// Runs these seeds on so many threads, until one breaks a promise or all are done;
/// `each` hears how many have ended.
///
/// # Panics
/// When the system gives no threads.
pub fn run_all(
    profile: Profile,
    seeds: Range<u64>,
    threads: usize,
    each: &(dyn Fn(u64) + Sync),
) -> Swarm {
    let next = AtomicU64::new(seeds.start);
    let stop = AtomicBool::new(false);
    let swarm = Mutex::new(Swarm::default());
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        break;
                    }
                    let ran = run(profile, seed, false);
                    if ran.verdict.is_err() {
                        stop.store(true, Ordering::Relaxed);
                    }
                    let mut swarm = swarm.lock().unwrap_or_else(PoisonError::into_inner);
                    swarm.add(ran);
                    each(swarm.runs);
                }
            });
        }
    });
    swarm.into_inner().unwrap_or_else(PoisonError::into_inner)
}
