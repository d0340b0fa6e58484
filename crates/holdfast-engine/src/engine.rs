//! The partition as a state machine: events in, actions out.
//!
//! It begins by reading the log to its first hole, claims leadership there, and
//! then turns requests into entries. Everyone who reads the log, this node
//! included, changes state in one way only: what the positions hold goes through
//! the [`Reader`] automaton, and the batches that count are applied in order.
//!
//! ```text
//! Request  ─▶ admission ─▶ evaluate ─▶ open batch ─▶ seal ─▶ Append
//! Appended ─▶ pipeline ─▶ reader ─▶ Apply, which gives the answers
//! Applied  ─▶ overlay forgets ─▶ Publish
//! ```
//!
//! No clock, no IO, no thread: the driver brings time and answers with each
//! event, and the simulator is another driver.

mod evaluating;
mod reading;

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use holdfast_log::{Append, EntryHeader, LogError, Nonce, Position, Reader, ReaderState, Step};
use holdfast_state::{
    Batch, LogTime, Mark, Namespace, Snapshots, StoreError, Table as _, Version, store::Pressure,
    table::stored_key,
};

use crate::{
    admission::Admission,
    config::Config,
    event::{Action, Event, Now, Stopped},
    idempotency::Records,
    leading::Leading,
    metrics::Metrics,
    pipeline::{Pipeline, Waiting},
    quarantine::Quarantine,
    request::{Failure, Request},
};

/// How long the lease of a claim lasts. Nothing rests on it while one node runs
/// on a log of its own; it stands in the claim so that later readers know it.
const LEASE_MS: u64 = 2_000;

/// A partition.
#[derive(Debug)]
pub struct Engine {
    config: Config,
    /// The applied state. Written by whoever does [`Action::Apply`], not here.
    state: Arc<dyn Snapshots>,
    reader: Reader,
    /// Of the last transaction read: an entry's own time is that of its first.
    last_time: LogTime,
    /// Batches on their way into the state, oldest first.
    applying: VecDeque<Applying>,
    role: Role,
    admission: Admission,
    /// Timers and housekeeping: reserved capacity, before everyone else (P22).
    internal: VecDeque<Request>,
    /// Taken out to be evaluated next, and whether they are internal.
    picked: VecDeque<(Request, bool)>,
    quarantine: Quarantine,
    /// Entries sent since the state was last digested.
    undigested: u64,
    actions: VecDeque<Action>,
    snapshots: SnapshotPlan,
    random: SplitMix,
    stopping: bool,
    metrics: Arc<Metrics>,
}

#[derive(Debug)]
enum Role {
    /// Reading up to the first hole; there, waiting until all of it is applied.
    Reading {
        at_the_hole: bool,
    },
    /// A claim is on its way.
    Claiming(Pipeline, Nonce),
    Leading(Box<Leading>),
    Stopped(Stopped),
}

/// A durable batch that is not in the state yet.
#[derive(Debug)]
struct Applying {
    last: Version,
    batch: Batch,
    reader: ReaderState,
    /// Answers that came to rest on it after it was handed over.
    late: Vec<Waiting>,
}

/// When to take snapshots and what they allow to trim (P16).
#[derive(Debug)]
struct SnapshotPlan {
    /// Bytes of log applied since the last one was begun.
    bytes: u64,
    running: bool,
    /// Where the newest verified snapshot goes on.
    newest: Option<Position>,
}

/// Seeds for transactions and nonces (Steele et al., "Fast splittable
/// pseudorandom number generators", 2014).
#[derive(Debug)]
struct SplitMix(u64);

impl SplitMix {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn bytes(&mut self) -> [u8; 16] {
        let (high, low) = (self.next(), self.next());
        ((u128::from(high) << 64) | u128::from(low)).to_be_bytes()
    }
}

impl Engine {
    /// A partition whose state is `state`, of which `mark` says how far it has come. `seed` must be fresh in every life of
    /// the process: nonces come from it (P7). `newest_snapshot` is where the
    /// newest verified snapshot goes on.
    ///
    /// # Errors
    /// [`StoreError::Doubt`] when the store's checkpoint does not decode.
    pub fn new(
        config: Config,
        state: Arc<dyn Snapshots>,
        mark: &Mark,
        seed: u64,
        newest_snapshot: Option<Position>,
    ) -> Result<Self, StoreError> {
        let reader = Reader::start(checkpoint_of(mark)?);
        let last_time = LogTime::from_us(reader.state().log_time_us);
        let mut engine = Self {
            admission: Admission::new(config.waiting_max),
            config,
            state,
            reader,
            last_time,
            applying: VecDeque::new(),
            role: Role::Reading { at_the_hole: false },
            internal: VecDeque::new(),
            picked: VecDeque::new(),
            quarantine: Quarantine::default(),
            undigested: 0,
            actions: VecDeque::new(),
            snapshots: SnapshotPlan { bytes: 0, running: false, newest: newest_snapshot },
            random: SplitMix(seed),
            stopping: false,
            metrics: Arc::default(),
        };
        engine.read_on();
        Ok(engine)
    }

    /// The same, with requests that may have killed the process before.
    #[must_use]
    pub fn guarded_by(self, quarantine: Quarantine) -> Self {
        let refused = quarantine.suspects().quarantined().count();
        self.metrics.in_quarantine.set(refused as u64);
        Self { quarantine, ..self }
    }

    /// What is to be done next, in order.
    pub fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Is there anything to be done?
    #[must_use]
    pub fn has_actions(&self) -> bool {
        !self.actions.is_empty()
    }

    /// Is evaluation waiting for the state store to write back?
    #[must_use]
    pub fn is_held_up(&self) -> bool {
        self.state.pressure() == Pressure::Full
    }

    /// What it counts.
    #[must_use]
    pub const fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Is there something to evaluate, or room to send what was evaluated?
    #[must_use]
    pub fn is_busy(&self) -> bool {
        match &self.role {
            Role::Leading(leading) => {
                let waiting = self.waiting() + self.internal.len() > 0;
                let room = leading.pipeline.depth() < self.config.entries_in_flight_max;
                (waiting && self.may_evaluate()) || (leading.has_batch() && room)
            }
            Role::Reading { .. } | Role::Claiming(..) | Role::Stopped(_) => false,
        }
    }

    /// For how long nothing happens unless an event comes, in microseconds: until
    /// the next timer is due, at most a second.
    pub fn idle_us(&mut self, now: Now) -> u64 {
        const LONGEST_US: u64 = 1_000_000;
        let Role::Leading(leading) = &mut self.role else { return LONGEST_US };
        let time = leading.clock.read(now);
        leading.timers.earliest().since_us(time).min(LONGEST_US)
    }

    /// Takes an event in. Cheap: nothing is evaluated here.
    pub fn handle(&mut self, event: Event, now: Now) {
        match event {
            Event::Request(request) => self.admit(request),
            Event::Appended(position, Ok(append)) => self.appended(position, append, now),
            Event::Appended(position, Err(error)) => self.append_failed(position, &error),
            Event::ReadBack(from, Ok(reads)) => self.read_back(from, reads, now),
            Event::ReadBack(_, Err(error)) => self.stop(Stopped::Failed(error.to_string())),
            Event::Applied(version, Ok(())) => self.applied(version, now),
            Event::Applied(_, Err(error)) | Event::Doubt(error) => {
                self.stop(Stopped::StateInDoubt(error.to_string()));
            }
            Event::Tick => self.tick(now),
            Event::SnapshotKept(state) => self.snapshot_kept(&state),
            Event::SnapshotFailed(error) => {
                tracing::error!(error, "a snapshot could not be kept; the log is not trimmed");
                self.snapshots.running = false;
            }
            Event::Stop => {
                self.stopping = true;
                self.finish_if_done();
            }
        }
    }

    fn admit(&mut self, request: Request) {
        let unavailable = match &self.role {
            _ if self.stopping => Some("it is shutting down".to_owned()),
            Role::Stopped(why) => Some(why.to_string()),
            Role::Reading { .. } | Role::Claiming(..) | Role::Leading(_) => None,
        };
        if let Some(reason) = unavailable {
            self.refuse(request, Failure::Unavailable { reason });
        } else if let Err(request) = self.admission.push(request) {
            self.metrics.overloaded.increment();
            self.refuse(request, Failure::Overloaded);
        }
        self.metrics.waiting.set(self.waiting() as u64);
    }

    fn refuse(&mut self, request: Request, failure: Failure) {
        self.actions.push_back(Action::Reply(request.reply, Err(failure)));
    }

    // ---- the log's answers ------------------------------------------------------

    fn appended(&mut self, position: Position, append: Append, now: Now) {
        let pipeline = match &mut self.role {
            Role::Claiming(pipeline, _) => pipeline,
            Role::Leading(leading) => &mut leading.pipeline,
            Role::Reading { .. } | Role::Stopped(_) => return,
        };
        if pipeline.answered(position, append).is_err() {
            // Somebody trimmed past us, so somebody leads and is far ahead (P3).
            self.stop(Stopped::Deposed);
            return;
        }
        self.advance(now);
        self.send();
        self.finish_if_done();
    }

    fn append_failed(&mut self, position: Position, error: &LogError) {
        if error.is_permanent() {
            self.stop(Stopped::Failed(error.to_string()));
            return;
        }
        let pipeline = match &self.role {
            Role::Claiming(pipeline, _) => pipeline,
            Role::Leading(leading) => &leading.pipeline,
            Role::Reading { .. } | Role::Stopped(_) => return,
        };
        if let Some(bytes) = pipeline.sent(position) {
            // The same bytes at the same place: if it was there after all, it is found (P6).
            self.actions.push_back(Action::AppendLater(position, bytes.clone()));
        }
    }

    /// Reads, in order, every position whose content is known.
    fn advance(&mut self, now: Now) {
        loop {
            let position = self.reader.state().next_position;
            let known = match &mut self.role {
                Role::Claiming(pipeline, _) => pipeline.take_known(position),
                Role::Leading(leading) => leading.pipeline.take_known(position),
                Role::Reading { .. } | Role::Stopped(_) => None,
            };
            let Some(bytes) = known else { return };
            self.feed(position, &bytes, now);
        }
    }

    /// What one position holds takes its effect.
    fn feed(&mut self, position: Position, bytes: &Bytes, now: Now) {
        match self.reader.feed(position, bytes) {
            Ok(Step::Batch(header, body)) => self.apply(position, &header, body),
            Ok(Step::Claim(header, _)) => self.claimed(&header, now),
            Ok(Step::Dead(reason)) => self.dead(position, &format!("{reason:?}")),
            Err(broken) => self.stop(Stopped::Failed(broken.to_string())),
        }
    }

    fn dead(&mut self, position: Position, reason: &str) {
        tracing::warn!(%position, reason, "a dead entry");
        match &mut self.role {
            Role::Leading(leading) => {
                for (position, bytes) in leading.pipeline.resend_after(position) {
                    self.actions.push_back(Action::Append(position, bytes));
                }
            }
            Role::Claiming(..) => self.read_on(),
            Role::Reading { .. } | Role::Stopped(_) => {}
        }
    }

    fn claimed(&mut self, header: &EntryHeader, now: Now) {
        match &self.role {
            Role::Claiming(_, nonce) if *nonce == header.nonce => self.lead(now),
            Role::Claiming(..) | Role::Leading(_) => self.stop(Stopped::Deposed),
            Role::Reading { .. } | Role::Stopped(_) => {}
        }
    }

    /// The only way state changes.
    fn apply(&mut self, position: Position, header: &EntryHeader, body: Bytes) {
        let batch = Batch {
            first: Version::new(header.first_version),
            count: header.count,
            time: LogTime::from_us(header.log_time_us),
            bytes: body,
        };
        let last = batch.changes().map_while(Result::ok).last().map(|change| change.time);
        self.last_time = self.last_time.max(last.unwrap_or(batch.time));
        // Whoever goes on from here may have no other trace of that time.
        let log_time_us = self.reader.state().log_time_us.max(self.last_time.as_us());
        let reader = ReaderState { log_time_us, ..*self.reader.state() };
        let waiting = match &mut self.role {
            Role::Leading(leading) => leading.pipeline.acknowledge(header.sequence),
            Role::Reading { .. } | Role::Claiming(..) | Role::Stopped(_) => Vec::new(),
        };
        self.metrics.position.set(position.get());
        for Waiting { answer, .. } in &waiting {
            self.metrics.count(answer);
        }
        self.actions.push_back(Action::Apply(batch.clone(), reader, waiting));
        let last = Version::new(reader.next_version - 1);
        self.applying.push_back(Applying { last, batch, reader, late: Vec::new() });
        if matches!(self.role, Role::Claiming(..)) {
            // Another leader's entry was there first: read what else it wrote.
            self.read_on();
        }
    }

    /// A batch is in the state.
    fn applied(&mut self, version: Version, now: Now) {
        let Some(Applying { last, batch, reader, late }) = self.applying.pop_front() else {
            return;
        };
        assert_eq!(last, version, "batches are applied in order");
        self.metrics.applied.add(u64::from(batch.count));
        self.metrics.version.set(version.get());
        self.snapshots.bytes += batch.bytes.len() as u64;
        if let Role::Leading(leading) = &mut self.role {
            leading.applied(&batch, version);
        }
        for waiting in late {
            self.reply(waiting);
        }
        self.actions.push_back(Action::Publish(reader, batch));
        self.snapshot_if_due();
        if matches!(self.role, Role::Reading { .. }) && self.applying.is_empty() {
            self.go_on_reading(now);
        }
        self.finish_if_done();
    }

    // ---- time and snapshots -----------------------------------------------------

    fn tick(&mut self, now: Now) {
        let Role::Leading(leading) = &mut self.role else { return };
        let time = leading.clock.read(now);
        self.metrics.log_time_us.set(time.as_us());
        self.metrics.clock_offset_us.set(leading.clock.wall_offset_us().unsigned_abs());
        if let Some(first_kept) = leading.filing.to_forget(time) {
            leading.filing.forgotten(first_kept);
            self.internal.push_back(forget_records_before(first_kept));
        }
        if self.internal.is_empty() {
            match leading.timers.due(self.state.as_ref(), time) {
                Ok(due) => {
                    self.metrics.timers_fired.add(due.len() as u64);
                    self.internal.extend(due);
                }
                Err(error) => self.stop(Stopped::StateInDoubt(error.to_string())),
            }
        }
    }

    fn snapshot_if_due(&mut self) {
        if !self.snapshots.running && self.snapshots.bytes >= self.config.snapshot_bytes {
            self.snapshots.running = true;
            self.snapshots.bytes = 0;
            self.actions.push_back(Action::Keep(self.state.latest()));
        }
    }

    /// The log stays readable from the older of the last two snapshots on.
    fn snapshot_kept(&mut self, state: &ReaderState) {
        self.snapshots.running = false;
        self.metrics.snapshots.increment();
        let older = self.snapshots.newest.replace(state.next_position);
        if let Some(older) = older
            && !matches!(self.role, Role::Stopped(_))
        {
            self.actions.push_back(Action::Trim(older));
        }
    }

    // ---- stopping ---------------------------------------------------------------

    fn finish_if_done(&mut self) {
        let Role::Leading(leading) = &self.role else { return };
        let idle = self.waiting() == 0 && self.internal.is_empty() && self.applying.is_empty();
        if self.stopping && idle && !leading.has_batch() && leading.pipeline.depth() == 0 {
            self.stop(Stopped::Cleanly);
        }
    }

    /// Leads no more: the overlay and what is in flight are thrown away (P9).
    fn stop(&mut self, why: Stopped) {
        if matches!(self.role, Role::Stopped(_)) {
            return;
        }
        let reason = why.to_string();
        let role = std::mem::replace(&mut self.role, Role::Stopped(why.clone()));
        // What is durable has happened, whether or not this node comes to apply it.
        let durable = std::mem::take(&mut self.applying);
        for waiting in durable.into_iter().flat_map(|applying| applying.late) {
            self.reply(waiting);
        }
        if let Role::Leading(leading) = role {
            for waiting in leading.abandon(&reason) {
                self.reply(waiting);
            }
        }
        let picked = std::mem::take(&mut self.picked).into_iter();
        let picked = picked.filter(|(_, internal)| !internal).map(|(request, _)| request);
        for request in picked.chain(self.admission.drain()).collect::<Vec<_>>() {
            self.refuse(request, Failure::Unavailable { reason: reason.clone() });
        }
        self.internal.clear();
        self.actions.push_back(Action::Stopped(why));
    }
}

/// The reader's state that a store carries; `None` for an empty one.
///
/// # Errors
/// [`StoreError::Doubt`] when it does not decode.
pub fn checkpoint_of(mark: &Mark) -> Result<Option<ReaderState>, StoreError> {
    if mark.checkpoint.is_empty() {
        return Ok(None);
    }
    ReaderState::decode(&mark.checkpoint)
        .map(Some)
        .map_err(|error| StoreError::Doubt { what: error.to_string() })
}

fn forget_records_before(first_kept: u32) -> Request {
    let from = stored_key(Namespace::SYSTEM, Records::ID, &());
    let to = stored_key(Namespace::SYSTEM, Records::ID, &(first_kept,));
    Request {
        namespace: Namespace::SYSTEM,
        asked: None,
        deadline_us: None,
        work: Box::new(move |tx| {
            tx.delete_range_stored(&from, &to)?;
            Ok(Vec::new())
        }),
        reply: Box::new(|_| {}),
    }
}
