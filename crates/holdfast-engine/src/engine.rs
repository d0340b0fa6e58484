//! The partition as a state machine: events in, actions out.
//!
//! It begins by reading the log to its first hole. There it claims leadership, or
//! follows whoever leads, as long as that lease runs; leading, it turns requests
//! into entries, and follows again when another's claim comes. Everyone who reads
//! the log, this node included, changes state in one way only: what the positions
//! hold goes through the [`Reader`] automaton, and the batches that count are
//! applied in order.
//!
//! ```text
//! Request  ─▶ admission ─▶ evaluate ─▶ open batch ─▶ seal ─▶ Append
//! Appended ─▶ pipeline ─▶ reader ─▶ Apply, which gives the answers
//! Applied  ─▶ overlay forgets ─▶ Publish
//! Confirm  ─▶ an entry sent after it, or a look at the hole ─▶ Confirmed
//!
//! Reading ─▶ (follows) ─▶ Claiming ─▶ Leading ─▶ Reading …   and from each to Stopped
//! ```
//!
//! No clock, no IO, no thread: the driver brings time and answers with each
//! event, and the simulator is another driver.

mod claiming;
mod confirming;
mod ending;
mod evaluating;
mod keeping;
mod reading;
mod watch;

use claiming::Claiming;
use keeping::SnapshotPlan;
use watch::Watch;

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use holdfast_log::{
    Append, EntryHeader, LogError, Position, Provenance, Reader, ReaderState, Step,
    entry::HEADER_BYTES,
};
use holdfast_planted::planted;
use holdfast_state::{
    Batch, LogTime, Mark, Namespace, Snapshots, StoreError, Table as _, Version, store::Pressure,
    table::stored_key,
};

use crate::{
    admission::Admission,
    config::{Config, Leadership},
    confirm::{self, Confirming},
    event::{Action, Event, Now, Stopped},
    idempotency::Records,
    leader::{Leader, Lease},
    leading::Leading,
    metrics::Metrics,
    pipeline::{Acknowledged, Pipeline, Waiting},
    quarantine::Quarantine,
    request::{Failure, Request},
};

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
    watch: Watch,
    lease: Arc<Lease>,
    /// What the log says of the server that it is on.
    provenance: Provenance,
    confirming: Confirming,
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
    /// Leadership is being given up.
    resigning: bool,
    metrics: Arc<Metrics>,
}

#[derive(Debug)]
enum Role {
    /// Reading up to the first hole; there, waiting until all of it is applied, and then for more
    /// while somebody else leads.
    Reading {
        at_the_hole: bool,
    },
    /// A claim is on its way.
    Claiming(Box<Claiming>),
    Leading(Box<Leading>),
    Stopped(Stopped),
}

/// A durable batch that is not in the state yet.
#[derive(Debug)]
struct Applying {
    last: Version,
    batch: Batch,
    reader: ReaderState,
    /// Who came to rest on it after it was handed over.
    late: Vec<confirm::Reader>,
    /// From when on leadership is proved, so that everything acknowledged until then is in it or before it.
    proved_us: Option<u64>,
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
            watch: Watch::default(),
            lease: Arc::default(),
            provenance: Provenance::NONE,
            confirming: Confirming::default(),
            internal: VecDeque::new(),
            picked: VecDeque::new(),
            quarantine: Quarantine::default(),
            undigested: 0,
            actions: VecDeque::new(),
            snapshots: SnapshotPlan::after(newest_snapshot),
            random: SplitMix(seed),
            stopping: false,
            resigning: false,
            metrics: Arc::default(),
        };
        let draw = engine.random.next();
        engine.watch.draw(draw);
        engine.metrics.epoch.set(engine.reader.state().epoch.get());
        engine.look(Now::default());
        Ok(engine)
    }

    /// The same, with requests that may have killed the process before.
    #[must_use]
    pub fn guarded_by(self, quarantine: Quarantine) -> Self {
        let refused = quarantine.suspects().quarantined().count();
        self.metrics.in_quarantine.set(refused as u64);
        Self { quarantine, ..self }
    }

    /// The same, told who said last in the log, below where it goes on reading, that it leads.
    #[must_use]
    pub fn told(mut self, leader: Option<Leader>) -> Self {
        self.watch.leader = leader;
        self
    }

    /// What the log says of the server that it is on, for claims and renewals to record. A leader
    /// whose log moves says so at once.
    pub fn on_server(&mut self, provenance: Provenance) {
        if self.provenance != provenance {
            self.provenance = provenance;
            if let Role::Leading(leading) = &mut self.role {
                leading.moved(provenance);
            }
        }
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

    /// How long it may answer reads without asking the log.
    #[must_use]
    pub const fn lease(&self) -> &Arc<Lease> {
        &self.lease
    }

    /// Why it does not lead although nobody else may: its clock, for one.
    #[must_use]
    pub fn unfit(&self) -> Option<&str> {
        self.watch.unfit.as_deref()
    }

    /// Does it wait for what this position holds, having sent something there? A driver need not
    /// send again what a leader no longer wants.
    #[must_use]
    pub fn awaits(&self, position: Position) -> bool {
        match &self.role {
            Role::Claiming(claiming) => claiming.pipeline.sent(position).is_some(),
            Role::Leading(leading) => leading.pipeline.sent(position).is_some(),
            Role::Reading { .. } | Role::Stopped(_) => false,
        }
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
            Role::Reading { .. } | Role::Claiming(_) | Role::Stopped(_) => false,
        }
    }

    /// For how long nothing happens unless an event comes, in microseconds: until
    /// the next timer is due, others should hear of this leader, or it is time to look
    /// for what others wrote; at most a second.
    pub fn idle_us(&mut self, now: Now) -> u64 {
        const LONGEST_US: u64 = 1_000_000;
        let shared = self.config.leadership != Leadership::Alone;
        let us = match &mut self.role {
            Role::Leading(leading) if self.resigning || leading.resigned => LONGEST_US,
            Role::Leading(leading) => {
                let time = leading.clock.read(now);
                // What is due and cannot be done waits for an event, not for time.
                let timer_us = if self.internal.is_empty() {
                    leading.timers.earliest().since_us(time)
                } else {
                    LONGEST_US
                };
                let full = leading.pipeline.depth() >= self.config.entries_in_flight_max;
                let beats = shared && !full;
                if beats { timer_us.min(leading.until_heartbeat_us(now)) } else { timer_us }
            }
            Role::Reading { .. } if self.applying.is_empty() => self.watch.until_look_us(now),
            Role::Reading { .. } | Role::Claiming(_) | Role::Stopped(_) => LONGEST_US,
        };
        us.min(LONGEST_US)
    }

    /// Takes an event in. Cheap: nothing is evaluated here.
    pub fn handle(&mut self, event: Event, now: Now) {
        let wall = Now { monotonic_us: now.wall_us, ..now };
        let now = if planted!(WallClockForLeases) { wall } else { now };
        self.watch.begin(now);
        match event {
            Event::Request(request) => self.admit(request),
            Event::Confirm(confirm) => self.confirm(confirm, now),
            Event::Appended(position, sent, Ok(append)) => {
                self.appended(position, (sent, append), now);
            }
            Event::Appended(position, sent, Err(_)) if planted!(TimeoutIsSuccess) => {
                self.appended(position, (sent, Append::Ok), now);
            }
            Event::Appended(position, _, Err(error)) => self.append_failed(position, &error),
            Event::ReadBack(from, Ok(reads)) => self.read_back(from, reads, now),
            Event::ReadBack(_, Err(error)) => self.read_failed(&error, now),
            Event::Applied(version, Ok(())) => self.applied(version, now),
            Event::Applied(_, Err(error)) | Event::Doubt(error) => {
                self.stop(Stopped::StateInDoubt(error.to_string()));
            }
            Event::MayHold(position) => self.may_hold(position, now),
            Event::Tick => self.tick(now),
            Event::SnapshotKept(state) => self.snapshot_kept(&state),
            Event::SnapshotFailed(error) => self.snapshot_failed(&error),
            Event::HandOver => self.hand_over(now),
            Event::Stop => {
                self.stopping = true;
                self.finish_if_done(now);
            }
        }
    }

    fn enter(&mut self, role: Role) {
        self.metrics.role.set(match &role {
            Role::Reading { .. } => u64::from(self.watch.told.is_some()),
            Role::Claiming(_) => 2,
            Role::Leading(_) => 3,
            Role::Stopped(_) => 4,
        });
        self.role = role;
    }

    /// Why nothing is taken now, if that is so.
    fn turned_away(&self) -> Option<Failure> {
        let unavailable = |reason| Some(Failure::Unavailable { reason });
        match &self.role {
            _ if self.stopping => unavailable("it is shutting down".to_owned()),
            Role::Stopped(why) => unavailable(why.to_string()),
            Role::Claiming(_) | Role::Leading(_) if self.resigning => {
                Some(Failure::NotLeader { leader: None })
            }
            Role::Reading { .. } if self.config.leadership != Leadership::Alone => {
                Some(Failure::NotLeader { leader: self.known_leader() })
            }
            Role::Reading { .. } | Role::Claiming(_) | Role::Leading(_) => None,
        }
    }

    /// Who else leads: not this node in an earlier life.
    fn known_leader(&self) -> Option<Leader> {
        let other = |leader: &&Leader| leader.node != self.config.node;
        self.watch.leader.as_ref().filter(other).cloned()
    }

    fn admit(&mut self, request: Request) {
        if let Some(failure) = self.turned_away() {
            self.refuse(request, failure);
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

    fn appended(&mut self, position: Position, (sent, append): (Bytes, Append), now: Now) {
        let Some(pipeline) = self.pipeline() else { return };
        if pipeline.answered(position, sent, append).is_err() {
            // Somebody trimmed past us, so somebody leads and is far ahead (P3).
            return self.stop(match self.config.leadership {
                Leadership::Alone => Stopped::Deposed,
                Leadership::Shared(_) => Stopped::Behind(position),
            });
        }
        self.advance(now);
        self.send(now);
        self.finish_if_done(now);
    }

    /// What was sent and is not known to have come there.
    fn pipeline(&mut self) -> Option<&mut Pipeline> {
        match &mut self.role {
            Role::Claiming(claiming) => Some(&mut claiming.pipeline),
            Role::Leading(leading) => Some(&mut leading.pipeline),
            Role::Reading { .. } | Role::Stopped(_) => None,
        }
    }

    fn append_failed(&mut self, position: Position, error: &LogError) {
        if error.is_permanent() {
            self.stop(Stopped::Failed(error.to_string()));
            return;
        }
        if let Some(bytes) = self.pipeline().and_then(|pipeline| pipeline.sent(position)).cloned() {
            // The same bytes at the same place: if it was there after all, it is found (P6).
            self.actions.push_back(Action::AppendLater(position, bytes));
        }
    }

    /// What one position holds takes its effect.
    fn feed(&mut self, position: Position, bytes: &Bytes, now: Now) {
        let step = match self.reader.feed(position, bytes) {
            Ok(step) => step,
            Err(broken) => return self.stop(Stopped::Failed(broken.to_string())),
        };
        if !matches!(step, Step::Dead(_)) {
            self.watch.heard(now);
            self.metrics.heard_us.set(now.monotonic_us);
        }
        match step {
            Step::Batch(header, body) => self.apply(position, &header, body, now),
            Step::Renewal(header, claim) => {
                self.watch.told_by(&header, &claim);
                self.apply(position, &header, Bytes::new(), now);
            }
            Step::Claim(header, claim) => {
                self.watch.told_by(&header, &claim);
                self.claimed(&header, now);
            }
            Step::Dead(reason) => self.dead(position, &format!("{reason:?}"), now),
        }
    }

    fn dead(&mut self, position: Position, reason: &str, now: Now) {
        tracing::warn!(%position, reason, "a dead entry");
        match &mut self.role {
            Role::Leading(leading) => {
                for (position, bytes) in leading.pipeline.resend_after(position) {
                    self.actions.push_back(Action::Append(position, bytes));
                }
            }
            Role::Claiming(_) => self.claim_is_taken(now),
            Role::Reading { .. } | Role::Stopped(_) => {}
        }
    }

    /// The only way state changes. A renewal brings nothing but where the log goes on.
    fn apply(&mut self, position: Position, header: &EntryHeader, body: Bytes, now: Now) {
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
        let own = self.acknowledge(header.sequence);
        let (sent_us, waiting) =
            own.map_or((None, Vec::new()), |own| (Some(own.sent_us), own.waiting));
        self.metrics.position.set(position.get());
        for Waiting { answer, .. } in &waiting {
            self.metrics.count(answer);
        }
        self.actions.push_back(Action::Apply(batch.clone(), reader, waiting));
        let last = Version::new(reader.next_version - 1);
        self.applying.push_back(Applying {
            last,
            batch,
            reader,
            late: Vec::new(),
            proved_us: None,
        });
        if let Some(sent_us) = sent_us {
            self.proved_by(header.sequence, sent_us);
        }
        if matches!(self.role, Role::Claiming(_)) {
            // Another leader's entry was there first: read what else it wrote.
            self.claim_is_taken(now);
        }
    }

    /// An entry counts. If it is ours: what waited for it.
    fn acknowledge(&mut self, sequence: u64) -> Option<Acknowledged> {
        let Role::Leading(leading) = &mut self.role else { return None };
        Some(leading.pipeline.acknowledge(sequence))
    }

    /// A batch is in the state.
    fn applied(&mut self, version: Version, now: Now) {
        let Some(Applying { last, batch, reader, late, proved_us }) = self.applying.pop_front()
        else {
            return;
        };
        assert_eq!(last, version, "batches are applied in order");
        self.metrics.applied.add(u64::from(batch.count));
        self.metrics.version.set(version.get());
        // A renewal has no body here; it took up room in the log all the same.
        let header = if batch.count == 0 { HEADER_BYTES } else { 0 };
        self.snapshots.bytes += (batch.bytes.len() + header) as u64;
        match &mut self.role {
            Role::Leading(leading) => leading.applied(&batch, version),
            Role::Reading { .. } | Role::Claiming(_) | Role::Stopped(_) => {
                self.metrics.log_time_us.set(reader.log_time_us);
            }
        }
        if let Some(us) = proved_us {
            self.is_fresh_since(us);
        }
        for reader in late {
            self.may_read(reader);
        }
        if batch.count > 0 {
            self.actions.push_back(Action::Publish(reader, batch));
        }
        self.snapshot_if_due(version);
        if matches!(self.role, Role::Reading { .. }) && self.applying.is_empty() {
            self.go_on_reading(now);
        }
        self.finish_if_done(now);
    }

    // ---- time -------------------------------------------------------------------

    fn tick(&mut self, now: Now) {
        if matches!(self.role, Role::Reading { .. }) && self.applying.is_empty() {
            if self.watch.look_is_due(now) {
                self.look(now);
            }
            return;
        }
        let Role::Leading(leading) = &mut self.role else { return };
        let time = leading.clock.read(now);
        self.metrics.log_time_us.set(time.as_us());
        self.metrics.clock_offset_us.set(leading.clock.wall_offset_us().unsigned_abs());
        if self.resigning || leading.resigned {
            return;
        }
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
