//! Sessions that servers know, kept open in the background: one heartbeat for whatever hangs on one.
//!
//! [`Client::open_session`] opens a session and returns a [`LiveSession`], whose keeper renews it at a
//! third of its ttl. Its [id](LiveSession::id) goes into `AcquireLeaseSpec`, `TransferLeaseSpec` and
//! `PutDocumentSpec`, and [`LiveSession::hold`] holds leases under it; what hangs on it ends with it, so nothing of that needs a keeper of its own. Whoever
//! works with it watches [`LiveSession::lost`], which comes *before* a server can have ended the
//! session; and guards what it does under a lease by that lease's token, as ever.
//!
//! Another thing than [`Session`](crate::Session), of which servers know nothing: calls that see each other.

use std::time::{Duration, Instant};

use crate::{
    api::sessions::{OpenSessionSpec, RenewSessionSpec},
    client::Client,
    error::Error,
    keeping::{Kept, What},
    key::IdempotencyKey,
    lease::{self, Lease, LeaseRequest},
    standing::Loss,
    tenure::Tenure,
};

/// A session that is open, for as long as nothing else is said. Dropped, it is closed as well as
/// that goes; [`close`](LiveSession::close) tells whether it was.
#[derive(Debug)]
pub struct LiveSession {
    id: String,
    version: u64,
    client: Client,
    kept: Kept,
}

impl Client {
    /// Opens a session under this id, or one that is made up, and keeps it open. An id must be this
    /// program's alone: a session that is open under it already, opened in the same words, is
    /// taken over.
    ///
    /// # Errors
    /// `session_exists` when it is open and was opened in other words, and all of [`Error`].
    pub async fn open_session(&self, spec: &OpenSessionSpec) -> Result<LiveSession, Error> {
        let named =
            OpenSessionSpec { id: Some(spec.id.clone().unwrap_or_else(fresh_id)), ..spec.clone() };
        let ttl = Duration::from(named.ttl);
        let sent = Instant::now();
        let opened = self.call(&named).await?.outcome;
        let (id, version) = (opened.id, opened.version);
        // One that was open before may be about to end: it counts once a renewal was answered.
        let tenure = if opened.existed {
            let sent = Instant::now();
            let renewed = RenewSessionSpec {
                version: Some(version),
                ttl: Some(named.ttl),
                ..RenewSessionSpec::new(id.clone())
            };
            self.call(&renewed).await?;
            Tenure::new(ttl, sent)
        } else {
            Tenure::new(ttl, sent)
        };
        let what = What::Session { id: id.clone(), version };
        let kept = Kept::start(self.clone(), what, tenure);
        Ok(LiveSession { id, version, client: self.clone(), kept })
    }
}

/// An id that nobody else has.
fn fresh_id() -> String {
    format!("session-{}", IdempotencyKey::fresh())
}

impl LiveSession {
    /// Its id, for whatever is to hang on it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The transaction that opened it.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Is it open, for all that is known now? By the clock, also when the keeper has had no chance to
    /// run.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.kept.watched.is_held()
    }

    /// Waits until the session is lost. Whatever hung on it is others' then.
    pub async fn lost(&self) -> Loss {
        self.kept.watched.lost().await
    }

    /// Holds a lease under the session, as [`Client::hold`] does: it counts while the session is open, and
    /// ends with it. One without a `ttl` ([`LeaseRequest::lasting`]) needs no heartbeat beside the
    /// session's, however many there are.
    ///
    /// # Errors
    /// As [`Client::hold`]; `session_not_found` when the session is over.
    pub async fn hold(&self, request: &LeaseRequest) -> Result<Lease, Error> {
        let session = Some((self.id(), self.kept.watched.clone()));
        lease::hold(&self.client, request, session).await
    }

    /// Closes the session, and ends what hangs on it.
    ///
    /// # Errors
    /// `session_not_found` when it was lost before, and all of [`Error`]; then it ends with its ttl.
    pub async fn close(self) -> Result<(), Error> {
        self.kept.end().await
    }
}
