//! A worker at a queue: receives messages, keeps them out of others' sight while they are dealt with,
//! says what became of each, and gives back what it cannot finish.
//!
//! [`Client::work`] begins; [`Worker::next`] gives a [`Job`], which is a message and the right to settle
//! it: [`Job::ack`], [`Job::nack`], [`Job::reject`]. [`Worker::run`] does the whole round with a handler
//! of the program's, as many side by side as [`WorkerRequest::at_once`] says. A job that is dropped
//! unsettled is given back.
//!
//! While a job is in hand, its message is kept out of others' sight (`in_hand`); should that
//! fail, [`Job::lost`] comes *before* anybody else can be given the message, by this machine's
//! clock, as with a lease, and what is settled afterwards counts for nothing, which the
//! settling says. So every message is dealt with at least once; to have the effect once, settle it in the
//! transaction in which the work is done ([`Job::ack_spec`]).
//!
//! Handing over: after [`Stopper::stop`] nothing more is received, and what was received and not
//! taken yet is given back at once; [`Worker::finish`] waits for the jobs in hand, and then gives back those that
//! are not done, so that others have them at once and not when their time is over.

mod in_hand;
mod job;
mod receiving;

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Semaphore, mpsc},
    task::{JoinHandle, JoinSet},
};

use crate::{
    api::queues::{GetQueueSpec, ReceiveMessagesSpec},
    client::Client,
    error::Error,
    json::Json,
    stopper::Stopper,
};

use in_hand::{InHand, Queue};
use receiving::Receiving;

pub use job::Job;

/// The most messages that a server gives out at once, and settles at once.
const AT_ONCE_MAX: usize = 1_000;

/// At which queue, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerRequest {
    /// The topic.
    pub topic: String,
    /// The queue.
    pub queue: String,
    /// How many messages are in hand at a time, those that wait for [`Worker::next`] included: 1 to 1000.
    pub at_once: usize,
    /// How long a message stays out of others' sight when nothing is heard of this worker. As the
    /// queue says, if nothing is said. While the worker lives it prolongs that, however
    /// long a message takes.
    pub visibility: Option<Duration>,
}

impl WorkerRequest {
    /// A worker that deals with one message at a time.
    #[must_use]
    pub fn new(topic: &str, queue: &str) -> Self {
        let (topic, queue) = (topic.to_owned(), queue.to_owned());
        Self { topic, queue, at_once: 1, visibility: None }
    }
}

/// What becomes of a message that was dealt with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// It is done.
    Done,
    /// It is given out again, not before this time is over; unless it was as often as may be.
    Again {
        /// How long it waits.
        after: Duration,
    },
    /// It becomes a dead letter.
    Rejected {
        /// Kept with the dead letter: a JSON object.
        note: Option<Json>,
    },
}

/// Somebody who works at a queue.
#[derive(Debug)]
pub struct Worker {
    jobs: mpsc::Receiver<Result<Job, Error>>,
    in_hand: Arc<InHand>,
    stopper: Stopper,
    /// A permit for each message that may be in hand.
    permits: Arc<Semaphore>,
    at_once: usize,
    receiving: JoinHandle<()>,
    keeper: JoinHandle<()>,
}

impl Client {
    /// Begins to work at a queue.
    ///
    /// # Errors
    /// `queue_not_found`, and all of [`Error`].
    pub async fn work(&self, request: &WorkerRequest) -> Result<Worker, Error> {
        let WorkerRequest { topic, queue, .. } = request.clone();
        let found = self.call(&GetQueueSpec::new(topic.clone(), queue.clone())).await?.outcome;
        let visibility = request.visibility.unwrap_or(found.visibility.0);
        let queue = Queue { client: self.clone(), topic, queue, visibility };
        let at_once = request.at_once.clamp(1, AT_ONCE_MAX);
        let (permits, stopper) = (Arc::new(Semaphore::new(at_once)), Stopper::default());
        let in_hand = Arc::new(InHand::new(queue));
        let (found, jobs) = mpsc::channel(at_once);
        let receiving = Receiving {
            in_hand: Arc::clone(&in_hand),
            permits: Arc::clone(&permits),
            stopper: stopper.clone(),
            found,
        };
        Ok(Worker {
            jobs,
            stopper,
            permits,
            at_once,
            // It ends with the worker, whose drop stops it.
            receiving: tokio::spawn(receiving.run()),
            // It ends when the worker has and no job is left.
            keeper: tokio::spawn(in_hand::keep(Arc::clone(&in_hand))),
            in_hand,
        })
    }
}

impl Worker {
    /// What ends it.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// The next message; waits for one. `None` once it was stopped. Dropped before it is done it has
    /// skipped nothing.
    ///
    /// # Errors
    /// [`Error`]: the queue is gone, say. What passes by itself is waited for. After an error there is
    /// no more.
    pub async fn next(&mut self) -> Result<Option<Job>, Error> {
        loop {
            let job = tokio::select! {
                biased;
                () = self.stopper.stopped() => return Ok(None),
                job = self.jobs.recv() => job.transpose()?,
            };
            // One that was lost while it waited here is somebody else's.
            if job.as_ref().is_none_or(Job::is_held) {
                return Ok(job);
            }
        }
    }

    /// Deals with messages until it is stopped: the handler with each, as many at a time as may
    /// be in hand. A handler whose message is lost is dropped, at the point at which it waits; so
    /// is one that is not done `within` this time after the worker was stopped. A message whose
    /// handler panics is given back.
    ///
    /// # Errors
    /// As [`next`](Self::next). That a message could not be settled is no error: it comes again.
    pub async fn run<F, H>(mut self, within: Duration, handler: H) -> Result<(), Error>
    where
        F: Future<Output = Verdict> + Send + 'static,
        H: Fn(Arc<Job>) -> F,
    {
        let mut handling = JoinSet::new();
        let ended = loop {
            match self.next().await {
                Ok(Some(job)) => {
                    let job = Arc::new(job);
                    let verdict = handler(Arc::clone(&job));
                    handling.spawn(job::deal(job, verdict));
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
            // What has ended is not kept.
            while handling.try_join_next().is_some() {}
        };
        self.finish(within).await;
        // Their messages were given back, so they are being dropped.
        handling.shutdown().await;
        ended
    }

    /// Ends the worker: waits for the jobs in hand as long as it is told to, and gives back what is
    /// not done then, or was not taken. How many messages that were in hand were given back.
    pub async fn finish(mut self, within: Duration) -> usize {
        self.stopper.stop();
        // Nothing is taken any more: what was received is given back as it is dropped.
        self.jobs.close();
        while self.jobs.recv().await.is_some() {}
        // It ends within moments once it is stopped; a panic of it is told of by the runtime.
        drop((&mut self.receiving).await);
        let all = u32::try_from(self.at_once).expect("at most a thousand");
        let done = tokio::time::timeout(within, self.permits.acquire_many(all)).await.is_ok();
        let given_back = if done { 0 } else { self.in_hand.give_all_back() };
        self.in_hand.close();
        drop((&mut self.keeper).await);
        given_back
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stopper.stop();
        self.in_hand.close();
    }
}

/// What is asked for when so many may be in hand.
fn receive(queue: &Queue, limit: usize, wait: Duration) -> ReceiveMessagesSpec {
    ReceiveMessagesSpec {
        limit: u32::try_from(limit).ok(),
        visibility: Some(queue.visibility.into()),
        wait: Some(wait.as_secs()),
        ..ReceiveMessagesSpec::new(queue.topic.clone(), queue.queue.clone())
    }
}
