//! Who was deposed changes nothing any more, and was seen to try.
//!
//! A zombie holds a token that was the newest once: the epoch and nonce of a leader, the
//! fencing token of a lease, the generation of a group. None of its writes may be accepted after a newer token was
//! given. A run in which nobody tried proves nothing, so attempts are counted, over as many
//! runs as it takes, and [`Zombies::proven`] asks for one.

use std::fmt;

use holdfast_log::{Epoch, Nonce, Position};

use super::log::{Kind, Logged};

/// A write by somebody whose token was not the newest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// What was tried, and where.
    pub what: String,
    /// The token it was tried with.
    pub token: Token,
    /// The newest at that time.
    pub newest: Token,
    /// Whether it took effect.
    pub accepted: bool,
}

/// What proves that somebody may write; the one with the highest number is the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// Of a leader: its claim's epoch, and what tells it from another claim of that epoch.
    Leader(Epoch, Nonce),
    /// Of a lease: the version of the grant.
    Lease(u64),
    /// Of a member of a group of consumers.
    Generation(u64),
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leader(epoch, nonce) => write!(f, "epoch {epoch} ({nonce:?})"),
            Self::Lease(token) => write!(f, "token {token}"),
            Self::Generation(generation) => write!(f, "generation {generation}"),
        }
    }
}

/// What was found to be so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Zombies {
    /// Writes tried in vain.
    pub attempted: u64,
}

/// A zombie's write was accepted, or none was tried.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// Accepted.
    #[error("{what} was accepted with {token}, and {newest} is newer")]
    Accepted {
        /// What, and where.
        what: String,
        /// With which token.
        token: Token,
        /// The newest at that time.
        newest: Token,
    },
    /// Nobody tried.
    #[error("no zombie tried to write: the runs prove nothing about them")]
    NoneTried,
}

/// Checks that no attempt was accepted.
///
/// # Errors
/// [`Violation::Accepted`]
pub fn check(attempts: impl IntoIterator<Item = Attempt>) -> Result<Zombies, Violation> {
    let mut zombies = Zombies::default();
    for Attempt { what, token, newest, accepted } in attempts {
        if accepted {
            return Err(Violation::Accepted { what, token, newest });
        }
        zombies.attempted += 1;
    }
    Ok(zombies)
}

impl Zombies {
    /// Takes another run's together with this one's.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self { attempted: self.attempted + other.attempted }
    }

    /// Asks whether anybody tried.
    ///
    /// # Errors
    /// [`Violation::NoneTried`]
    pub const fn proven(self) -> Result<Self, Violation> {
        if self.attempted == 0 { Err(Violation::NoneTried) } else { Ok(self) }
    }
}

/// The transactions and renewals in a log whose writer was not the newest leader where they
/// stand. Who leads is counted here once more, from headers alone; whether an entry was
/// accepted is what the log's reader made of it.
#[must_use]
pub fn in_log(logged: &Logged) -> Vec<Attempt> {
    let mut newest: Option<(Epoch, Nonce)> = None;
    let mut found = Vec::new();
    for entry in &logged.entries {
        let header = &entry.header;
        if matches!(entry.kind, Kind::Claim) {
            let current = newest.map_or(Epoch::NONE, |(epoch, _)| epoch);
            if header.epoch == current.next() {
                newest = Some((header.epoch, header.nonce));
            }
            continue;
        }
        let Some((epoch, nonce)) = newest else { continue };
        if (header.epoch, header.nonce) != (epoch, nonce) {
            found.push(Attempt {
                what: written(entry.position, header.first_version),
                token: Token::Leader(header.epoch, header.nonce),
                newest: Token::Leader(epoch, nonce),
                accepted: entry.counts,
            });
        }
    }
    found
}

fn written(position: Position, version: u64) -> String {
    format!("an entry at position {position} with versions from {version}")
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use holdfast_log::{EntryHeader, Hash, LogId, ReaderState};
    use holdfast_state::{Batch, LogTime, Version};

    use super::*;
    use crate::check::log::LoggedEntry;

    fn batch() -> Kind {
        let (first, time) = (Version::new(1), LogTime::ZERO);
        Kind::Batch(Batch { first, count: 0, time, bytes: Bytes::new() })
    }

    /// Epoch, nonce, what it is, and whether it was accepted.
    fn logged(entries: Vec<(u64, u8, Kind, bool)>) -> Logged {
        let entries = (0..).zip(entries).map(|(index, (epoch, nonce, kind, counts))| LoggedEntry {
            position: Position::first().plus(index),
            header: EntryHeader {
                feature_level: 1,
                log: LogId::from_bytes([7; 16]),
                previous: Hash::ZERO,
                epoch: Epoch::new(epoch),
                nonce: Nonce::from_bytes([nonce; 16]),
                sequence: 0,
                first_version: 1,
                count: 0,
                log_time_us: 0,
                durable: None,
            },
            kind,
            counts,
        });
        Logged { entries: entries.collect(), end: ReaderState::default() }
    }

    #[test]
    fn late_entries_of_the_deposed_are_attempts_in_vain() {
        let log = logged(vec![
            (1, 1, Kind::Claim, true),
            (1, 1, batch(), true),
            (2, 2, Kind::Claim, true),
            (1, 1, batch(), false),
            (1, 1, Kind::Renewal, false),
            (2, 3, Kind::Claim, false),
            (2, 3, batch(), false),
            (2, 2, Kind::Renewal, true),
            // Out of order, but its own: no zombie.
            (2, 2, batch(), false),
        ]);
        let zombies = check(in_log(&log)).unwrap();
        assert_eq!(zombies.proven(), Ok(Zombies { attempted: 3 }));
    }

    #[test]
    fn an_accepted_one_is_found_by_epoch_and_by_nonce() {
        for (epoch, nonce) in [(1, 1), (2, 3)] {
            let claims = [(1, 1, Kind::Claim, true), (2, 2, Kind::Claim, true)];
            let accepted = (epoch, nonce, batch(), true);
            let log = logged(claims.into_iter().chain([accepted]).collect());
            let wrong = check(in_log(&log)).unwrap_err();
            assert!(matches!(wrong, Violation::Accepted { .. }), "{wrong}");
            assert!(wrong.to_string().starts_with("an entry at position 3"), "{wrong}");
        }
    }

    #[test]
    fn leases_are_fenced_alike_and_nobody_trying_proves_nothing() {
        let attempt = |accepted| Attempt {
            what: "a write to a file".to_owned(),
            token: Token::Lease(3),
            newest: Token::Lease(5),
            accepted,
        };
        assert_eq!(check([attempt(false)]).and_then(Zombies::proven), Ok(Zombies { attempted: 1 }));
        let wrong = check([attempt(true)]).unwrap_err();
        let text = "a write to a file was accepted with token 3, and token 5 is newer";
        assert_eq!(wrong.to_string(), text);
        assert_eq!(check([]).and_then(Zombies::proven), Err(Violation::NoneTried));
        assert!(Zombies { attempted: 1 }.and(Zombies::default()).proven().is_ok());
    }
}
