//! The order of versions respects real time: what was answered before something else was
//! asked comes before it.
//!
//! Together with one write for each version this is all that linearizability asks of the
//! *order*; whether the answers fit it is [`super::witness`]'s part. It takes one pass over
//! the spans in version order: the latest time at which anybody so far was sent is kept, and
//! nobody who comes after may have been answered before it.

use std::{fmt, time::Duration};

use holdfast_state::Version;

use super::{
    call::Place,
    oracle::{Belief, Operation},
};

/// An operation's place, and the time within which it took effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span<'a> {
    /// What messages call it: its key.
    pub name: &'a str,
    /// Its place in the order of versions.
    pub place: Place,
    /// Not before this.
    pub sent: Duration,
    /// Not after this; `None` when nobody heard.
    pub answered: Option<Duration>,
}

/// A span as messages show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its key.
    pub name: String,
    /// Its place in the order of versions.
    pub place: Place,
    /// When it was sent.
    pub sent: Duration,
    /// When it was answered.
    pub answered: Option<Duration>,
}

/// The order cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// A version is one transaction's own.
    #[error("two writes have one version: {one}, {other}")]
    SharedVersion {
        /// A write.
        one: Box<Seen>,
        /// Another.
        other: Box<Seen>,
    },
    /// Somebody was answered, somebody else sent afterwards, and got a lower place.
    #[error("{later} was sent after {earlier} was answered, and came before it")]
    Backwards {
        /// Who was answered first, and stands above.
        earlier: Box<Seen>,
        /// Who was sent afterwards, and stands below.
        later: Box<Seen>,
    },
}

impl<'a> Span<'a> {
    /// Of an operation that was answered.
    #[must_use]
    pub fn of<Q, A>(operation: &Operation<'a, Q, A>) -> Option<Self> {
        let Belief::Settled { answered, reply } = operation.belief else { return None };
        let (name, sent) = (operation.name(), operation.sent);
        Some(Self { name, place: reply.place, sent, answered: Some(answered) })
    }
}

impl From<&Span<'_>> for Box<Seen> {
    fn from(span: &Span<'_>) -> Self {
        let name = span.name.to_owned();
        Self::new(Seen { name, place: span.place, sent: span.sent, answered: span.answered })
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, sent at {:?}", self.name, self.place, self.sent)?;
        match self.answered {
            Some(answered) => write!(f, ", answered at {answered:?})"),
            None => f.write_str(", never answered)"),
        }
    }
}

/// Sorts the spans by their places, and checks that their order can be. Of reads at one
/// version the one that was sent first comes first.
///
/// # Errors
/// [`Violation`]
pub fn check(spans: &mut [Span<'_>]) -> Result<(), Violation> {
    spans.sort_by_key(|span| (span.place.rank(), span.sent));
    let mut latest: Option<&Span<'_>> = None;
    let mut write: Option<&Span<'_>> = None;
    for span in &*spans {
        if let Place::Is(version) = span.place {
            let shared = write.filter(|before| before.place == Place::Is(version));
            if let Some(before) = shared {
                return Err(Violation::SharedVersion { one: before.into(), other: span.into() });
            }
            write = Some(span);
        }
        let backwards =
            latest.filter(|before| span.answered.is_some_and(|answered| answered < before.sent));
        if let Some(before) = backwards {
            return Err(Violation::Backwards { earlier: span.into(), later: before.into() });
        }
        if latest.is_none_or(|before| before.sent < span.sent) {
            latest = Some(span);
        }
    }
    Ok(())
}

/// How many versions up to the highest no write among these has. They are of timers, of
/// work of the engine's own, and of writes that nobody told of.
#[must_use]
pub fn versions_unseen(spans: &[Span<'_>]) -> u64 {
    let writes = spans.iter().filter(|span| matches!(span.place, Place::Is(_))).count() as u64;
    let highest = spans.iter().map(|span| span.place.version()).max();
    highest.map_or(0, Version::get).saturating_sub(writes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::oracle::tests::ms;

    fn write(version: u64, sent: u64, answered: u64) -> Span<'static> {
        let place = Place::Is(Version::new(version));
        Span { name: "w", place, sent: ms(sent), answered: Some(ms(answered)) }
    }

    fn read(version: u64, sent: u64, answered: u64) -> Span<'static> {
        let place = Place::Saw(Version::new(version));
        Span { name: "r", place, ..write(version, sent, answered) }
    }

    fn backwards(mut spans: Vec<Span<'_>>) -> bool {
        match check(&mut spans) {
            Ok(()) => false,
            Err(Violation::Backwards { .. }) => true,
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn a_write_below_one_that_was_answered_before_it_was_sent_is_found() {
        assert!(!backwards(vec![write(2, 0, 30), write(1, 10, 20), write(3, 25, 40)]));
        assert!(backwards(vec![write(2, 0, 5), write(1, 10, 20)]));
        // Also when one that overlaps both lies between.
        assert!(backwards(vec![write(1, 100, 200), write(2, 0, 300), write(3, 10, 50)]));
        // Meeting at one moment is overlapping.
        assert!(!backwards(vec![write(2, 0, 10), write(1, 10, 20)]));
    }

    #[test]
    fn a_read_stands_behind_the_write_that_it_saw() {
        assert!(!backwards(vec![write(1, 0, 30), read(1, 10, 20)]));
        // It saw the write before anybody asked for it.
        assert!(backwards(vec![write(1, 25, 30), read(1, 10, 20)]));
        // A stale read: version 2 was answered before it was sent.
        assert!(backwards(vec![write(1, 0, 1), write(2, 2, 5), read(1, 6, 7)]));
        // Two reads at one version have no order.
        assert!(!backwards(vec![write(1, 0, 1), read(1, 20, 30), read(1, 5, 6)]));
        // Reads go back: the first saw more than the second.
        assert!(backwards(vec![write(1, 0, 1), write(2, 2, 50), read(2, 3, 4), read(1, 6, 7)]));
    }

    #[test]
    fn what_nobody_heard_of_has_no_end_but_a_beginning() {
        let unheard = |version, sent| Span { answered: None, ..write(version, sent, 0) };
        assert!(!backwards(vec![unheard(1, 0), write(2, 50, 60)]));
        assert!(backwards(vec![unheard(1, 70), write(2, 50, 60)]));
    }

    #[test]
    fn a_version_is_one_writes_own() {
        let mut spans = vec![write(1, 0, 5), write(1, 0, 5)];
        assert!(matches!(check(&mut spans), Err(Violation::SharedVersion { .. })));
        let mut spans = vec![write(1, 0, 5), read(1, 0, 5), read(1, 0, 5)];
        assert_eq!(check(&mut spans), Ok(()));
    }

    #[test]
    fn versions_without_a_write_are_counted() {
        let spans = [write(1, 0, 1), write(4, 0, 1), read(6, 0, 1)];
        assert_eq!(versions_unseen(&spans), 4);
    }
}
