//! The keeper of a lease: renews it until it is lost, or to be released.

use std::time::Instant;

use tokio::{
    sync::{oneshot, watch},
    time::{sleep_until, timeout_at},
};

use super::Loss;
use crate::{
    api::leases::{ReleaseLeaseSpec, RenewLeaseSpec},
    client::Client,
    error::Error,
    tenure::Tenure,
};

/// What the holder is told.
#[derive(Clone, Debug)]
pub(super) enum Standing {
    /// The grant counts until then at least.
    Held {
        /// By the monotonic clock.
        until: Instant,
    },
    /// It counts no more, or may not.
    Lost(Loss),
}

/// Told when the lease is to be released, and by whom; or dropped with it.
pub(super) type End = oneshot::Receiver<oneshot::Sender<Result<(), Error>>>;

/// Renews one grant.
#[derive(Debug)]
pub(super) struct Keeper {
    pub(super) client: Client,
    pub(super) id: String,
    pub(super) token: u64,
    pub(super) tenure: Tenure,
}

impl Keeper {
    pub(super) async fn run(mut self, told: watch::Sender<Standing>, mut end: End) {
        let loss = tokio::select! {
            biased;
            reply = &mut end => {
                let released = self.release().await;
                if let Ok(reply) = reply {
                    // Who asked may have gone since.
                    drop(reply.send(released));
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
            let spec = RenewLeaseSpec::new(self.id.clone(), self.token);
            let renewing = self.client.request(&spec).deadline(ends - sent).send();
            match timeout_at(ends.into(), renewing).await {
                Ok(Ok(_)) => {
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

    async fn release(&self) -> Result<(), Error> {
        let spec = ReleaseLeaseSpec::new(self.id.clone(), self.token);
        self.client.call(&spec).await.map(|_| ())
    }
}
