//! What can go wrong in a cluster, and what is drawn of it.

use std::time::Duration;

use super::proxy::{Way, Weather};
use crate::random::Random;

/// Something that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The node that leads is killed, and started again after a while.
    LeaderKilled,
    /// It is halted, for longer than its lease, and goes on.
    LeaderPaused,
    /// It is asked to stop, and started again.
    LeaderDrained,
    /// Its connections to the servers end, new ones too.
    LeaderRefused,
    /// Nothing gets through between it and the servers.
    LeaderCutOff,
    /// What it says does not arrive at the servers.
    LeaderUnheard,
    /// What the servers say does not arrive at it.
    LeaderDeaf,
    /// Everything between it and the servers takes long.
    LeaderSlow,
    /// Nothing gets through between one that follows and the servers.
    FollowerCutOff,
    /// The primary is killed and the standby with the most promoted.
    PrimaryKilled,
    /// The primary is halted, and goes on.
    PrimaryFrozen,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::LeaderKilled,
        Self::LeaderPaused,
        Self::LeaderDrained,
        Self::LeaderRefused,
        Self::LeaderCutOff,
        Self::LeaderUnheard,
        Self::LeaderDeaf,
        Self::LeaderSlow,
        Self::FollowerCutOff,
        Self::PrimaryKilled,
        Self::PrimaryFrozen,
    ];

    /// What people call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LeaderKilled => "leader killed (kill -9)",
            Self::LeaderPaused => "leader halted (SIGSTOP, SIGCONT)",
            Self::LeaderDrained => "leader asked to stop (SIGTERM)",
            Self::LeaderRefused => "leader's connections broken",
            Self::LeaderCutOff => "leader cut off from PostgreSQL",
            Self::LeaderUnheard => "leader cut off, one way there",
            Self::LeaderDeaf => "leader cut off, one way back",
            Self::LeaderSlow => "leader's way to PostgreSQL slow",
            Self::FollowerCutOff => "follower cut off from PostgreSQL",
            Self::PrimaryKilled => "primary killed, standby promoted",
            Self::PrimaryFrozen => "primary halted (SIGSTOP, SIGCONT)",
        }
    }

    /// What happens on the way between a node and the servers, if that is what it is about.
    #[must_use]
    pub fn weather(self, random: &mut Random) -> Option<Weather> {
        let (there, back) = match self {
            Self::LeaderRefused => return Some(Weather::broken()),
            Self::LeaderCutOff | Self::FollowerCutOff => (Way::Held, Way::Held),
            Self::LeaderUnheard => (Way::Held, Way::Open),
            Self::LeaderDeaf => (Way::Open, Way::Held),
            Self::LeaderSlow => {
                let late = Way::Late(Duration::from_millis(20 + random.below(180)));
                (late, late)
            }
            Self::LeaderKilled
            | Self::LeaderPaused
            | Self::LeaderDrained
            | Self::PrimaryKilled
            | Self::PrimaryFrozen => return None,
        };
        Some(Weather { there, back, breaks: false })
    }
}

/// Every fault at least once, in an order of chance; leaders are killed more often than the rest
/// happens, since each death is one sample of how long nobody leads.
#[must_use]
pub fn deck(random: &mut Random, deaths: usize) -> Vec<Fault> {
    let mut deck = Fault::ALL.to_vec();
    deck.extend(vec![Fault::LeaderKilled; deaths.saturating_sub(1)]);
    for last in (1..deck.len()).rev() {
        let with = random.below(last as u64 + 1);
        deck.swap(last, usize::try_from(with).expect("an index of a slice"));
    }
    deck
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deck_has_every_fault_in_an_order_that_a_seed_decides() {
        let draw = |seed| deck(&mut Random::new(seed), 3);
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        let mut drawn = draw(7);
        drawn.sort_unstable();
        assert_eq!(drawn.iter().filter(|fault| **fault == Fault::LeaderKilled).count(), 3);
        drawn.dedup();
        assert_eq!(drawn, Fault::ALL);
    }
}
