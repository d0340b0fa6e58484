//! How far the group is, so that everybody knows when it is over.

use std::sync::atomic::{AtomicU64, Ordering};

/// The highest offset that was dealt with, of each partition.
#[derive(Debug)]
pub(super) struct Progress {
    messages: u64,
    highest: Vec<AtomicU64>,
}

impl Progress {
    pub(super) fn new(messages: u64, partitions: u64) -> Self {
        Self { messages, highest: (0..partitions).map(|_| AtomicU64::new(0)).collect() }
    }

    /// This partition was dealt with up to there.
    pub(super) fn reached(&self, partition: u64, offset: u64) {
        let partition = usize::try_from(partition).ok().and_then(|number| self.highest.get(number));
        partition.expect("a partition of the topic").fetch_max(offset, Ordering::Relaxed);
    }

    /// All that is ever appended was dealt with.
    pub(super) fn is_over(&self) -> bool {
        let highest = self.highest.iter().map(|offset| offset.load(Ordering::Relaxed));
        highest.sum::<u64>() >= self.messages
    }
}
