//! Calls as the clients that made them saw them.
//!
//! All times are of one clock that saw every call: durations since the run began, real
//! or simulated. Only their order matters to checks of safety.

use std::{fmt, time::Duration};

use holdfast_state::Version;

/// One try of a client: what it asked, and what it heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call<Q, A> {
    /// The idempotency key: calls with one key are tries of one operation.
    pub key: Option<String>,
    /// What was asked.
    pub asked: Q,
    /// When it was sent.
    pub sent: Duration,
    /// What came of it.
    pub heard: Heard<A>,
}

/// What a client heard of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard<A> {
    /// An answer, refusals included.
    Answered {
        /// When it came.
        at: Duration,
        /// What it says.
        answer: A,
    },
    /// That *this try* did nothing: overloaded, too late to be evaluated, no leader.
    Nothing,
    /// Nothing at all, or that nobody knows: it may have happened, and may happen yet.
    Unknown,
}

/// An answer with its place in the one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply<A> {
    /// Where it stands.
    pub place: Place,
    /// It was the stored answer of an earlier try.
    pub replayed: bool,
    /// What it says.
    pub body: A,
}

/// Where an operation stands in the order of versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// It is the transaction with this version: a write, or a refusal that was stored.
    Is(Version),
    /// It wrote nothing and saw everything up to this version.
    Saw(Version),
}

impl Place {
    /// The version that the answer carried.
    #[must_use]
    pub const fn version(self) -> Version {
        match self {
            Self::Is(version) | Self::Saw(version) => version,
        }
    }

    /// What sorts places: a read stands behind the write whose version it saw.
    #[must_use]
    pub const fn rank(self) -> (Version, bool) {
        (self.version(), matches!(self, Self::Saw(_)))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(version) => write!(f, "version {version}"),
            Self::Saw(version) => write!(f, "a read at version {version}"),
        }
    }
}
