//! Getting a lease: asking, waiting for its turn, and giving up a place.
//!
//! Who waits has a place in the server's queue and follows the lease in the change feed until it is
//! granted: no polling, and no loss if a connection breaks, since asking again says how it stands.
//! A grant that was made while nobody looked is renewed before it counts here, so that its time is
//! known by this machine's clock.

use std::time::{Duration, Instant};

use tokio::{runtime::Handle, time::timeout};

use super::LeaseRequest;
use crate::{
    api::leases::{
        AcquireLeaseOutcome, AcquireLeaseSpec, Acquired, GetLeaseSpec, ReleaseLeaseSpec,
        RenewLeaseSpec, WithdrawSpec,
    },
    changes::{ChangesSpec, Op, RowChange, WAIT_MAX},
    client::Client,
    error::Error,
    key::random,
    lifetime::Lifetime,
    retry::part_of,
    tenure::Tenure,
};

/// The table of grants, and which field of its rows is the owner.
const TABLE: &str = "leases.leases";
const OWNER: usize = 1;

/// Up to so long rests who waits, after a call in vain.
const REST: Duration = Duration::from_secs(1);

/// A grant, and how long it counts.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) token: u64,
    /// How long it counts by itself; `None` where it has no time of its own.
    pub(super) tenure: Option<Tenure>,
}

/// Waits for the lease as long as the request says.
pub(super) async fn acquire(
    client: &Client,
    request: &LeaseRequest,
    owner: &str,
    session: Option<&str>,
) -> Result<Grant, Error> {
    let place = Place { client, id: &request.id, owner, left: false };
    let got = Acquiring { client, request, owner, session, begun: Instant::now() }.run().await;
    // After a refusal there is neither place nor grant; after no answer there may be.
    if matches!(got, Ok(_) | Err(Error::Refused(_))) {
        place.keep();
    }
    got
}

struct Acquiring<'a> {
    client: &'a Client,
    request: &'a LeaseRequest,
    owner: &'a str,
    session: Option<&'a str>,
    begun: Instant,
}

impl Acquiring<'_> {
    async fn run(&self) -> Result<Grant, Error> {
        loop {
            let sent = Instant::now();
            let wait_for = self.patience();
            let answer = match self.client.call(&self.spec(wait_for)).await {
                Err(error) if error.is_transient() && wait_for.is_some() => {
                    tokio::time::sleep(part_of(REST, random())).await;
                    continue;
                }
                answer => answer?,
            };
            let AcquireLeaseOutcome { outcome, existed, token, .. } = answer.outcome;
            match (outcome, token) {
                (Acquired::Granted, Some(token)) => {
                    let Some(ttl) = self.request.ttl else {
                        return Ok(Grant { token, tenure: None });
                    };
                    if !existed {
                        return Ok(Grant { token, tenure: Some(Tenure::new(ttl, sent)) });
                    }
                    if let Some(grant) = self.confirm(token, ttl).await? {
                        return Ok(grant);
                    }
                }
                _ if self.patience().is_some() => {
                    self.turn(answer.at.map_or(0, |at| at.version)).await;
                }
                _ => self.withdraw().await?,
            }
        }
    }

    /// Leaves the queue, whose patience ends a little later than the caller's. It may be granted
    /// the lease in the same moment; asking once more tells.
    async fn withdraw(&self) -> Result<(), Error> {
        match self.client.call(&WithdrawSpec::new(self.request.id.clone(), self.owner)).await {
            Err(error) if error.code() != Some("not_waiting") => Err(error),
            _ => Ok(()),
        }
    }

    fn spec(&self, wait_for: Option<Duration>) -> AcquireLeaseSpec {
        let LeaseRequest { id, ttl, metadata, .. } = self.request;
        AcquireLeaseSpec {
            ttl: ttl.map(Lifetime),
            session: self.session.map(str::to_owned),
            wait_for: wait_for.map(Lifetime),
            metadata: metadata.clone(),
            ..AcquireLeaseSpec::new(id.clone(), self.owner)
        }
    }

    /// How much longer it may wait.
    fn patience(&self) -> Option<Duration> {
        let left = self.request.wait_for?.checked_sub(self.begun.elapsed());
        left.filter(|left| *left >= Duration::from_micros(1))
    }

    /// Gives a grant that was made some time ago its whole time again; `None` if it is over.
    async fn confirm(&self, token: u64, ttl: Duration) -> Result<Option<Grant>, Error> {
        let sent = Instant::now();
        let spec = RenewLeaseSpec {
            ttl: Some(Lifetime(ttl)),
            ..RenewLeaseSpec::new(self.request.id.clone(), token)
        };
        match self.client.call(&spec).await {
            Ok(_) => Ok(Some(Grant { token, tenure: Some(Tenure::new(ttl, sent)) })),
            Err(error) if error.code() == Some("lease_stale") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Waits until the lease has changed hands since this version, or patience is over. Whatever
    /// goes wrong, the lease is asked for again: that decides.
    async fn turn(&self, after: u64) {
        let patience = self.patience().unwrap_or_default();
        let spec = ChangesSpec {
            after,
            table: Some(TABLE.to_owned()),
            key: vec![self.request.id.clone()],
            wait: WAIT_MAX.min(patience + REST),
            limit: None,
        };
        let mut following = self.client.follow(spec);
        let changed = async {
            while let Ok(transactions) = following.next().await {
                let mut changes = transactions.iter().flat_map(|found| &found.changes);
                if changes.any(|change| self.concerns(change)) {
                    return;
                }
            }
            tokio::time::sleep(part_of(REST, random())).await;
        };
        // Out of patience, it is asked for a last time.
        drop(timeout(patience, changed).await);
    }

    /// Is the lease free, or this owner's? A renewal by its holder is neither.
    fn concerns(&self, change: &RowChange) -> bool {
        let row = change.row.as_ref().and_then(|row| row.read::<Vec<serde_json::Value>>().ok());
        let owner = row.as_ref().and_then(|row| row.get(OWNER)?.as_str());
        change.op != Op::Put || owner == Some(self.owner)
    }
}

/// Gives up what an owner has of a lease: its place in the queue, or the lease.
///
/// # Errors
/// [`Error`]; that there is nothing to give up is none.
pub async fn relinquish(client: &Client, id: &str, owner: &str) -> Result<(), Error> {
    match client.call(&WithdrawSpec::new(id, owner)).await {
        Err(error) if error.code() == Some("not_waiting") => {}
        withdrawn => return withdrawn.map(|_| ()),
    }
    let lease = client.call(&GetLeaseSpec::new(id)).await?.outcome;
    let Some(grant) = lease.grant.filter(|grant| grant.owner == owner) else { return Ok(()) };
    match client.call(&ReleaseLeaseSpec::new(id, grant.token)).await {
        Err(error) if error.code() == Some("lease_stale") => Ok(()),
        released => released.map(|_| ()),
    }
}

/// A place in the queue, perhaps. It is given up when this is dropped.
struct Place<'a> {
    client: &'a Client,
    id: &'a str,
    owner: &'a str,
    left: bool,
}

impl Place<'_> {
    fn keep(mut self) {
        self.left = true;
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let Ok(runtime) = Handle::try_current().map_err(drop) else { return };
        if self.left {
            return;
        }
        let (client, id, owner) = (self.client.clone(), self.id.to_owned(), self.owner.to_owned());
        // If this fails, the place is given up with its patience, and a grant with its ttl.
        runtime.spawn(async move { drop(relinquish(&client, &id, &owner).await) });
    }
}
