//! Brings durable batches into the state, beside evaluation, and gives the answers.
//!
//! Applying costs about as much processor time as evaluating, and nothing that
//! is evaluated next needs it: the overlay has those writes. So it has a thread
//! of its own; only a small batch that nothing is waiting before is applied on
//! the spot, since waking a thread would take longer.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, mpsc},
    thread::JoinHandle,
};

use bytes::Bytes;
use holdfast_log::ReaderState;
use holdfast_state::{Batch, Store, StoreError, Version};
use parking_lot::Mutex;

use crate::{event::Event, inbox::Inbox, pipeline::Waiting};

/// A batch of at most so many transactions may be applied on the spot.
const ON_THE_SPOT: u32 = 8;

type Job = (Batch, ReaderState, Vec<Waiting>);

/// The state's writer.
pub(crate) struct Applier {
    store: Arc<Mutex<Box<dyn Store>>>,
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    outstanding: usize,
}

impl Applier {
    /// Takes the store over; what is applied is told to `inbox`.
    pub(crate) fn start(store: Box<dyn Store>, inbox: Arc<Inbox>) -> Self {
        let store = Arc::new(Mutex::new(store));
        let (jobs, queue) = mpsc::channel();
        let writer = Arc::clone(&store);
        let thread = std::thread::Builder::new()
            .name("applier-0".to_owned())
            .spawn(move || run(&writer, &queue, &inbox))
            .expect("the system gives a partition its threads");
        Self { store, jobs: Some(jobs), thread: Some(thread), outstanding: 0 }
    }

    /// Has the batch applied: returns the event if that is done already.
    pub(crate) fn apply(
        &mut self,
        batch: Batch,
        reader: ReaderState,
        waiting: Vec<Waiting>,
    ) -> Option<Event> {
        if self.outstanding == 0 && batch.count <= ON_THE_SPOT {
            return Some(apply(&self.store, (batch, reader, waiting)));
        }
        self.outstanding += 1;
        let jobs = self.jobs.as_ref().expect("it is not finished");
        jobs.send((batch, reader, waiting)).expect("the applier ends after its queue does");
        None
    }

    /// The thread has told that a batch is applied.
    pub(crate) const fn told(&mut self) {
        self.outstanding = self.outstanding.saturating_sub(1);
    }

    /// Applies what is queued, then lets the state write back what it can.
    pub(crate) fn finish(&mut self) -> Result<(), StoreError> {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the applier catches its panics");
        }
        self.store.lock().persist()
    }
}

fn run(store: &Mutex<Box<dyn Store>>, queue: &mpsc::Receiver<Job>, inbox: &Inbox) {
    while let Ok(job) = queue.recv() {
        inbox.push(apply(store, job));
    }
}

fn apply(store: &Mutex<Box<dyn Store>>, (batch, reader, waiting): Job) -> Event {
    let checkpoint = Bytes::copy_from_slice(&reader.encode());
    let result = catch_unwind(AssertUnwindSafe(|| store.lock().apply(&batch, checkpoint)));
    let result = result.unwrap_or_else(|_| {
        Err(StoreError::Doubt { what: "applying a batch panicked; a bug of ours".to_owned() })
    });
    waiting.into_iter().for_each(Waiting::go);
    Event::Applied(Version::new(reader.next_version - 1), result)
}
