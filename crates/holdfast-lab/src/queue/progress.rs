//! How far all consumers together are, so that everybody knows when it is over.

use std::sync::atomic::{AtomicU64, Ordering};

/// What is done and what there is to do.
#[derive(Debug)]
pub(super) struct Progress {
    expected: u64,
    done: AtomicU64,
    consumers: AtomicU64,
}

impl Progress {
    pub(super) const fn new(expected: u64, consumers: u64) -> Self {
        Self { expected, done: AtomicU64::new(0), consumers: AtomicU64::new(consumers) }
    }

    /// One more is done.
    pub(super) fn done(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    /// A consumer has come to its end.
    pub(super) fn left(&self) {
        self.consumers.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn is_done(&self) -> bool {
        self.done.load(Ordering::Relaxed) >= self.expected
    }

    /// All is done, or nobody is there to do it.
    pub(super) fn is_over(&self) -> bool {
        self.is_done() || self.consumers.load(Ordering::Relaxed) == 0
    }
}
