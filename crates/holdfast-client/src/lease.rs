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

use std::time::Duration;

use crate::{
    api::leases::GuardLeaseSpec,
    client::Client,
    error::Error,
    json::Json,
    keeping::{Kept, What},
    key::IdempotencyKey,
    standing::{Loss, Watched},
};

use acquiring::Grant;

pub use acquiring::relinquish;

/// A lease to be held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseRequest {
    /// The lease's id.
    pub id: String,
    /// Who is to hold it: a name that no other contender has, also no earlier run of this one. Made
    /// up if none is given.
    pub owner: Option<String>,
    /// How long a grant counts unless it is renewed. It must outlast a change of leader and a
    /// moment in which servers are busy: some seconds. `None` only for a lease that is held under
    /// a session ([`LiveSession::hold`](crate::LiveSession::hold)), as long as that is open.
    pub ttl: Option<Duration>,
    /// How long to wait in turn; not at all if nothing is said.
    pub wait_for: Option<Duration>,
    /// The owner's own words, for those who observe the lease: a JSON object.
    pub metadata: Option<Json>,
}

impl LeaseRequest {
    /// A lease for an owner of a made-up name who does not wait.
    #[must_use]
    pub fn new(id: &str, ttl: Duration) -> Self {
        Self { ttl: Some(ttl), ..Self::lasting(id) }
    }

    /// The same for a lease that has no time of its own, to be held under a session.
    #[must_use]
    pub fn lasting(id: &str) -> Self {
        Self { id: id.to_owned(), owner: None, ttl: None, wait_for: None, metadata: None }
    }
}

/// A lease that is held, for as long as nothing else is said.
#[derive(Debug)]
pub struct Lease {
    id: String,
    owner: String,
    token: u64,
    client: Client,
    /// What renews it, if it has a time of its own.
    kept: Option<Kept>,
    /// The session that it hangs on, if it does.
    session: Option<Watched>,
    released: bool,
}

impl Client {
    /// Holds a lease: at once, or when its turn comes within the time that it may wait.
    ///
    /// # Errors
    /// `lease_held` when another holds it and its turn did not come in time, `lease_deadlock`,
    /// `lease_crowded`, and all of [`Error`].
    pub async fn hold(&self, request: &LeaseRequest) -> Result<Lease, Error> {
        hold(self, request, None).await
    }
}

/// Holds a lease, under a session if one is given.
pub(crate) async fn hold(
    client: &Client,
    request: &LeaseRequest,
    session: Option<(&str, Watched)>,
) -> Result<Lease, Error> {
    let (session, watched) = session.unzip();
    if request.ttl.is_none() && session.is_none() {
        let why = "a lease has a ttl of its own or hangs on a session".to_owned();
        return Err(Error::Unsendable(why));
    }
    let owner = request.owner.clone().unwrap_or_else(fresh_owner);
    let Grant { token, tenure } = acquiring::acquire(client, request, &owner, session).await?;
    let (id, client) = (request.id.clone(), client.clone());
    let what = What::Grant { id: id.clone(), token };
    let kept = tenure.map(|tenure| Kept::start(client.clone(), what, tenure));
    Ok(Lease { id, owner, token, client, kept, session: watched, released: false })
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
        self.watched().all(Watched::is_held)
    }

    /// Waits until the lease is lost. Work under it has to end then.
    pub async fn lost(&self) -> Loss {
        let kept = lost(self.kept.as_ref().map(|kept| &kept.watched));
        tokio::select! {
            loss = kept => loss,
            loss = lost(self.session.as_ref()) => loss,
        }
    }

    /// Gives the lease back; who is next has it at once.
    ///
    /// # Errors
    /// `lease_stale` when it was lost before, and all of [`Error`]; then it ends with its ttl.
    pub async fn release(mut self) -> Result<(), Error> {
        self.released = true;
        match self.kept.take() {
            Some(kept) => kept.end().await,
            None => self.what().end(&self.client).await,
        }
    }

    fn what(&self) -> What {
        What::Grant { id: self.id.clone(), token: self.token }
    }

    fn watched(&self) -> impl Iterator<Item = &Watched> {
        self.kept.iter().map(|kept| &kept.watched).chain(&self.session)
    }
}

/// Waits for a loss; for ever where there is nothing to lose.
async fn lost(watched: Option<&Watched>) -> Loss {
    match watched {
        Some(watched) => watched.lost().await,
        None => std::future::pending().await,
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // One that has a keeper is released by that.
        if self.released || self.kept.is_some() || !self.is_held() {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (client, what) = (self.client.clone(), self.what());
        // If this fails, it ends with its session.
        runtime.spawn(async move { drop(what.end(&client).await) });
    }
}
