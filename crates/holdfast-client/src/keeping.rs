//! What is kept alive in the background: the grant of a lease, or a session.
//!
//! A [`Keeper`] renews it until it is lost, or to be ended; whoever has it holds a [`Kept`], by which it
//! learns of the loss *before* the server can have ended it, by this machine's monotonic clock and
//! what `tenure` says of log time, and by which it ends it. Dropped, it is ended as well as that goes.

use std::time::Instant;

use tokio::{
    sync::{oneshot, watch},
    time::{sleep_until, timeout_at},
};

use crate::{
    api::{
        leases::{ReleaseLeaseSpec, RenewLeaseSpec},
        sessions::{CloseSessionSpec, RenewSessionSpec},
    },
    client::Client,
    error::Error,
    standing::{Loss, Standing, Watched},
    tenure::Tenure,
};

/// What is kept.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// The grant of a lease.
    Grant { id: String, token: u64 },
    /// A session, of all that had its id the one that this transaction opened.
    Session { id: String, version: u64 },
}

impl What {
    async fn renew(&self, client: &Client, ends: Instant, sent: Instant) -> Result<(), Error> {
        match self {
            Self::Grant { id, token } => {
                let spec = RenewLeaseSpec::new(id.clone(), *token);
                client.request(&spec).deadline(ends - sent).send().await.map(drop)
            }
            Self::Session { id, version } => {
                let version = Some(*version);
                let spec = RenewSessionSpec { version, ..RenewSessionSpec::new(id.clone()) };
                client.request(&spec).deadline(ends - sent).send().await.map(drop)
            }
        }
    }

    pub(crate) async fn end(&self, client: &Client) -> Result<(), Error> {
        match self {
            Self::Grant { id, token } => {
                client.call(&ReleaseLeaseSpec::new(id.clone(), *token)).await.map(drop)
            }
            Self::Session { id, version } => {
                let version = Some(*version);
                let spec = CloseSessionSpec { version, ..CloseSessionSpec::new(id.clone()) };
                client.call(&spec).await.map(drop)
            }
        }
    }
}

/// Told when it is to be ended, and by whom; or dropped.
type End = oneshot::Receiver<oneshot::Sender<Result<(), Error>>>;

/// Something that is kept alive, for as long as nothing else is said.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) watched: Watched,
    /// Ends the keeper, which ends what it keeps and says how that went.
    end: oneshot::Sender<oneshot::Sender<Result<(), Error>>>,
}

impl Kept {
    /// Begins to keep it; `tenure` says for how long it counts already.
    pub(crate) fn start(client: Client, what: What, tenure: Tenure) -> Self {
        let (end, ended) = oneshot::channel();
        let (told, watched) = Watched::until(tenure.ends());
        // It ends with this, whose drop ends `end`.
        tokio::spawn(Keeper { client, what, tenure }.run(told, ended));
        Self { watched, end }
    }

    /// Ends it.
    pub(crate) async fn end(self) -> Result<(), Error> {
        let (reply, ended) = oneshot::channel();
        if self.end.send(reply).is_ok()
            && let Ok(answer) = ended.await
        {
            return answer;
        }
        // The keeper had ended, or ended just then, because it was lost.
        match self.watched.loss() {
            Some(Loss::Refused(problem)) => Err(Error::Refused(problem)),
            // Nobody renews it any more.
            Some(Loss::TimeOver { .. } | Loss::GivenBack) => Ok(()),
            None => Err(Error::Unsendable("its keeper has ended".to_owned())),
        }
    }
}

/// Renews it.
#[derive(Debug)]
struct Keeper {
    client: Client,
    what: What,
    tenure: Tenure,
}

impl Keeper {
    async fn run(mut self, told: watch::Sender<Standing>, mut end: End) {
        let loss = tokio::select! {
            biased;
            reply = &mut end => {
                // What hangs on it is to know before others have it.
                told.send_replace(Standing::Lost(Loss::GivenBack));
                let ended = self.what.end(&self.client).await;
                if let Ok(reply) = reply {
                    // Who asked may have gone since.
                    drop(reply.send(ended));
                }
                return;
            }
            loss = self.keep(&told) => loss,
        };
        told.send_replace(Standing::Lost(loss));
    }

    /// Renews until that is in vain.
    async fn keep(&mut self, told: &watch::Sender<Standing>) -> Loss {
        let mut last = None;
        loop {
            sleep_until(self.tenure.due().into()).await;
            let (sent, ends) = (Instant::now(), self.tenure.ends());
            if sent >= ends {
                return Loss::TimeOver { last };
            }
            let renewing = self.what.renew(&self.client, ends, sent);
            match timeout_at(ends.into(), renewing).await {
                Ok(Ok(())) => {
                    self.tenure.renewed(sent);
                    told.send_replace(Standing::Held { until: self.tenure.ends() });
                }
                Ok(Err(Error::Refused(problem))) => return Loss::Refused(problem),
                Ok(Err(error)) => {
                    last = Some(error.to_string());
                    self.tenure.missed(Instant::now());
                }
                Err(_) => return Loss::TimeOver { last },
            }
        }
    }
}
