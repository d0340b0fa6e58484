//! A journal that one leader at a time writes: every tick is in it once, in order, and no leader
//! writes after a later one has begun to.

use std::collections::BTreeMap;

use holdfast_state::Version;

/// An entry of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tick {
    /// The transaction that wrote it.
    pub version: Version,
    /// Its number; the first is 1.
    pub number: u64,
    /// The fencing token under which it was written.
    pub token: u64,
}

/// A tick is missing, is there twice, or was written by a leader of former times.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// Twice.
    #[error("tick {number} was written at version {} under token {}, and at version {} under \
        token {}", one.version, one.token, other.version, other.token)]
    Twice {
        /// Its number.
        number: u64,
        /// The first time.
        one: Tick,
        /// The second.
        other: Tick,
    },
    /// An earlier leader wrote after a later one.
    #[error("tick {} was written under token {}, after a tick under token {before}", tick.number, tick.token)]
    Backwards {
        /// Which tick.
        tick: Tick,
        /// The later leader's token.
        before: u64,
    },
    /// Not there, or not in its place.
    #[error("after tick {} comes tick {found}", expected - 1)]
    OutOfOrder {
        /// The number that should be there.
        expected: u64,
        /// The number that is.
        found: u64,
    },
    /// Somebody was told that it is written.
    #[error("tick {} was acknowledged at version {}, and the journal does not hold it", tick.number, tick.version)]
    Lost {
        /// Which tick.
        tick: Tick,
    },
}

/// Checks the journal, in its own order, against the ticks that were acknowledged.
///
/// # Errors
/// [`Violation`]
pub fn check(journal: &[Tick], acknowledged: &[Tick]) -> Result<(), Violation> {
    let mut numbers: BTreeMap<u64, Tick> = BTreeMap::new();
    for tick in journal {
        if let Some(one) = numbers.insert(tick.number, *tick) {
            return Err(Violation::Twice { number: tick.number, one, other: *tick });
        }
    }
    for pair in journal.windows(2) {
        if pair[1].token < pair[0].token {
            return Err(Violation::Backwards { tick: pair[1], before: pair[0].token });
        }
    }
    for (expected, tick) in (1..).zip(journal) {
        if tick.number != expected {
            return Err(Violation::OutOfOrder { expected, found: tick.number });
        }
    }
    match acknowledged.iter().find(|tick| numbers.get(&tick.number) != Some(tick)) {
        Some(tick) => Err(Violation::Lost { tick: *tick }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ticks by number and token, at versions 10, 20, 30 …
    fn ticks(ticks: &[(u64, u64)]) -> Vec<Tick> {
        let versions = (1..).map(|index: u64| Version::new(index * 10));
        let ticks = versions.zip(ticks);
        ticks.map(|(version, &(number, token))| Tick { version, number, token }).collect()
    }

    #[test]
    fn leaders_follow_one_another_and_each_tick_is_there_once() {
        let journal = ticks(&[(1, 5), (2, 5), (3, 9), (4, 12)]);
        assert_eq!(check(&journal, &journal[1..3]), Ok(()));
    }

    #[test]
    fn a_zombies_tick_is_a_second_one() {
        let wrong = check(&ticks(&[(1, 5), (2, 9), (2, 5), (3, 9)]), &[]).unwrap_err();
        let text =
            "tick 2 was written at version 20 under token 9, and at version 30 under token 5";
        assert_eq!(wrong.to_string(), text);
    }

    #[test]
    fn or_comes_after_its_successors() {
        let wrong = check(&ticks(&[(1, 5), (2, 9), (3, 5)]), &[]).unwrap_err();
        assert_eq!(
            wrong.to_string(),
            "tick 3 was written under token 5, after a tick under token 9"
        );
    }

    #[test]
    fn a_gap_is_found_and_so_is_what_was_acknowledged_and_lost() {
        let wrong = check(&ticks(&[(1, 5), (3, 5)]), &[]).unwrap_err();
        assert_eq!(wrong.to_string(), "after tick 1 comes tick 3");
        let journal = ticks(&[(1, 5), (2, 5)]);
        let told = Tick { version: Version::new(30), number: 3, token: 5 };
        let wrong = check(&journal, &[told]).unwrap_err();
        let text = "tick 3 was acknowledged at version 30, and the journal does not hold it";
        assert_eq!(wrong.to_string(), text);
        // Another's tick of that number is not it.
        let told = Tick { number: 2, token: 4, ..told };
        assert_eq!(check(&journal, &[told]), Err(Violation::Lost { tick: told }));
    }
}
