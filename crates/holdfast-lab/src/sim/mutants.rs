//! Planted bugs, each hunted with seeds until a run breaks a promise.
//!
//! What shows that the simulator finds anything: a protection is left out
//! ([`Bug`]), and the same seeds that pass without the bug must now fail. Counted is how
//! many seeds that took. Only in a build with the feature `planted`.

use std::{
    ops::Range,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

pub use holdfast_planted::{BUGS, Bug};

use super::{Profile, run};

/// What hunting one bug came to.
#[derive(Clone, Debug)]
pub struct Hunt {
    /// The bug.
    pub bug: Bug,
    /// How many seeds were run until one found it; `None` when none did.
    pub seeds: Option<u64>,
    /// The seed that did.
    pub seed: Option<u64>,
    /// The promise that it broke.
    pub broken: String,
}

/// Which simulation reaches the code where the bug is.
#[must_use]
pub const fn found_by(bug: Bug) -> Profile {
    match bug {
        Bug::TornTailCutTooFar | Bug::DamageIsTail | Bug::BytesNotChecked | Bug::SyncLeftOut => {
            Profile::Disk
        }
        _ => Profile::Network,
    }
}

/// Hunts one bug with these seeds, in their order.
#[must_use]
pub fn hunt(bug: Bug, seeds: Range<u64>) -> Hunt {
    let first = seeds.start;
    let profile = found_by(bug);
    for seed in seeds {
        let ran = holdfast_planted::with(bug, || run(profile, seed, false));
        if let Err(violation) = ran.verdict {
            let broken = violation.to_string();
            return Hunt { bug, seeds: Some(seed - first + 1), seed: Some(seed), broken };
        }
    }
    Hunt { bug, seeds: None, seed: None, broken: String::new() }
}

/// Hunts these bugs on so many threads, and gives the hunts in the order of the bugs; `each`
/// hears of every hunt as it ends.
///
/// # Panics
/// When the system gives no threads.
#[must_use]
pub fn hunt_all(
    bugs: &[Bug],
    seeds: &Range<u64>,
    threads: usize,
    each: &(dyn Fn(&Hunt) + Sync),
) -> Vec<Hunt> {
    let next = AtomicUsize::new(0);
    let hunts = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                while let Some(bug) = bugs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let hunt = hunt(*bug, seeds.clone());
                    each(&hunt);
                    hunts.lock().unwrap_or_else(PoisonError::into_inner).push(hunt);
                }
            });
        }
    });
    let mut hunts = hunts.into_inner().unwrap_or_else(PoisonError::into_inner);
    hunts.sort_by_key(|hunt| hunt.bug);
    hunts
}

/// The median of how many seeds the hunts took; `None` when half of them found nothing.
#[must_use]
pub fn median(hunts: &[Hunt]) -> Option<u64> {
    let mut seeds: Vec<u64> = hunts.iter().map(|hunt| hunt.seeds.unwrap_or(u64::MAX)).collect();
    seeds.sort_unstable();
    seeds.get(seeds.len() / 2).copied().filter(|median| *median < u64::MAX)
}

/// What one hunt came to, in two lines.
#[must_use]
pub fn line(hunt: &Hunt) -> String {
    let (bug, rule) = (format!("{:?}", hunt.bug), hunt.bug.rule());
    let (took, broken) = match (hunt.seeds, hunt.seed) {
        (Some(seeds), Some(seed)) => (seeds.to_string(), format!("seed {seed}: {}", hunt.broken)),
        _ => ("no".to_owned(), "not found".to_owned()),
    };
    let words = hunt.bug.words();
    format!("  {bug:<29} {rule:<8} {took:>5} seeds: {words}\n      {broken}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_counts_what_was_not_found_as_the_most() {
        let hunt = |seeds| Hunt { bug: BUGS[0], seeds, seed: None, broken: String::new() };
        assert_eq!(median(&[hunt(Some(9)), hunt(None), hunt(Some(3))]), Some(9));
        assert_eq!(median(&[hunt(None), hunt(None), hunt(Some(3))]), None);
        assert_eq!(median(&[]), None);
    }
}
