//! Leases that are held: got in turn, kept alive in the background, and known to be lost in time.
//!
//! [`Client::hold`] waits for the lease as long as it is told to and returns a [`Lease`], whose keeper
//! renews it at a third of its ttl. Whoever works under it watches [`Lease::lost`], which comes
//! *before* anybody else can hold the lease, by this machine's monotonic clock and what `tenure` says
//! of log time; and shows the [token](Lease::token), or a [guard](Lease::guard), wherever it acts: a
//! process can be stopped between its look at the clock and its act, so only what checks the token
//! is safe (`docs/leases.md`).
//!
//! Dropped, a lease is released as well as it goes: its keeper does that, if the runtime lives on.
//! [`Lease::release`] tells whether it was. A future of [`Client::hold`] that is dropped gives its place up.

mod acquiring;
mod keeping;

use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};

use crate::{
    api::leases::GuardLeaseSpec, client::Client, error::Error, json::Json, key::IdempotencyKey,
    problem::Problem,
};

pub use acquiring::relinquish;
use keeping::{Keeper, Standing};

/// A lease to be held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseRequest {
    /// The lease's id.
    pub id: String,
    /// Who is to hold it: a name that no other contender has, also no earlier run of this one. Made
    /// up if none is given.
    pub owner: Option<String>,
    /// How long a grant counts unless it is renewed. It must outlast a change of leader and a
    /// moment in which servers are busy: some seconds.
    pub ttl: Duration,
    /// How long to wait in turn; not at all if nothing is said.
    pub wait_for: Option<Duration>,
    /// The owner's own words, for those who observe the lease: a JSON object.
    pub metadata: Option<Json>,
}

impl LeaseRequest {
    /// A lease for an owner of a made-up name who does not wait.
    #[must_use]
    pub fn new(id: &str, ttl: Duration) -> Self {
        Self { id: id.to_owned(), owner: None, ttl, wait_for: None, metadata: None }
    }
}

/// Why a lease is not held any more.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Loss {
    /// The server says so: the grant was ended, or its time was over.
    Refused(Box<Problem>),
    /// No renewal was answered in time.
    TimeOver {
        /// What the last one met.
        last: Option<String>,
    },
}

impl std::fmt::Display for Loss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(problem) => write!(f, "{problem}"),
            Self::TimeOver { last: None } => f.write_str("it was not renewed in time"),
            Self::TimeOver { last: Some(last) } => {
                write!(f, "it could not be renewed in time: {last}")
            }
        }
    }
}

/// A lease that is held, for as long as nothing else is said.
#[derive(Debug)]
pub struct Lease {
    id: String,
    owner: String,
    token: u64,
    standing: watch::Receiver<Standing>,
    /// Ends the keeper, which releases the lease and says how that went.
    end: oneshot::Sender<oneshot::Sender<Result<(), Error>>>,
}

impl Client {
    /// Holds a lease: at once, or when its turn comes within the time that it may wait.
    ///
    /// # Errors
    /// `lease_held` when another holds it and its turn did not come in time, `lease_deadlock`,
    /// `lease_crowded`, and all of [`Error`].
    pub async fn hold(&self, request: &LeaseRequest) -> Result<Lease, Error> {
        let owner = request.owner.clone().unwrap_or_else(fresh_owner);
        let grant = acquiring::acquire(self, request, &owner).await?;
        let (id, token) = (request.id.clone(), grant.token);
        let (end, ended) = oneshot::channel();
        let (told, standing) = watch::channel(Standing::Held { until: grant.tenure.ends() });
        let keeper = Keeper { client: self.clone(), id: id.clone(), token, tenure: grant.tenure };
        // It ends with the lease, whose drop ends `end`.
        tokio::spawn(keeper.run(told, ended));
        Ok(Lease { id, owner, token, standing, end })
    }
}

/// A name that nobody else has.
#[must_use]
pub fn fresh_owner() -> String {
    format!("client-{}", IdempotencyKey::fresh())
}

impl Lease {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Who holds it.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The fencing token of the grant: it rises from grant to grant.
    #[must_use]
    pub const fn token(&self) -> u64 {
        self.token
    }

    /// The operation that refuses a whole transaction once the grant counts no more. This, and not
    /// a look at a clock, makes what is done under the lease safe.
    #[must_use]
    pub fn guard(&self) -> GuardLeaseSpec {
        GuardLeaseSpec::new(self.id.clone(), self.token)
    }

    /// Does the grant count, for all that is known now? By the clock, also when the keeper has had
    /// no chance to run.
    #[must_use]
    pub fn is_held(&self) -> bool {
        match &*self.standing.borrow() {
            Standing::Held { until } => Instant::now() < *until,
            Standing::Lost(_) => false,
        }
    }

    /// Waits until the lease is lost. Work under it has to end then.
    pub async fn lost(&self) -> Loss {
        let mut standing = self.standing.clone();
        loop {
            let until = match standing.borrow_and_update().clone() {
                Standing::Held { until } => until,
                Standing::Lost(loss) => return loss,
            };
            tokio::select! {
                biased;
                // A keeper that is gone renews nothing, so the clock decides.
                Ok(()) = standing.changed() => {}
                () = tokio::time::sleep_until(until.into()) => {
                    return Loss::TimeOver { last: None };
                }
            }
        }
    }

    /// Gives the lease back; who is next has it at once.
    ///
    /// # Errors
    /// `lease_stale` when it was lost before, and all of [`Error`]; then it ends with its ttl.
    pub async fn release(self) -> Result<(), Error> {
        let (reply, released) = oneshot::channel();
        if self.end.send(reply).is_ok()
            && let Ok(answer) = released.await
        {
            return answer;
        }
        // The keeper had ended, or ended just then, because the lease was lost.
        match &*self.standing.borrow() {
            Standing::Lost(Loss::Refused(problem)) => Err(Error::Refused(problem.clone())),
            // Nobody renews it any more.
            Standing::Lost(Loss::TimeOver { .. }) => Ok(()),
            Standing::Held { .. } => {
                Err(Error::Unsendable("the lease's keeper has ended".to_owned()))
            }
        }
    }
}
