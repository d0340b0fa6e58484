//! What the holder of something is told that is kept for it: until when it counts, and that it is
//! lost.
//!
//! Whoever keeps it ([`keeping`](crate::keeping), a worker) tells; whoever holds it looks, by its own
//! clock, so that it learns of the loss also when the keeper has had no chance to run.

use std::time::Instant;

use tokio::{sync::watch, time::sleep_until};

use crate::problem::Problem;

/// Why something is not held any more: a lease, a session, a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Loss {
    /// The server says so: it was ended, or its time was over.
    Refused(Box<Problem>),
    /// No renewal was answered in time.
    TimeOver {
        /// What the last one met.
        last: Option<String>,
    },
    /// The program gave it back.
    GivenBack,
}

impl std::fmt::Display for Loss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(problem) => write!(f, "{problem}"),
            Self::TimeOver { last: None } => f.write_str("it was not renewed in time"),
            Self::TimeOver { last: Some(last) } => {
                write!(f, "it could not be renewed in time: {last}")
            }
            Self::GivenBack => f.write_str("it was given back"),
        }
    }
}

/// What the holder is told.
#[derive(Clone, Debug)]
pub(crate) enum Standing {
    /// It counts until then at least.
    Held {
        /// By the monotonic clock.
        until: Instant,
    },
    /// It counts no more, or may not.
    Lost(Loss),
}

/// The holder's end.
#[derive(Clone, Debug)]
pub(crate) struct Watched(watch::Receiver<Standing>);

impl Watched {
    /// Something that counts until then at least; and what tells more.
    pub(crate) fn until(until: Instant) -> (watch::Sender<Standing>, Self) {
        let (told, standing) = watch::channel(Standing::Held { until });
        (told, Self(standing))
    }

    /// Does it count, for all that is known now?
    pub(crate) fn is_held(&self) -> bool {
        match &*self.0.borrow() {
            Standing::Held { until } => Instant::now() < *until,
            Standing::Lost(_) => false,
        }
    }

    /// Why it is lost, where its keeper said so.
    pub(crate) fn loss(&self) -> Option<Loss> {
        match &*self.0.borrow() {
            Standing::Held { .. } => None,
            Standing::Lost(loss) => Some(loss.clone()),
        }
    }

    /// Waits until it is lost.
    pub(crate) async fn lost(&self) -> Loss {
        let mut standing = self.0.clone();
        loop {
            let until = match standing.borrow_and_update().clone() {
                Standing::Held { until } => until,
                Standing::Lost(loss) => return loss,
            };
            tokio::select! {
                biased;
                // A keeper that is gone renews nothing, so the clock decides.
                Ok(()) = standing.changed() => {}
                () = sleep_until(until.into()) => {
                    return Loss::TimeOver { last: None };
                }
            }
        }
    }
}
