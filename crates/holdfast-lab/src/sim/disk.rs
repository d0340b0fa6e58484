//! The other simulation: one node on the production file log, over a disk that fails.
//!
//! Crash points, unsynced writes that are lost or torn, failed writes and syncs, a full
//! disk, flipped bits, an old copy of the log put in the place of the new one. The file
//! log runs without its threads ([`FileLog::step`]), so a seed is a run here too.
//! In half of the runs the state is kept on disk too, by the production store, and is wiped,
//! put back to an old copy, or spoiled. What a client was told stays true after every
//! restart; damage is refused by name and never served; a log that lost its end is never
//! followed; state in doubt is made anew.
//!
//! The world goes on in small steps drawn one after another; `disk/restarting`
//! is what happens between two processes, `disk/asking` what is asked and answered, `disk/state_dir` where the state is.

mod asking;
mod restarting;
mod state_dir;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use holdfast_engine::{Action, Event, SnapshotKeeper, Stopped, scrub::Author};
use holdfast_log::{
    Append, FaultDisk, FileLog, Log as _, LogError, Position, Read,
    disk::{Fault as DiskFault, Io},
};
use holdfast_state::Version;

use super::{
    agenda::Micros,
    client::Operation,
    clock::Clock,
    judge::{self, History, State},
    node::{Mailbox, Process},
    primitives::{Menu, Mind},
    streams::Streams,
    trace::Trace,
    truth::Truth,
    violation::Violation,
    workload::Op,
};
use crate::{check::liveness::Bounds, random::Random};
use state_dir::StateDir;

/// Steps in which things may fail.
const FAULTY_STEPS: u64 = 3_000;

/// Steps after which all must be well again.
const WELL_WITHIN: u64 = 20_000;

/// How long an append rests that the log could not take, in microseconds.
const RETRY_US: u64 = 10_000;

/// What the log answered, with what was asked.
enum Heard {
    Appended(Position, Bytes, Result<Append, LogError>),
    Read(Position, Result<Vec<Read>, LogError>),
}

type Answers = Arc<Mutex<Vec<Heard>>>;

/// The world of one machine.
pub(super) struct DiskWorld {
    random: Random,
    faults: Random,
    asks: Random,
    pub(super) trace: Trace,
    now: Micros,
    clock: Clock,
    log_disk: FaultDisk,
    snapshot_disk: FaultDisk,
    /// Where the state is, in runs that keep it.
    state_dir: Option<StateDir>,
    /// The log's directory as it was some restarts ago.
    old_log: Option<FaultDisk>,
    log: Option<Arc<FileLog>>,
    process: Option<Process>,
    answers: Answers,
    resting: Vec<(Micros, Position, Bytes)>,
    /// What every position is known to hold.
    taken: BTreeMap<Position, Bytes>,
    truth: Truth,
    operations: Vec<Operation>,
    /// Keyed operations without an answer.
    open: Vec<usize>,
    told: u64,
    /// When the faults ended.
    healed_us: Micros,
    mailbox: Mailbox,
    durable: Arc<AtomicU64>,
    lives: u64,
    /// The log has answered an append since the power went last.
    answered_since_power: bool,
    /// A read of this life gives other bits than the disk has.
    flipped_read: bool,
    settings: Settings,
    menu: Menu,
    mind: Mind,
    /// Faults end after this many steps.
    left: u64,
}

/// What a seed draws.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    segment_bytes: u64,
    snapshot_bytes: u64,
    digest_entries: u64,
    entries_in_flight: usize,
    /// Of a hundred faults, how many are of each kind: see `DiskWorld::strike`.
    rarity: u64,
    /// Size of a table of the state on disk; 0 when the state is in memory only.
    memtable_bytes: usize,
}

impl Settings {
    fn draw(mut shape: Random) -> Self {
        Self {
            segment_bytes: shape.pick(&[12 << 10, 20 << 10, 64 << 10]),
            snapshot_bytes: shape.pick(&[3_000, 12_000, u64::MAX]),
            digest_entries: shape.pick(&[3, 30]),
            entries_in_flight: shape.pick(&[1, 2, 4]),
            rarity: shape.pick(&[40, 120, 400]),
            memtable_bytes: shape.pick(&[0, 0, 1_500, 6_000]),
        }
    }
}

impl DiskWorld {
    pub(super) fn new(seed: u64, printing: bool) -> Self {
        let streams = Streams::new(seed);
        let settings = Settings::draw(streams.of("disk shape"));
        Self {
            random: streams.of("steps"),
            faults: streams.of("disk faults"),
            asks: streams.of("clients"),
            trace: Trace::new(printing),
            now: 0,
            clock: Clock::new(1_000_000),
            log_disk: FaultDisk::new(),
            snapshot_disk: FaultDisk::new(),
            state_dir: (settings.memtable_bytes > 0)
                .then(|| StateDir::new(settings.memtable_bytes)),
            old_log: None,
            log: None,
            process: None,
            answers: Answers::default(),
            resting: Vec::new(),
            taken: BTreeMap::new(),
            truth: Truth::new(),
            operations: Vec::new(),
            open: Vec::new(),
            told: 0,
            healed_us: 0,
            mailbox: Mailbox::default(),
            durable: Arc::new(AtomicU64::new(0)),
            lives: 0,
            answered_since_power: false,
            flipped_read: false,
            settings,
            menu: Menu::draw(&mut streams.of("menu")).of_small_entries(),
            mind: Mind::new(0),
            left: FAULTY_STEPS,
        }
    }

    /// What was drawn, for people.
    pub(super) fn drawn(&self) -> String {
        format!("  {:?}\n  {}", self.settings, self.menu)
    }

    /// Runs to the end.
    ///
    /// # Errors
    /// The first promise that was broken.
    pub(super) fn run(&mut self) -> Result<(), Violation> {
        self.begin_a_life()?;
        while self.left > 0 {
            self.left -= 1;
            self.step()?;
        }
        self.trace.note(self.now, "all faults end", [0; 3]);
        self.healed_us = self.now;
        self.power_fails(holdfast_log::disk::Crash::Lost)?;
        // That somebody can write is what a world that is well shows.
        self.begin(Op::Say, true);
        for _ in 0..WELL_WITHIN {
            if self.is_well() {
                break;
            }
            self.step()?;
        }
        self.judge()
    }

    fn step(&mut self) -> Result<(), Violation> {
        self.now += 1 + self.random.below(2_000);
        match self.random.below(20) {
            0..4 => self.ask(),
            4..11 => self.turn()?,
            11..17 => {
                if self.log.as_ref().is_some_and(|log| log.step()) {
                    self.trace.note(self.now, "the log steps", [0; 3]);
                }
                self.hear()?;
            }
            17 | 18 => self.apply()?,
            _ => self.strike()?,
        }
        self.look_at_answers()?;
        if self.log_disk.is_off() || self.snapshot_disk.is_off() {
            self.trace.count("fault: power cut at an operation");
            let crash = self.crash();
            return self.power_fails(crash);
        }
        Ok(())
    }

    /// Something fails now, or at one of the next operations of the disk.
    fn strike(&mut self) -> Result<(), Violation> {
        if self.left == 0 || self.faults.below(self.settings.rarity) >= 10 {
            return Ok(());
        }
        let ahead = self.faults.below(30);
        match self.faults.below(12) {
            0 | 1 => {
                self.trace.count("fault: process killed");
                self.process_ends()?;
            }
            2 | 3 => {
                self.trace.count("fault: power cut between operations");
                let crash = self.crash();
                self.power_fails(crash)?;
            }
            4..7 => self.log_disk.fail_at(self.log_disk.ios() + ahead, DiskFault::PowerCut),
            7 => self.fails_later("fault: failed write of the log", ahead, DiskFault::Error),
            8 => self.fails_later("fault: full disk", ahead, DiskFault::NoSpace),
            9 => {
                self.trace.count("fault: failed sync of the log");
                self.log_disk.fail_next(Io::Sync, DiskFault::LostSync);
            }
            10 => {
                self.trace.count("fault: snapshot will fail");
                self.snapshot_disk.fail_next(Io::Write, DiskFault::Error);
            }
            _ => self.spoil_and_restart()?,
        }
        Ok(())
    }

    fn fails_later(&mut self, what: &'static str, ahead: u64, fault: DiskFault) {
        self.trace.count(what);
        self.log_disk.fail_at(self.log_disk.ios() + ahead, fault);
    }

    // ---- the process ------------------------------------------------------------

    fn turn(&mut self) -> Result<(), Violation> {
        let now = self.clock.read(self.now);
        self.act()?;
        let due: Vec<_> = self.resting.extract_if(.., |(at, ..)| *at <= self.now).collect();
        for (_, position, bytes) in due {
            self.append(position, bytes);
        }
        let Some(process) = self.process.as_mut() else { return Ok(()) };
        while let Some(event) = process.inbox.pop_front() {
            process.engine.handle(event, now);
        }
        process.engine.handle(Event::Tick, now);
        process.engine.work(now);
        self.act()
    }

    fn act(&mut self) -> Result<(), Violation> {
        let mut stopped = None;
        while let Some(action) = self.process.as_mut().and_then(|p| p.engine.next_action()) {
            match action {
                Action::Append(position, bytes) => self.append(position, bytes),
                Action::AppendLater(position, bytes) => {
                    self.resting.push((self.now + RETRY_US, position, bytes));
                }
                Action::Read(position) => self.read(position),
                Action::Reply(reply, answer) => reply(answer),
                Action::Apply(batch, reader, waiting) => {
                    if !self.truth.holds(&batch) {
                        let version = batch.first.get();
                        return Err(Violation::AppliedOther { node: 0, version });
                    }
                    let process = self.process.as_mut().expect("it acts");
                    process.applies.push_back((batch, reader, waiting));
                }
                Action::Publish(..) | Action::Follows(_) | Action::Wait(_) => {}
                Action::Confirmed(confirm, proved) => (confirm.0)(proved),
                Action::Keep(snapshot) => self.keep(snapshot.as_ref()),
                Action::Trim(below) => self.trim(below),
                Action::Led(version) => {
                    self.trace.note(self.now, "leads", [self.lives, version.get(), 0]);
                    self.process.as_mut().expect("it acts").author = Author::Ourselves;
                }
                Action::Stopped(why) => stopped = Some(why),
            }
        }
        stopped.map_or(Ok(()), |why| self.stopped(&why))
    }

    fn stopped(&mut self, why: &Stopped) -> Result<(), Violation> {
        let words = match why {
            // It may name the directory of the state, which is another in every run.
            Stopped::StateInDoubt(_) => "the state is in doubt".to_owned(),
            why => why.to_string(),
        };
        self.trace.tell(self.now, "stops", [self.lives, 0, 0], words);
        match why {
            Stopped::StateInDoubt(what) => self.in_doubt(what),
            Stopped::Failed(_) => {
                self.trace.count("path: stopped, since the log stopped");
                self.process_ends()
            }
            Stopped::Cleanly | Stopped::Deposed | Stopped::Behind(_) => {
                Err(Violation::Broken { why: why.to_string() })
            }
        }
    }

    /// The process ends, and the next one makes its state anew; unless nobody spoiled it.
    fn in_doubt(&mut self, what: &str) -> Result<(), Violation> {
        let Some(dir) = self.state_dir.as_mut().filter(|dir| dir.is_spoiled()) else {
            return Err(Violation::Doubt { node: 0, what: what.to_owned() });
        };
        self.trace.count("path: spoiled state was found in doubt while it was used");
        self.process = None;
        dir.wipe();
        self.process_ends()
    }

    fn apply(&mut self) -> Result<(), Violation> {
        let Some(process) = self.process.as_mut() else { return Ok(()) };
        let Some(next) = process.applies.pop_front() else { return Ok(()) };
        let applied = process.apply(next);
        if let Event::Applied(_, Err(doubt)) = &applied {
            return self.in_doubt(&doubt.to_string());
        }
        process.inbox.push_back(applied);
        Ok(())
    }

    fn keep(&mut self, snapshot: &dyn holdfast_state::Snapshot) {
        let process = self.process.as_mut().expect("it acts");
        let event = match process.keeper.write(snapshot) {
            Ok(kept) => Event::SnapshotKept(kept.state),
            Err(error) => Event::SnapshotFailed(error.to_string()),
        };
        self.trace.count(match event {
            Event::SnapshotKept(_) => "path: snapshot kept",
            _ => "path: snapshot not kept",
        });
        process.inbox.push_back(event);
    }

    // ---- the log ----------------------------------------------------------------

    fn append(&mut self, position: Position, bytes: Bytes) {
        let Some(log) = &self.log else { return };
        self.truth.sent(&bytes, (0, self.lives));
        self.trace.note(self.now, "append", [0, position.get(), bytes.len() as u64]);
        self.trace.bytes(&bytes);
        let (answers, sent) = (Arc::clone(&self.answers), bytes.clone());
        let done = move |found| push(&answers, Heard::Appended(position, sent, found));
        log.append(position, bytes, Box::new(done));
    }

    fn read(&self, position: Position) {
        let Some(log) = &self.log else { return };
        let answers = Arc::clone(&self.answers);
        let done = move |found| push(&answers, Heard::Read(position, found));
        log.read(position, 2_000, Box::new(done));
    }

    fn trim(&mut self, below: Position) {
        let backed = self
            .process
            .as_ref()
            .is_some_and(|process| process.keeper.backs(below).unwrap_or(false));
        let Some(log) = self.log.as_ref().filter(|_| backed) else { return };
        self.trace.count("path: asked to trim");
        log.trim(below, Box::new(drop));
    }

    /// The log's answers become events, and what they prove is noted.
    fn hear(&mut self) -> Result<(), Violation> {
        let heard =
            std::mem::take(&mut *self.answers.lock().unwrap_or_else(PoisonError::into_inner));
        for heard in heard {
            let event = match heard {
                Heard::Appended(position, sent, found) => {
                    match &found {
                        Ok(Append::Ok) => {
                            self.answered_since_power = true;
                            self.holds(position, &sent)?;
                        }
                        Ok(Append::Taken(there)) => self.holds(position, &there.clone())?,
                        Ok(Append::Trimmed) | Err(_) => {}
                    }
                    Event::Appended(position, sent, found)
                }
                Heard::Read(position, found) => {
                    if let Err(error @ LogError::Damaged { .. }) = &found {
                        if !self.flipped_read {
                            return Err(Violation::CannotOpen { why: error.to_string() });
                        }
                        self.trace.count("path: bits flipped on their way were refused by name");
                    }
                    Event::ReadBack(position, found)
                }
            };
            if let Some(process) = self.process.as_mut() {
                process.inbox.push_back(event);
            }
        }
        self.truth.follow(&|position| self.taken.get(&position).cloned())?;
        self.durable.store(self.truth.version(), Ordering::SeqCst);
        Ok(())
    }

    /// A position is known to hold this; it always did, if it was known before.
    fn holds(&mut self, position: Position, bytes: &Bytes) -> Result<(), Violation> {
        let before = self.taken.entry(position).or_insert_with(|| bytes.clone());
        if before == bytes {
            return Ok(());
        }
        Err(Violation::Lost { position, now: "other bytes".to_owned() })
    }

    // ---- the end ----------------------------------------------------------------

    fn is_well(&self) -> bool {
        self.open.is_empty()
            && self.truth.holds_open() == 0
            && self.truth.overdue() == 0
            && self.process.as_ref().is_some_and(|process| {
                process.applied() == self.truth.version() && !process.is_busy()
            })
    }

    fn judge(&mut self) -> Result<(), Violation> {
        let history = History {
            operations: &self.operations,
            truth: &self.truth,
            entries: judge::entries(&|position| self.taken.get(&position).cloned()),
            digests: &[],
            tokens_only: false,
        };
        let told = history.is_safe()?;
        let bounds = Bounds {
            healed: Duration::from_micros(self.healed_us),
            recovery: Duration::from_micros(self.now - self.healed_us),
            answer: Duration::from_micros(self.now - self.healed_us),
            end: Duration::from_micros(self.now),
        };
        let state = self.process.as_ref().map(|process| State {
            who: "the node".to_owned(),
            version: Version::new(process.applied()),
            rows: process.store.as_ref(),
        });
        let keeper = SnapshotKeeper::new(Arc::new(self.snapshot_disk.clone()));
        history.is_well(&bounds, state.as_slice(), &keeper, &told.primitives)?;
        for (what, count) in told.primitives.counts() {
            self.trace.count_many(what, count);
        }
        if !self.is_well() {
            let what = format!("{} operations are not answered", self.open.len());
            return Err(Violation::NotHealed { after_ms: self.now / 1000, what });
        }
        self.trace.count_many("lives", self.lives);
        self.trace.count_many("transactions", self.truth.version());
        let answered = self.operations.iter().filter(|asked| asked.answered).count();
        self.trace.count_many("operations answered", answered as u64);
        Ok(())
    }
}

fn push(answers: &Answers, heard: Heard) {
    answers.lock().unwrap_or_else(PoisonError::into_inner).push(heard);
}
