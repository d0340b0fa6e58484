//! A membership, kept alive: the consumer joins again at a third of its ttl, and when it is told that
//! the group has changed.

use std::{sync::Arc, time::Instant};

use tokio::{
    sync::{Notify, oneshot, watch},
    time::{sleep_until, timeout_at},
};

use super::Refusal;
use crate::{
    answer::At,
    api::groups::{GroupPlace, JoinGroupSpec, LeaveGroupSpec},
    client::Client,
    error::Error,
    tenure::Tenure,
};

/// What a member may read, and how long that is sure.
#[derive(Clone, Debug)]
pub(super) struct Membership {
    pub(super) generation: u64,
    /// Its partitions, each with the group's committed offset when it joined last.
    pub(super) partitions: Vec<GroupPlace>,
    /// Where in the order that was so.
    pub(super) at: Option<At>,
    /// By the monotonic clock.
    pub(super) until: Instant,
}

/// What the consumer is told.
#[derive(Clone, Debug)]
pub(super) enum Standing {
    Member(Membership),
    /// It cannot be a member.
    Refused(Refusal),
}

/// Joins again and again.
#[derive(Debug)]
pub(super) struct Member {
    client: Client,
    spec: JoinGroupSpec,
    membership: Membership,
    tenure: Tenure,
}

impl Member {
    pub(super) async fn join(client: Client, spec: JoinGroupSpec) -> Result<Self, Error> {
        let sent = Instant::now();
        let joined = client.call(&spec).await?;
        let ttl = spec.ttl.unwrap_or_default().0;
        let tenure = Tenure::new(ttl, sent);
        let membership = Membership {
            generation: joined.outcome.generation,
            partitions: joined.outcome.partitions,
            at: joined.at,
            until: tenure.ends(),
        };
        Ok(Self { client, spec, membership, tenure })
    }

    pub(super) fn membership(&self) -> Membership {
        self.membership.clone()
    }

    pub(super) async fn run(
        mut self,
        told: watch::Sender<Standing>,
        nudge: Arc<Notify>,
        mut end: oneshot::Receiver<oneshot::Sender<Result<(), Error>>>,
    ) {
        let refused = tokio::select! {
            biased;
            reply = &mut end => {
                let left = self.leave().await;
                if let Ok(reply) = reply {
                    // Who asked may have gone since.
                    drop(reply.send(left));
                }
                return;
            }
            refused = self.keep(&told, &nudge) => refused,
        };
        told.send_replace(Standing::Refused(refused));
    }

    /// Joins again until that is refused.
    async fn keep(&mut self, told: &watch::Sender<Standing>, nudge: &Notify) -> Refusal {
        loop {
            tokio::select! {
                () = sleep_until(self.tenure.due().into()) => {}
                () = nudge.notified() => {}
            }
            let joining = Self::join(self.client.clone(), self.spec.clone());
            // One that takes longer than a membership lasts brings none that lasts.
            let patience = Instant::now() + self.spec.ttl.unwrap_or_default().0;
            match timeout_at(patience.into(), joining).await {
                Ok(Ok(joined)) => {
                    *self = joined;
                    told.send_replace(Standing::Member(self.membership()));
                }
                Ok(Err(Error::Refused(problem))) => return problem,
                Ok(Err(_)) | Err(_) => self.tenure.missed(Instant::now()),
            }
        }
    }

    async fn leave(&self) -> Result<(), Error> {
        let JoinGroupSpec { topic, group, member, .. } = self.spec.clone();
        self.client.call(&LeaveGroupSpec::new(topic, group, member)).await.map(|_| ())
    }
}
