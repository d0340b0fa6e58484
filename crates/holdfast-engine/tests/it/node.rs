//! One engine, driven on the test's thread with invented time.
//!
//! It does what the real driver does, in turns that the test takes: act, take events in, work, act.
//! The log may answer whenever it likes; nothing here waits for it.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex},
    time::Duration,
};

use bytes::Bytes;
use holdfast_engine::{
    Action, Answer, Asked, Config, Confirm, Engine, Event, Failure, Fingerprint, Leader, Now,
    Origin, Outcome, Quarantine, Request, SnapshotKeeper, Stopped,
    pipeline::Waiting,
    request::Work,
    scrub::{Author, Scrub},
};
use holdfast_log::{Log, LogError, Position, ReaderState, Waited};
use holdfast_state::{
    Batch, MemoryStore, Namespace, Snapshot, Snapshots, Store, StoreError, Version,
};

use crate::toy::{self, Op};

/// How much one read of the log brings.
const READ_BYTES: usize = 4 << 20;

/// How long an append rests that the log could not take.
pub(crate) const RETRY_US: u64 = 10_000;

/// Invented time; clones are the same clock.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    right: Arc<Mutex<Now>>,
    wall_off_us: i64,
}

impl Clock {
    pub(crate) fn new() -> Self {
        let right = Now { monotonic_us: 1_000, wall_us: 1_000_000_000 };
        Self { right: Arc::new(Mutex::new(right)), wall_off_us: 0 }
    }

    pub(crate) fn now(&self) -> Now {
        let right = *self.right.lock().unwrap();
        Now { wall_us: right.wall_us.saturating_add_signed(self.wall_off_us), ..right }
    }

    /// The same time on a machine whose wall clock is off by so much.
    pub(crate) fn off_by_us(&self, us: i64) -> Self {
        Self { wall_off_us: us, ..self.clone() }
    }

    /// Lets time pass.
    pub(crate) fn pass_us(&self, us: u64) {
        let mut now = self.right.lock().unwrap();
        now.monotonic_us += us;
        now.wall_us += us;
    }

    /// Sets the wall clock, as an operator or a bad time server does.
    pub(crate) fn set_wall_us(&self, us: u64) {
        self.right.lock().unwrap().wall_us = us;
    }
}

/// A read's answer, when it comes: the version that it shows. Coming twice is an error.
#[derive(Clone, Debug, Default)]
pub(crate) struct Looked(Arc<Mutex<Option<Result<Version, Failure>>>>);

impl Looked {
    fn fill(&self, answer: Result<Version, Failure>) {
        let before = self.0.lock().unwrap().replace(answer);
        assert_eq!(before, None, "a read is answered once");
    }

    pub(crate) fn answer(&self) -> Option<Result<Version, Failure>> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn is_open(&self) -> bool {
        self.answer().is_none()
    }

    pub(crate) fn version(&self) -> u64 {
        self.answer().expect("it was answered").expect("it was proved").get()
    }

    pub(crate) fn failure(&self) -> Failure {
        self.answer().expect("it was answered").expect_err("it was not proved")
    }
}

/// A request's answer, when it comes. Coming twice is an error.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pending(Arc<Mutex<Option<Answer>>>);

impl Pending {
    fn fill(&self, answer: Answer) {
        let before = self.0.lock().unwrap().replace(answer);
        assert_eq!(before, None, "a request is answered once");
    }

    pub(crate) fn answer(&self) -> Option<Answer> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn is_open(&self) -> bool {
        self.answer().is_none()
    }

    pub(crate) fn outcome(&self) -> Outcome {
        self.answer().expect("it was answered").expect("it has an outcome")
    }

    pub(crate) fn failure(&self) -> Failure {
        self.answer().expect("it was answered").expect_err("it has no outcome")
    }

    pub(crate) fn body(&self) -> String {
        String::from_utf8(self.outcome().body.to_vec()).unwrap()
    }

    pub(crate) fn version(&self) -> u64 {
        self.outcome().version.get()
    }
}

/// What a node begins with.
pub(crate) struct Start {
    pub(crate) config: Config,
    pub(crate) store: Box<dyn Store>,
    pub(crate) seed: u64,
    pub(crate) newest_snapshot: Option<Position>,
    pub(crate) leader: Option<Leader>,
    pub(crate) clock: Clock,
    pub(crate) quarantine: Quarantine,
    pub(crate) origin: Origin,
}

impl Default for Start {
    fn default() -> Self {
        Self {
            config: config(),
            store: Box::new(MemoryStore::new()),
            seed: 1,
            newest_snapshot: None,
            leader: None,
            clock: Clock::new(),
            quarantine: Quarantine::default(),
            origin: Origin::Kept,
        }
    }
}

/// The toy's handlers, no snapshots.
pub(crate) fn config() -> Config {
    Config { timers: toy::handlers(), snapshot_bytes: u64::MAX, ..Config::default() }
}

/// Nothing that is asked of a log on another thread takes longer than this.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// What has happened and was not told to the engine yet, and how many calls of the log are open.
#[derive(Default)]
struct Events {
    queue: Mutex<(VecDeque<Event>, usize)>,
    came: Condvar,
}

impl Events {
    fn expect(&self) {
        self.queue.lock().unwrap().1 += 1;
    }

    fn push_expected(&self, event: Event) {
        let mut queue = self.queue.lock().unwrap();
        queue.1 -= 1;
        queue.0.push_back(event);
        self.came.notify_all();
    }

    fn push(&self, event: Event) {
        self.queue.lock().unwrap().0.push_back(event);
    }

    fn pop(&self) -> Option<Event> {
        self.queue.lock().unwrap().0.pop_front()
    }

    /// Waits until something has come; false when nothing will.
    fn wait(&self) -> bool {
        let queue = self.queue.lock().unwrap();
        let nothing = |queue: &mut (VecDeque<Event>, usize)| queue.0.is_empty() && queue.1 > 0;
        let waited = self.came.wait_timeout_while(queue, ANSWER_WITHIN, nothing);
        let (queue, timeout) = waited.unwrap();
        assert!(!timeout.timed_out(), "the log answers every call");
        !queue.0.is_empty()
    }
}

/// One engine and its hands.
pub(crate) struct Node {
    pub(crate) engine: Engine,
    scrub: Scrub,
    /// Why nothing is applied any more.
    failed: Option<StoreError>,
    store: Box<dyn Store>,
    log: Arc<dyn Log>,
    pub(crate) clock: Clock,
    events: Arc<Events>,
    /// Snapshots go there at once; without it the test says how keeping them went.
    pub(crate) keeper: Option<SnapshotKeeper>,
    resting: Vec<(u64, Position, Bytes)>,
    /// Batches wait here while [`Node::hold_applies`] is set.
    applies: VecDeque<(Batch, ReaderState, Vec<Waiting>)>,
    pub(crate) hold_applies: bool,
    /// Whether the log tells when a position may hold something.
    pub(crate) is_told: bool,
    /// How often it read the log.
    pub(crate) looks: u64,
    /// From which version on, while it leads.
    pub(crate) led: Option<Version>,
    /// Whom it follows, while it follows.
    pub(crate) follows: Option<Option<Leader>>,
    pub(crate) stopped: Option<Stopped>,
    pub(crate) published: Vec<(ReaderState, Batch)>,
    /// Snapshots that are to be kept; the test says how that went.
    pub(crate) keep: Vec<Arc<dyn Snapshot>>,
    pub(crate) trims: Vec<Position>,
    /// How the last trim went.
    pub(crate) trimmed: Result<(), LogError>,
    /// Bodies of all answers that were given, in order; failures in words.
    pub(crate) replies: Arc<Mutex<Vec<String>>>,
}

impl Node {
    /// An engine that has not done anything yet.
    pub(crate) fn new(log: &(impl Log + Clone + 'static), start: Start) -> Self {
        Self::over(Arc::new(log.clone()), start)
    }

    pub(crate) fn over(log: Arc<dyn Log>, start: Start) -> Self {
        let mark = start.store.mark();
        let snapshots = start.store.snapshots();
        let newest = start.newest_snapshot;
        let engine = Engine::new(start.config, snapshots, &mark, start.seed, newest).unwrap();
        let engine = engine.guarded_by(start.quarantine).told(start.leader);
        let scrub = Scrub::new(start.origin, Arc::clone(engine.metrics()));
        Self {
            engine,
            scrub,
            failed: None,
            store: start.store,
            log,
            clock: start.clock,
            events: Arc::default(),
            keeper: None,
            resting: Vec::new(),
            applies: VecDeque::new(),
            hold_applies: false,
            is_told: false,
            looks: 0,
            led: None,
            follows: None,
            stopped: None,
            published: Vec::new(),
            keep: Vec::new(),
            trims: Vec::new(),
            trimmed: Ok(()),
            replies: Arc::default(),
        }
    }

    /// An engine that leads.
    pub(crate) fn leading(log: &(impl Log + Clone + 'static), start: Start) -> Self {
        let mut node = Self::new(log, start);
        node.settle();
        assert!(node.led.is_some(), "it leads: {:?}", node.stopped);
        node
    }

    /// The applied state.
    pub(crate) fn state(&self) -> Arc<dyn Snapshot> {
        self.snapshots().latest()
    }

    pub(crate) fn snapshots(&self) -> Arc<dyn Snapshots> {
        self.store.snapshots()
    }

    // ---- asking ----------------------------------------------------------------

    /// Hands a request over.
    pub(crate) fn submit(&mut self, ask: Ask) -> Pending {
        let pending = Pending::default();
        let (slot, replies) = (pending.clone(), Arc::clone(&self.replies));
        let reply = Box::new(move |answer: Answer| {
            let words = match &answer {
                Ok(outcome) => String::from_utf8_lossy(&outcome.body).into_owned(),
                Err(failure) => failure.to_string(),
            };
            replies.lock().unwrap().push(words);
            slot.fill(answer);
        });
        let Ask { namespace, asked, deadline_us, work } = ask;
        let request = Request { namespace, asked, deadline_us, work, reply };
        self.engine.handle(Event::Request(request), self.clock.now());
        pending
    }

    /// An operation of the toy under this name, without a key.
    pub(crate) fn op(&mut self, name: &str, op: &Op) -> Pending {
        self.submit(Ask::of(op.work(name)))
    }

    /// An operation of the toy whose name is its idempotency key.
    pub(crate) fn keyed(&mut self, key: &str, op: &Op) -> Pending {
        self.submit(Ask::of(op.work(key)).keyed(key))
    }

    /// Any transaction.
    pub(crate) fn work(&mut self, work: Work) -> Pending {
        self.submit(Ask::of(work))
    }

    /// A linearizable read: what the engine answers, and the version that a view then shows.
    pub(crate) fn read(&mut self) -> Looked {
        let looked = Looked::default();
        let (slot, snapshots) = (looked.clone(), self.snapshots());
        let answer = move |proved: Result<(), Failure>| {
            slot.fill(proved.map(|()| snapshots.latest().mark().version));
        };
        self.handle(Event::Confirm(Confirm(Box::new(answer))));
        looked
    }

    /// Gives the engine an event.
    pub(crate) fn handle(&mut self, event: Event) {
        self.engine.handle(event, self.clock.now());
    }

    // ---- driving ---------------------------------------------------------------

    /// One turn of the driver; false when nothing was to be done.
    pub(crate) fn turn(&mut self) -> bool {
        self.resend_rested();
        let mut active = self.act();
        loop {
            let Some(event) = self.events.pop() else { break };
            active = true;
            self.handle(event);
        }
        self.handle(Event::Tick);
        self.engine.work(self.clock.now());
        active |= self.act();
        active || self.engine.is_busy()
    }

    /// Turns until nothing more happens by itself. With a log that answers on threads of its own
    /// (one that has a keeper of snapshots beside it), waits for its answers.
    pub(crate) fn settle(&mut self) {
        for _ in 0..100_000 {
            let active = self.turn() || (self.keeper.is_some() && self.events.wait());
            if !active {
                return;
            }
        }
        panic!("it does not come to rest");
    }

    /// Lets time pass, and what comes with it happen.
    pub(crate) fn pass_us(&mut self, us: u64) {
        self.clock.pass_us(us);
        self.settle();
    }

    /// Asks it to stop, and says how it did.
    pub(crate) fn stop(&mut self) -> Stopped {
        self.handle(Event::Stop);
        self.settle();
        self.stopped.clone().expect("it stops when nothing is open")
    }

    fn resend_rested(&mut self) {
        let now = self.clock.now().monotonic_us;
        let (due, resting) =
            std::mem::take(&mut self.resting).into_iter().partition(|r| r.0 <= now);
        self.resting = resting;
        let due: Vec<(u64, Position, Bytes)> = due;
        for (_, position, bytes) in due {
            self.append(position, bytes);
        }
    }

    fn append(&self, position: Position, bytes: Bytes) {
        let events = Arc::clone(&self.events);
        events.expect();
        let sent = bytes.clone();
        let done = move |found| events.push_expected(Event::Appended(position, sent, found));
        self.log.append(position, bytes, Box::new(done));
    }

    fn act(&mut self) -> bool {
        let mut active = false;
        while let Some(action) = self.engine.next_action() {
            active = true;
            if self.stopped.is_some() {
                let refusal =
                    matches!(action, Action::Reply(_, Err(_)) | Action::Confirmed(_, Err(_)));
                assert!(refusal, "{action:?} after the end");
            }
            self.carry_out(action);
        }
        if !self.hold_applies {
            while self.apply_one() {
                active = true;
            }
        }
        active
    }

    fn carry_out(&mut self, action: Action) {
        match action {
            Action::Append(position, bytes) => self.append(position, bytes),
            Action::AppendLater(position, bytes) => {
                let due = self.clock.now().monotonic_us + RETRY_US;
                self.resting.push((due, position, bytes));
            }
            Action::Read(position) => {
                self.looks += 1;
                let events = Arc::clone(&self.events);
                events.expect();
                let done = move |found| events.push_expected(Event::ReadBack(position, found));
                self.log.read(position, READ_BYTES, Box::new(done));
            }
            Action::Wait(position) if self.is_told => {
                let events = Arc::clone(&self.events);
                let done = move |waited: Result<Waited, LogError>| {
                    if matches!(waited, Ok(Waited::MayHold)) {
                        events.push(Event::MayHold(position));
                    }
                };
                self.log.wait(position, Box::new(done));
            }
            Action::Wait(_) => {}
            Action::Reply(reply, answer) => reply(answer),
            Action::Apply(batch, reader, waiting) => {
                self.applies.push_back((batch, reader, waiting));
            }
            Action::Publish(reader, batch) => self.published.push((reader, batch)),
            Action::Keep(snapshot) => self.keep(snapshot),
            Action::Trim(below) => {
                self.trims.push(below);
                self.trimmed = holdfast_log::blocking::trim(&*self.log, below);
            }
            Action::Confirmed(confirm, answer) => (confirm.0)(answer),
            Action::Led(version) => (self.led, self.follows) = (Some(version), None),
            Action::Follows(leader) => (self.led, self.follows) = (None, Some(leader)),
            Action::Stopped(why) => self.stopped = Some(why),
        }
    }

    fn keep(&mut self, snapshot: Arc<dyn Snapshot>) {
        let Some(keeper) = &self.keeper else { return self.keep.push(snapshot) };
        self.events.push(match keeper.write(&*snapshot) {
            Ok(kept) => Event::SnapshotKept(kept.state),
            Err(error) => Event::SnapshotFailed(error.to_string()),
        });
    }

    /// Brings the next batch into the state; false when there is none.
    pub(crate) fn apply_one(&mut self) -> bool {
        let Some((batch, reader, waiting)) = self.applies.pop_front() else { return false };
        let checkpoint = Bytes::copy_from_slice(&reader.encode());
        let author = if self.led.is_some() { Author::Ourselves } else { Author::Earlier };
        let result = match &self.failed {
            Some(failed) => Err(failed.clone()),
            None => self
                .scrub
                .before(&*self.store, &batch, author)
                .and_then(|()| self.store.apply(&batch, checkpoint)),
        };
        self.failed = result.clone().err();
        waiting.into_iter().for_each(Waiting::go);
        let last = Version::new(reader.next_version - 1);
        self.events.push(Event::Applied(last, result));
        true
    }

    /// Closes the log, as the driver does when the engine has stopped.
    pub(crate) fn close(self) -> Result<(), LogError> {
        holdfast_log::blocking::close(&*self.log)
    }

    /// The process ends here: nothing of it is left but what the log holds.
    pub(crate) fn kill(self) {}
}

/// A request in the making.
pub(crate) struct Ask {
    namespace: Namespace,
    asked: Option<Asked>,
    deadline_us: Option<u64>,
    work: Work,
}

impl Ask {
    pub(crate) fn of(work: Work) -> Self {
        Self { namespace: Namespace::DEFAULT, asked: None, deadline_us: None, work }
    }

    /// Repeatable under this key; the fingerprint is the same for all with this key.
    pub(crate) fn keyed(self, key: &str) -> Self {
        self.keyed_as(key, 7)
    }

    pub(crate) fn keyed_as(self, key: &str, fingerprint: u8) -> Self {
        let fingerprint = Fingerprint([fingerprint; 16]);
        Self { asked: Some(Asked { fingerprint, key: Some(key.into()) }), ..self }
    }

    /// Recognised by this fingerprint, without a key.
    pub(crate) fn known_as(self, fingerprint: u8) -> Self {
        let fingerprint = Fingerprint([fingerprint; 16]);
        Self { asked: Some(Asked { fingerprint, key: None }), ..self }
    }

    pub(crate) fn in_namespace(self, number: u32) -> Self {
        Self { namespace: Namespace::new(number), ..self }
    }

    pub(crate) fn until_us(self, deadline_us: u64) -> Self {
        Self { deadline_us: Some(deadline_us), ..self }
    }
}
