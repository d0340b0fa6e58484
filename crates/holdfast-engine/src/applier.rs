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

use crate::{
    event::Event,
    inbox::Inbox,
    pipeline::Waiting,
    scrub::{Author, Scrub},
};

/// A batch of at most so many bytes may be applied on the spot: a few transactions.
const ON_THE_SPOT_BYTES: usize = 4 << 10;

type Job = (Batch, ReaderState, Vec<Waiting>, Author);

/// What a batch goes through: it is compared, then applied.
struct State {
    store: Box<dyn Store>,
    scrub: Scrub,
    /// What ended it: nothing is applied after a batch that was not.
    failed: Option<StoreError>,
}

impl State {
    fn take(&mut self, batch: &Batch, checkpoint: Bytes, author: Author) -> Result<(), StoreError> {
        if let Some(failed) = &self.failed {
            return Err(failed.clone());
        }
        self.scrub.before(self.store.as_ref(), batch, author)?;
        self.store.apply(batch, checkpoint)
    }
}

/// The state's writer.
pub(crate) struct Applier {
    /// Locked for as long as a batch is applied, by the thread or on the spot.
    state: Arc<Mutex<State>>,
    /// Of the batches that come now.
    author: Author,
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    outstanding: usize,
}

impl Applier {
    /// Takes the store over; what is applied is told to `inbox`.
    pub(crate) fn start(store: Box<dyn Store>, scrub: Scrub, inbox: Arc<Inbox>) -> Self {
        let state = Arc::new(Mutex::new(State { store, scrub, failed: None }));
        let (jobs, queue) = mpsc::channel();
        let writer = Arc::clone(&state);
        let thread = std::thread::Builder::new()
            .name("applier-0".to_owned())
            .spawn(move || run(&writer, &queue, &inbox))
            .expect("the system gives a partition its threads");
        let author = Author::Earlier;
        Self { state, author, jobs: Some(jobs), thread: Some(thread), outstanding: 0 }
    }

    /// Has the batch applied: returns the event if that is done already.
    pub(crate) fn apply(
        &mut self,
        batch: Batch,
        reader: ReaderState,
        waiting: Vec<Waiting>,
    ) -> Option<Event> {
        if self.outstanding == 0 && batch.bytes.len() <= ON_THE_SPOT_BYTES {
            return Some(apply(&self.state, (batch, reader, waiting, self.author)));
        }
        self.outstanding += 1;
        let jobs = self.jobs.as_ref().expect("it is not finished");
        jobs.send((batch, reader, waiting, self.author))
            .expect("the applier ends after its queue does");
        None
    }

    /// This node leads: every batch that comes from now on is its own.
    pub(crate) const fn led(&mut self) {
        self.author = Author::Ourselves;
    }

    /// Others lead: what comes from now on is theirs.
    pub(crate) const fn follows(&mut self) {
        self.author = Author::Earlier;
    }

    /// The thread has told that a batch is applied.
    pub(crate) const fn told(&mut self) {
        self.outstanding = self.outstanding.saturating_sub(1);
    }

    /// Applies what is queued, then lets the state write back what it can, unless it
    /// is to be thrown away.
    pub(crate) fn finish(&mut self) -> Result<(), StoreError> {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the applier catches its panics");
        }
        let mut state = self.state.lock();
        if state.failed.is_some() { Ok(()) } else { state.store.persist() }
    }
}

fn run(state: &Mutex<State>, queue: &mpsc::Receiver<Job>, inbox: &Inbox) {
    while let Ok(job) = queue.recv() {
        inbox.push(apply(state, job));
    }
}

fn apply(state: &Mutex<State>, (batch, reader, waiting, author): Job) -> Event {
    let checkpoint = Bytes::copy_from_slice(&reader.encode());
    let mut state = state.lock();
    let result = catch_unwind(AssertUnwindSafe(|| state.take(&batch, checkpoint, author)));
    let result = result.unwrap_or_else(|_| {
        Err(StoreError::Doubt { what: "applying a batch panicked; a bug of ours".to_owned() })
    });
    state.failed = result.clone().err();
    drop(state);
    waiting.into_iter().for_each(Waiting::go);
    Event::Applied(Version::new(reader.next_version - 1), result)
}
