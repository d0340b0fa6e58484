//! What this process knows to be durable, so that it need not ask again.
//!
//! A position is known once an append to it was acknowledged, or its row was seen and a barrier
//! confirmed it afterwards. Knowledge only grows: what is durable stays used. It is held as the
//! first position that is not known (a lower bound of the log's tail) and those known beyond it.

use std::collections::BTreeSet;

/// How many positions beyond the first unknown one are remembered; forgetting only costs a barrier.
const BEYOND_MAX: usize = 4096;

/// What is known durable.
#[derive(Debug)]
pub(crate) struct Known {
    /// All positions below are used, durably: `1 <= tail`, never above the log's tail.
    tail: u64,
    /// Used positions above `tail`.
    beyond: BTreeSet<u64>,
    /// All positions below are given up, durably: `mark <= tail`.
    mark: u64,
}

impl Known {
    pub(crate) fn nothing() -> Self {
        Self { tail: 1, beyond: BTreeSet::new(), mark: 1 }
    }

    /// The lowest position that is not known to be used.
    pub(crate) fn tail(&self) -> u64 {
        self.tail
    }

    /// The highest mark known.
    pub(crate) fn mark(&self) -> u64 {
        self.mark
    }

    /// Is it known to be used?
    pub(crate) fn is_used(&self, position: u64) -> bool {
        position < self.tail || self.beyond.contains(&position)
    }

    /// This position is used.
    pub(crate) fn used(&mut self, position: u64) {
        if position < self.tail || self.beyond.len() >= BEYOND_MAX && position != self.tail {
            return;
        }
        self.beyond.insert(position);
        self.close_up();
    }

    /// All positions below this one are used.
    pub(crate) fn used_below(&mut self, tail: u64) {
        if tail > self.tail {
            self.tail = tail;
            self.beyond = self.beyond.split_off(&tail);
            self.close_up();
        }
    }

    /// All positions below this one are given up.
    pub(crate) fn trimmed_below(&mut self, mark: u64) {
        self.mark = self.mark.max(mark);
        self.used_below(mark);
    }

    fn close_up(&mut self) {
        while self.beyond.remove(&self.tail) {
            self.tail += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knowledge_grows_whatever_the_order() {
        let mut known = Known::nothing();
        assert!(!known.is_used(1));
        known.used(3);
        known.used(2);
        assert_eq!(known.tail(), 1);
        assert!(known.is_used(3) && !known.is_used(1) && !known.is_used(4));
        known.used(1);
        assert_eq!((known.tail(), known.beyond.len()), (4, 0));
        known.used(6);
        known.used_below(6);
        assert_eq!((known.tail(), known.beyond.len()), (7, 0));
        known.used_below(2);
        known.trimmed_below(5);
        known.trimmed_below(4);
        assert_eq!((known.tail(), known.mark()), (7, 5));
        known.trimmed_below(9);
        assert_eq!((known.tail(), known.mark()), (9, 9));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_next_is_always_taken() {
        let mut known = Known::nothing();
        for position in 2..2 + 2 * u64::try_from(BEYOND_MAX).unwrap() {
            known.used(position);
        }
        assert_eq!(known.beyond.len(), BEYOND_MAX);
        known.used(1);
        assert_eq!(known.tail(), 2 + u64::try_from(BEYOND_MAX).unwrap());
    }
}
