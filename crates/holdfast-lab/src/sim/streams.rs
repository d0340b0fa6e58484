//! Everything that is random in a run, split by purpose.
//!
//! Each part of the world draws from a stream of its own, made of the run's seed and
//! the part's name. So one more draw in one part (a retry, a new fault) does not shift
//! what every other part draws, and a seed that fails goes on failing while the code
//! around the failure changes a little.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::random::Random;

/// The streams of one run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Streams(u64);

impl Streams {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The stream of this purpose.
    pub(super) fn of(self, purpose: &str) -> Random {
        Random::new(xxh3_64_with_seed(purpose.as_bytes(), self.0))
    }

    /// The stream of the n-th of several that have one purpose.
    pub(super) fn of_nth(self, purpose: &str, number: u64) -> Random {
        Random::new(xxh3_64_with_seed(purpose.as_bytes(), self.0).wrapping_add(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_and_numbers_have_streams_of_their_own_and_a_seed_repeats_them() {
        let first = |streams: Streams, purpose: &str| streams.of(purpose).next();
        let streams = Streams::new(7);
        assert_eq!(first(streams, "network"), first(Streams::new(7), "network"));
        assert_ne!(first(streams, "network"), first(streams, "clients"));
        assert_ne!(first(streams, "network"), first(Streams::new(8), "network"));
        assert_ne!(streams.of_nth("node", 0).next(), streams.of_nth("node", 1).next());
    }
}
