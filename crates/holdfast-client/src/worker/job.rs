//! A message in hand.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::OwnedSemaphorePermit;

use super::{
    Verdict,
    in_hand::{InHand, STALE},
};
use crate::{
    api::queues::{AckMessagesSpec, NackMessagesSpec, ReceivedMessage, RejectMessagesSpec},
    command::Command,
    error::Error,
    json::Json,
    standing::{Loss, Watched},
};

/// A message, and the right to settle it. Dropped unsettled it is given back.
#[derive(Debug)]
pub struct Job {
    message: ReceivedMessage,
    in_hand: Arc<InHand>,
    watched: Watched,
    _permit: OwnedSemaphorePermit,
    settled: AtomicBool,
}

impl Job {
    pub(super) fn new(
        message: ReceivedMessage,
        in_hand: Arc<InHand>,
        watched: Watched,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        Self { message, in_hand, watched, _permit: permit, settled: AtomicBool::new(false) }
    }

    /// The message, and how often it was given out.
    #[must_use]
    pub const fn message(&self) -> &ReceivedMessage {
        &self.message
    }

    /// Is it this worker's to settle, for all that is known now?
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.watched.is_held()
    }

    /// Waits until it is lost: somebody else may be given the message. Work on it has to end then.
    pub async fn lost(&self) -> Loss {
        self.watched.lost().await
    }

    /// The message is done. False if it was somebody else's by then, or settled already.
    ///
    /// # Errors
    /// [`Error`]; asking again is allowed, and dropping the job too.
    pub async fn ack(&self) -> Result<bool, Error> {
        self.settle(&self.ack_spec()).await
    }

    /// The message is to be given out again, not before this time is over. False as for
    /// [`ack`](Self::ack).
    ///
    /// # Errors
    /// As [`ack`](Self::ack).
    pub async fn nack(&self, after: Duration) -> Result<bool, Error> {
        let delay = (!after.is_zero()).then(|| after.into());
        let (topic, queue, receipts) = self.names();
        self.settle(&NackMessagesSpec { delay, ..NackMessagesSpec::new(topic, queue, receipts) })
            .await
    }

    /// The message becomes a dead letter, with a note: a JSON object. False as for
    /// [`ack`](Self::ack).
    ///
    /// # Errors
    /// As [`ack`](Self::ack).
    pub async fn reject(&self, note: Option<Json>) -> Result<bool, Error> {
        let (topic, queue, receipts) = self.names();
        self.settle(&RejectMessagesSpec { note, ..RejectMessagesSpec::new(topic, queue, receipts) })
            .await
    }

    /// The acknowledgement as an operation, for the transaction in which the work is done: both
    /// happen, or neither. Say that it [was](Self::was_settled) then.
    #[must_use]
    pub fn ack_spec(&self) -> AckMessagesSpec {
        let (topic, queue, receipts) = self.names();
        AckMessagesSpec::new(topic, queue, receipts)
    }

    /// It was settled, in a transaction of the program's.
    pub fn was_settled(&self) {
        self.settled.store(true, Ordering::Relaxed);
        self.in_hand.settled(&self.message.receipt);
    }

    fn names(&self) -> (String, String, Vec<String>) {
        let queue = &self.in_hand.queue;
        (queue.topic.clone(), queue.queue.clone(), vec![self.message.receipt.clone()])
    }

    async fn settle(&self, spec: &impl Command) -> Result<bool, Error> {
        if self.settled.load(Ordering::Relaxed) {
            return Ok(false);
        }
        match self.in_hand.queue.client.call(spec).await {
            Ok(_) => {
                self.was_settled();
                Ok(true)
            }
            Err(error) if error.code() == Some(STALE) => {
                self.was_settled();
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if !self.settled.load(Ordering::Relaxed) {
            self.in_hand.dropped(self.message.receipt.clone());
        }
    }
}

/// Waits for a verdict as long as the message is there to be judged, and does as it says.
pub(super) async fn deal(job: Arc<Job>, verdict: impl Future<Output = Verdict>) {
    let verdict = tokio::select! {
        biased;
        _ = job.lost() => return,
        verdict = verdict => verdict,
    };
    let settled = match verdict {
        Verdict::Done => job.ack().await,
        Verdict::Again { after } => job.nack(after).await,
        Verdict::Rejected { note } => job.reject(note).await,
    };
    // Unless it was settled it comes again, which is what was promised.
    drop(settled);
}
