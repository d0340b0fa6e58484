//! Limits that are decided in this process: slices of permits, taken ahead of need in the background.
//!
//! [`Client::limiter`] takes a first slice of a limit and returns a [`Limiter`]. [`Limiter::decide`] gives
//! its permits away without asking anybody, a lock and a look at the clock each; the next slice is on its
//! way while there is still half of this one. It holds two slices in turn, so that one can be told and
//! exchanged while the other is given away.
//!
//! How far that is from asking each time (`docs/limits.md`): a limit is *never* exceeded while servers
//! can be asked, whatever becomes of this process. It may deny too early, by at most four times
//! [`permits`](LimiterRequest::permits) for each limiter. When servers cannot be asked, what is held is
//! given away to its end; then the limit's rules decide, by their `on_failure`: all are allowed
//! ([`Decision::FailedOpen`]), uncounted, or none ([`Decision::FailedClosed`]).
//!
//! Slices come out of sliding logs alone. One limiter is for requests of one kind (one set of
//! descriptors); a gateway has one for each that is busy, and asks for the others one by one.

mod refilling;
mod slice;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::{Notify, oneshot, watch};

use crate::{api::limits::OnFailure, client::Client, error::Error, key::IdempotencyKey};
use refilling::Refiller;
use slice::Slice;

/// A limit that is to be decided here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimiterRequest {
    /// The limit's id.
    pub limit: String,
    /// What the requests are.
    pub descriptors: BTreeMap<String, String>,
    /// How many permits a slice has: about what is needed in a second, and small beside what the
    /// limit allows in its window.
    pub permits: u64,
    /// How long a slice may be given away; at most a minute. Several trips to a server fit into it.
    pub ttl: Duration,
    /// How long servers may take to answer before they count as not to be reached.
    pub patience: Duration,
}

impl LimiterRequest {
    /// Slices of so many permits for ten seconds, and a second's patience.
    #[must_use]
    pub fn new(limit: &str, permits: u64) -> Self {
        let (ttl, patience) = (Duration::from_secs(10), Duration::from_secs(1));
        Self { limit: limit.to_owned(), descriptors: BTreeMap::new(), permits, ttl, patience }
    }
}

/// What is to be done with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is allowed, and counted.
    Allowed,
    /// It is denied.
    Denied {
        /// When there may be room, as far as that is known.
        retry_after: Option<Duration>,
    },
    /// A slice is on its way, and nothing can be said before it is here: ask again then
    /// ([`Limiter::admit`] waits for it), or deny.
    Asking,
    /// No server can be reached, and the limit's rules allow what cannot be counted.
    FailedOpen,
    /// No server can be reached, and a rule that applies denies what cannot be counted.
    FailedClosed,
}

impl Decision {
    /// May it go on?
    #[must_use]
    pub const fn is_allowed(self) -> bool {
        matches!(self, Self::Allowed | Self::FailedOpen)
    }
}

/// Decides a limit in this process. Dropped, it gives back what it holds as well as that goes.
#[derive(Debug)]
pub struct Limiter {
    shared: Arc<Shared>,
    /// Ends the refiller, which gives back what is held and says how that went.
    end: oneshot::Sender<oneshot::Sender<Result<(), Error>>>,
}

/// What callers and the refiller share.
#[derive(Debug)]
struct Shared {
    /// How many permits a slice is to have.
    permits: u64,
    ttl: Duration,
    /// Locked for moments, by whoever decides and between two calls of the refiller.
    state: Mutex<State>,
    /// A slice is needed.
    needed: Notify,
    /// How many exchanges there were, also in vain.
    heard: watch::Sender<u64>,
}

#[derive(Debug)]
struct State {
    slices: [Slice; 2],
    /// Which of them is given away first.
    current: usize,
    /// Somebody asked since the last exchange was begun.
    asked: bool,
    /// Until then the limit has nothing to give.
    dry_until: Option<Instant>,
    /// The last exchange failed.
    unreachable: bool,
    on_failure: OnFailure,
}

impl Client {
    /// Decides a limit in this process.
    ///
    /// # Errors
    /// `limit_not_found`, `slice_unsupported` when a rule that applies does not count by a sliding log,
    /// `slices_many`, and all of [`Error`].
    pub async fn limiter(&self, request: &LimiterRequest) -> Result<Limiter, Error> {
        let LimiterRequest { permits, ttl, .. } = *request;
        let state = State {
            slices: [Slice::default(); 2],
            current: 0,
            asked: false,
            dry_until: None,
            unreachable: false,
            on_failure: OnFailure::Closed,
        };
        let state = Mutex::new(state);
        let (needed, heard) = (Notify::new(), watch::Sender::new(0));
        let shared = Arc::new(Shared { permits, ttl, state, needed, heard });
        let name = format!("edge-{}", IdempotencyKey::fresh());
        let refiller = Refiller::new(self.clone(), request.clone(), name, Arc::clone(&shared));
        refiller.exchange(0, Some(permits)).await?;
        let (end, ended) = oneshot::channel();
        // It ends with the limiter, whose drop ends `end`.
        tokio::spawn(refiller.run(ended));
        Ok(Limiter { shared, end })
    }
}

impl Limiter {
    /// What is to be done with a request that costs so much: at once, without asking anybody. A
    /// cost above what a slice has is denied.
    #[must_use]
    pub fn decide(&self, cost: u64) -> Decision {
        self.shared.decide(cost, Instant::now())
    }

    /// The same; waits where an answer is on its way, which is for the request's patience at most,
    /// time and again while others are faster.
    pub async fn admit(&self, cost: u64) -> Decision {
        loop {
            // Before the look, so that an answer in between is not missed.
            let heard = self.shared.heard();
            match self.decide(cost) {
                Decision::Asking => heard.await,
                decision => return decision,
            }
        }
    }

    /// Gives back what is held.
    ///
    /// # Errors
    /// All of [`Error`]; then it counts until its time is over.
    pub async fn close(self) -> Result<(), Error> {
        let (reply, closed) = oneshot::channel();
        let gone = || Error::Unsendable("the limiter's refiller has ended".to_owned());
        self.end.send(reply).map_err(|_| gone())?;
        closed.await.map_err(|_| gone())?
    }
}
