//! Receiving, in the background: as many messages as there is room for, by long polls.
//!
//! What is received was taken from everybody else, so it must not be forgotten on the way: a future
//! of `next` that is dropped loses nothing, since this goes on; and what came in the moment at which the worker was
//! stopped is asked for once more, under its key, to be given back.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::timeout,
};

use super::{in_hand::InHand, job::Job, receive};
use crate::{
    api::queues::{ReceiveMessagesOutcome, ReceiveMessagesSpec, ReceivedMessage},
    error::Error,
    key::IdempotencyKey,
    reader::REST,
    stopper::Stopper,
};

/// How long at a time is waited for messages at most.
const WAIT_MAX: Duration = Duration::from_secs(20);

/// How long is looked, at the end, for what was received and not heard of.
const LAST_LOOK: Duration = Duration::from_secs(1);

pub(super) struct Receiving {
    pub(super) in_hand: Arc<InHand>,
    pub(super) permits: Arc<Semaphore>,
    pub(super) stopper: Stopper,
    pub(super) found: mpsc::Sender<Result<Job, Error>>,
}

impl Receiving {
    pub(super) async fn run(self) {
        let stopper = self.stopper.clone();
        while let Some(permits) = self.room().await {
            let (key, limit) = (IdempotencyKey::fresh(), permits.num_permits());
            let spec = receive(&self.in_hand.queue, limit, self.wait());
            let sent = Instant::now();
            let received = tokio::select! {
                biased;
                received = self.ask(&spec, &key) => received,
                () = stopper.stopped() => return self.look_once_more(&spec, &key).await,
            };
            match received {
                Ok(outcome) => self.hand_out(permits, outcome.messages, sent).await,
                Err(error) if error.is_transient() => tokio::time::sleep(REST).await,
                Err(error) => {
                    // Nobody may be there to hear it.
                    drop(self.found.send(Err(error)).await);
                    return;
                }
            }
        }
    }

    /// A permit for each message that there is room for, once there is any; `None` when it is
    /// over.
    async fn room(&self) -> Option<OwnedSemaphorePermit> {
        let first = tokio::select! {
            biased;
            () = self.stopper.stopped() => return None,
            first = Arc::clone(&self.permits).acquire_owned() => first.ok()?,
        };
        let mut all = first;
        while let Ok(more) = Arc::clone(&self.permits).try_acquire_owned() {
            all.merge(more);
        }
        Some(all)
    }

    /// A third of the time that messages have: when the answer comes, most of it is left.
    fn wait(&self) -> Duration {
        (self.in_hand.queue.visibility / 3).clamp(Duration::from_secs(1), WAIT_MAX)
    }

    async fn ask(
        &self,
        spec: &ReceiveMessagesSpec,
        key: &IdempotencyKey,
    ) -> Result<ReceiveMessagesOutcome, Error> {
        let client = &self.in_hand.queue.client;
        Ok(client.request(spec).key(key.clone()).send().await?.outcome)
    }

    async fn hand_out(
        &self,
        mut permits: OwnedSemaphorePermit,
        messages: Vec<ReceivedMessage>,
        sent: Instant,
    ) {
        let (messages, sent) = self.with_time_left(messages, sent).await;
        for message in messages {
            let permit = permits.split(1).expect("no more came than was asked for");
            let watched = self.in_hand.take(&message.receipt, sent);
            let job = Job::new(message, Arc::clone(&self.in_hand), watched, permit);
            // A worker that is gone takes none: the job is dropped, and so given back.
            drop(self.found.send(Ok(job)).await);
        }
    }

    /// Where the answer took long, nobody knows how much of the messages' time is left: they are
    /// prolonged before they are handed out.
    async fn with_time_left(
        &self,
        messages: Vec<ReceivedMessage>,
        sent: Instant,
    ) -> (Vec<ReceivedMessage>, Instant) {
        let visibility = self.in_hand.queue.visibility;
        if messages.is_empty() || sent.elapsed() < visibility / 2 {
            return (messages, sent);
        }
        let again = Instant::now();
        let mut receipts: Vec<_> = messages.iter().map(|message| message.receipt.clone()).collect();
        match self.in_hand.queue.prolong(&mut receipts, visibility).await {
            Ok(_) => {
                let good = messages.into_iter().filter(|it| receipts.contains(&it.receipt));
                (good.collect(), again)
            }
            // They come again when their time is over.
            Err(_) => (Vec::new(), again),
        }
    }

    /// The worker was stopped while a request was on its way, which may have received something: its
    /// key tells.
    async fn look_once_more(&self, spec: &ReceiveMessagesSpec, key: &IdempotencyKey) {
        if let Ok(Ok(outcome)) = timeout(LAST_LOOK, self.ask(spec, key)).await {
            let receipts = outcome.messages.into_iter().map(|message| message.receipt).collect();
            self.in_hand.queue.give_back(receipts).await;
        }
    }
}
