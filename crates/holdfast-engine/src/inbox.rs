//! Events on their way to a partition's thread.
//!
//! Many push, one takes. Requests and reads are bounded; the other kinds answer what the
//! engine asked for, and so are bounded by it.

use std::{
    collections::VecDeque,
    mem,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    thread::Thread,
    time::Duration,
};

use parking_lot::Mutex;

use crate::{
    confirm::Confirm,
    event::Event,
    request::{Failure, Request},
};

/// Looks this often whether something has come before it goes to sleep. Waking
/// a sleeping thread costs some ten microseconds, looking costs nothing while
/// the other core waits for the disk.
const LOOKS_BEFORE_SLEEP: u32 = 200;

/// The queue.
#[derive(Debug)]
pub(crate) struct Inbox {
    events: Mutex<Events>,
    /// Something is in `events`; looked at without the lock.
    filled: AtomicBool,
    sleeping: AtomicBool,
    thread: OnceLock<Thread>,
    requests_max: usize,
}

#[derive(Debug, Default)]
struct Events {
    queue: VecDeque<Event>,
    requests: usize,
    closed: Option<String>,
}

impl Inbox {
    pub(crate) fn new(requests_max: usize) -> Self {
        Self {
            events: Mutex::default(),
            filled: AtomicBool::new(false),
            sleeping: AtomicBool::new(false),
            thread: OnceLock::new(),
            requests_max,
        }
    }

    /// Makes the calling thread the one that is woken.
    pub(crate) fn own(&self) {
        self.thread.set(std::thread::current()).expect("a partition has one thread");
    }

    /// Hands a request over, or refuses it at once.
    pub(crate) fn submit(&self, request: Request) {
        self.offer(Event::Request(request));
    }

    /// Hands a read over, or refuses it at once.
    pub(crate) fn confirm(&self, confirm: Confirm) {
        self.offer(Event::Confirm(confirm));
    }

    fn offer(&self, event: Event) {
        let refused = {
            let mut events = self.events.lock();
            if let Some(reason) = &events.closed {
                Some((event, Failure::Unavailable { reason: reason.clone() }))
            } else if events.requests >= self.requests_max {
                Some((event, Failure::Overloaded))
            } else {
                events.requests += 1;
                events.queue.push_back(event);
                None
            }
        };
        match refused {
            Some((event, failure)) => refuse(event, failure),
            None => self.wake(),
        }
    }

    /// Hands over an answer to something the engine asked for.
    pub(crate) fn push(&self, event: Event) {
        self.events.lock().queue.push_back(event);
        self.wake();
    }

    fn wake(&self) {
        self.filled.store(true, Ordering::SeqCst);
        if self.sleeping.swap(false, Ordering::SeqCst)
            && let Some(thread) = self.thread.get()
        {
            thread.unpark();
        }
    }

    /// Everything that has come, into an empty queue.
    pub(crate) fn take(&self, into: &mut VecDeque<Event>) {
        if self.filled.swap(false, Ordering::SeqCst) {
            let mut events = self.events.lock();
            mem::swap(&mut events.queue, into);
            events.requests = 0;
        }
    }

    /// Sleeps until something comes, at most so long.
    pub(crate) fn sleep(&self, longest: Duration) {
        for _ in 0..LOOKS_BEFORE_SLEEP {
            if self.filled.load(Ordering::Relaxed) {
                return;
            }
            std::hint::spin_loop();
        }
        self.sleeping.store(true, Ordering::SeqCst);
        if !self.filled.load(Ordering::SeqCst) {
            std::thread::park_timeout(longest);
        }
        self.sleeping.store(false, Ordering::SeqCst);
    }

    /// Takes no more requests, and refuses those that nobody will take out.
    pub(crate) fn close(&self, reason: &str) {
        let left = {
            let mut events = self.events.lock();
            events.closed = Some(reason.to_owned());
            events.requests = 0;
            mem::take(&mut events.queue)
        };
        for event in left {
            refuse(event, Failure::Unavailable { reason: reason.to_owned() });
        }
    }
}

/// Tells whoever waits for an answer; nobody waits for that of other events.
fn refuse(event: Event, failure: Failure) {
    if let Event::Request(request) = event {
        (request.reply)(Err(failure));
    } else if let Event::Confirm(Confirm(reply)) = event {
        reply(Err(failure));
    }
}
