//! From the `expires_at` and `expires_in` of a request to the time that is meant.

use holdfast_state::{Lifetime, LogTime};

/// When a request says that a hold ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expiry {
    /// It does not say.
    Unsaid,
    /// At a time.
    At(LogTime),
    /// So long after it was made.
    In(Lifetime),
}

/// Both were given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GivenTwice;

impl Expiry {
    pub(crate) const fn of(
        expires_at: Option<LogTime>,
        expires_in: Option<Lifetime>,
    ) -> Result<Self, GivenTwice> {
        match (expires_at, expires_in) {
            (None, None) => Ok(Self::Unsaid),
            (Some(at), None) => Ok(Self::At(at)),
            (None, Some(lifetime)) => Ok(Self::In(lifetime)),
            (Some(_), Some(_)) => Err(GivenTwice),
        }
    }

    /// The time meant by a request of `now`.
    pub(crate) const fn counted_from(self, now: LogTime) -> Option<LogTime> {
        match self {
            Self::Unsaid => None,
            Self::At(at) => Some(at),
            Self::In(lifetime) => Some(now.plus_us(lifetime.as_us())),
        }
    }

    /// The field that says it.
    pub(crate) const fn field(self) -> &'static str {
        match self {
            Self::Unsaid | Self::At(_) => "expires_at",
            Self::In(_) => "expires_in",
        }
    }
}
