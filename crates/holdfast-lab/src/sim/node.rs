//! A node: a machine with clocks and a little disk, and a process on it that comes and
//! goes.
//!
//! The process is what the production driver makes of an [`Engine`]: events in, actions
//! out, batches applied in order beside evaluation, answers given when what they rest on
//! is applied. What survives it are the log, the shared snapshots, and the copy of its
//! state that the machine happened to have written back.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use holdfast_engine::{
    Answer, Engine, Event, Now, Origin, SnapshotKeeper, Stopped,
    pipeline::Waiting,
    request::ReplyTo,
    scrub::{Author, Scrub},
};
use holdfast_log::ReaderState;
use holdfast_state::{Batch, Snapshot, Store, StoreError, Version};

use super::{
    agenda::{Attempt, Happening, Micros},
    clock::Clock,
    log::{Heard, Wish},
};
use crate::random::Random;

/// Which node, from 0.
pub(super) type NodeId = usize;

/// Which process on a node, from 1.
pub(super) type Life = u64;

/// A machine.
pub(super) struct Node {
    pub(super) clock: Clock,
    pub(super) life: Life,
    pub(super) process: Option<Process>,
    /// The process stands still; what comes for it waits.
    pub(super) paused: bool,
    pub(super) backlog: VecDeque<Happening>,
    /// The state as it was last written back.
    pub(super) kept: Option<Arc<dyn Snapshot>>,
    /// An older copy of that.
    pub(super) old: Option<Arc<dyn Snapshot>>,
    pub(super) random: Random,
}

impl Node {
    pub(super) const fn new(clock: Clock, random: Random) -> Self {
        Self {
            clock,
            life: 0,
            process: None,
            paused: false,
            backlog: VecDeque::new(),
            kept: None,
            old: None,
            random,
        }
    }

    /// The process, if it is still that of this life.
    pub(super) fn living(&mut self, life: Life) -> Option<&mut Process> {
        if self.life == life { self.process.as_mut() } else { None }
    }

    pub(super) fn now(&self, now: Micros) -> Now {
        self.clock.read(now)
    }

    /// The process is gone, with everything that it had not written down.
    pub(super) fn kill(&mut self) -> Option<Process> {
        self.paused = false;
        self.backlog.clear();
        self.process.take()
    }
}

/// An answer on its way out, and what was true when it left.
#[derive(Debug)]
pub(super) struct Mail {
    pub(super) node: NodeId,
    pub(super) attempt: Attempt,
    pub(super) answer: Answer,
    /// The version of the node's state.
    pub(super) applied: u64,
    /// The last version in the log.
    pub(super) durable: u64,
}

/// Answers that have left and were not looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct Mailbox(Arc<Mutex<Vec<Mail>>>);

impl Mailbox {
    pub(super) fn take(&self) -> Vec<Mail> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What an answer takes note of when it leaves.
#[derive(Clone, Debug)]
pub(super) struct Postmark {
    pub(super) node: NodeId,
    pub(super) applied: Arc<AtomicU64>,
    pub(super) durable: Arc<AtomicU64>,
    pub(super) mailbox: Mailbox,
}

impl Postmark {
    /// Takes the answer to this attempt.
    pub(super) fn reply(&self, attempt: Attempt) -> ReplyTo {
        let mark = self.clone();
        Box::new(move |answer| {
            let applied = mark.applied.load(Ordering::SeqCst);
            let durable = mark.durable.load(Ordering::SeqCst);
            let mail = Mail { node: mark.node, attempt, answer, applied, durable };
            mark.mailbox.0.lock().unwrap_or_else(PoisonError::into_inner).push(mail);
        })
    }
}

/// A process.
pub(super) struct Process {
    pub(super) engine: Engine,
    pub(super) store: Box<dyn Store>,
    scrub: Scrub,
    /// Why nothing is applied any more.
    failed: Option<StoreError>,
    pub(super) inbox: VecDeque<Event>,
    /// Calls of the log that are not answered.
    calls: BTreeMap<u64, Wish>,
    next_call: u64,
    pub(super) applies: VecDeque<(Batch, ReaderState, Vec<Waiting>)>,
    /// Of the batches that come now.
    pub(super) author: Author,
    /// When the driver goes round next, and the number of that appointment.
    appointed: Option<(Micros, u64)>,
    appointments: u64,
    pub(super) stopped: Option<Stopped>,
    pub(super) postmark: Postmark,
    /// Remembers which of the shared snapshots it has read back.
    pub(super) keeper: SnapshotKeeper,
}

impl Process {
    pub(super) fn new(
        engine: Engine,
        (store, origin): (Box<dyn Store>, Origin),
        postmark: Postmark,
        keeper: SnapshotKeeper,
    ) -> Self {
        let scrub = Scrub::new(origin, Arc::clone(engine.metrics()));
        postmark.applied.store(store.mark().version.get(), Ordering::SeqCst);
        Self {
            engine,
            store,
            scrub,
            failed: None,
            inbox: VecDeque::new(),
            calls: BTreeMap::new(),
            next_call: 0,
            applies: VecDeque::new(),
            author: Author::Earlier,
            appointed: None,
            appointments: 0,
            stopped: None,
            postmark,
            keeper,
        }
    }

    /// The version of its state.
    pub(super) fn applied(&self) -> u64 {
        self.postmark.applied.load(Ordering::SeqCst)
    }

    /// Makes an appointment, unless there is one as early; returns its number.
    pub(super) fn appoint(&mut self, at: Micros) -> Option<u64> {
        if self.appointed.is_some_and(|(before, _)| before <= at) {
            return None;
        }
        self.appointments += 1;
        self.appointed = Some((at, self.appointments));
        Some(self.appointments)
    }

    /// Keeps an appointment; false when there is a newer one.
    pub(super) fn keep(&mut self, number: u64) -> bool {
        let kept = self.appointed.is_some_and(|(_, newest)| newest == number);
        if kept {
            self.appointed = None;
        }
        kept
    }

    /// Is there something to be done at once?
    pub(super) fn is_busy(&self) -> bool {
        !self.inbox.is_empty() || self.engine.has_actions() || self.engine.is_busy()
    }

    /// Notes that it waits for the log; returns the number of the call.
    pub(super) fn call(&mut self, wish: Wish) -> u64 {
        self.next_call += 1;
        self.calls.insert(self.next_call, wish);
        self.next_call
    }

    /// The log answered, or nobody waits any longer. False when it had answered before.
    pub(super) fn hear(&mut self, number: u64, heard: Heard) -> bool {
        let Some(wish) = self.calls.remove(&number) else { return false };
        let event = match (wish, heard) {
            (Wish::Append(position, sent), Heard::Append(found)) => {
                Event::Appended(position, sent, found)
            }
            (Wish::Read(position), Heard::Read(found)) => Event::ReadBack(position, found),
            (Wish::Append(..) | Wish::Read(_) | Wish::Trim(_), _) => return true,
        };
        self.inbox.push_back(event);
        true
    }

    /// What it waits for.
    pub(super) fn wish(&self, number: u64) -> Option<&Wish> {
        self.calls.get(&number)
    }

    /// Brings a batch into the state, gives its answers, and tells.
    pub(super) fn apply(&mut self, next: (Batch, ReaderState, Vec<Waiting>)) -> Event {
        let (batch, reader, waiting) = next;
        let checkpoint = Bytes::copy_from_slice(&reader.encode());
        let result = match &self.failed {
            Some(failed) => Err(failed.clone()),
            None => self
                .scrub
                .before(self.store.as_ref(), &batch, self.author)
                .and_then(|()| self.store.apply(&batch, checkpoint)),
        };
        self.failed = result.clone().err();
        self.postmark.applied.store(self.store.mark().version.get(), Ordering::SeqCst);
        waiting.into_iter().for_each(Waiting::go);
        Event::Applied(Version::new(reader.next_version - 1), result)
    }
}
