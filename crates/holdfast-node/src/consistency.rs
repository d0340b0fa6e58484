//! What a read is to see, as callers choose it.
//!
//! Writes have no choice: they go into the one order, and their answers rest on what is durable.

use std::time::Duration;

use holdfast_engine::Level;
use holdfast_state::Version;

/// What a call that only reads is to see. Whatever it is: one version, whole, of what is durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Consistency {
    /// Everything that anyone was told before the call. Only the node that leads can say.
    #[default]
    Linearizable,
    /// What the caller was told itself ([`Ask::after`](crate::Ask::after)), on any node.
    Session,
    /// Everything that was acknowledged until `max_age` ago, or whatever there is, on any node.
    Stale {
        /// The bound. A node that cannot prove it says who leads instead.
        max_age: Option<Duration>,
    },
}

impl Consistency {
    /// The same for the engine, when the caller was told of everything up to `after`.
    #[must_use]
    pub fn level(self, after: Option<Version>) -> Level {
        match self {
            Self::Linearizable => Level::Linearizable,
            Self::Session => Level::Session(after.unwrap_or_default()),
            Self::Stale { max_age } => {
                let us = |age: Duration| u64::try_from(age.as_micros()).unwrap_or(u64::MAX);
                Level::Stale { max_age_us: max_age.map(us) }
            }
        }
    }
}
