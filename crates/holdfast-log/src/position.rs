//! A place in the log.
//!
//! Positions start at 1 and are never reused, not even after a trim. Zero is not a position, so
//! `Option<Position>` costs nothing and "no position yet" cannot be mistaken for the first one.
//! A position addresses the log and stays inside it; users see versions.

use std::fmt;
use std::num::NonZeroU64;

/// A place in a log: 1, 2, 3 …; each holds at most one entry, for ever.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(NonZeroU64);

impl Position {
    /// Position 1, where every log begins.
    #[must_use]
    pub const fn first() -> Self {
        Self(NonZeroU64::MIN)
    }

    /// The position with this number; `None` for zero.
    #[must_use]
    pub fn new(number: u64) -> Option<Self> {
        NonZeroU64::new(number).map(Self)
    }

    /// The position after this one.
    ///
    /// # Panics
    /// After 2^64 - 1 positions, which no log reaches.
    #[must_use]
    pub fn next(self) -> Self {
        self.plus(1)
    }

    /// The position `count` further on.
    ///
    /// # Panics
    /// Past 2^64 - 1.
    #[must_use]
    pub fn plus(self, count: u64) -> Self {
        Self(self.0.checked_add(count).expect("a log never reaches 2^64 positions"))
    }

    /// The position before this one; `None` before the first.
    #[must_use]
    pub fn previous(self) -> Option<Self> {
        Self::new(self.get() - 1)
    }

    /// The number, 1 or more.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0.get()
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Position({})", self.0)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_no_position_and_counting_starts_at_one() {
        assert_eq!(Position::new(0), None);
        assert_eq!(Position::first().get(), 1);
        assert_eq!(Position::first().previous(), None);
        assert_eq!(Position::first().next().previous(), Some(Position::first()));
        assert_eq!(Position::first().plus(6).to_string(), "7");
        assert_eq!(size_of::<Option<Position>>(), 8);
    }
}
