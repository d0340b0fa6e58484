//! Between two processes: what the disk kept, what was done to it, and what the next
//! process makes of it.

use std::sync::{Arc, Mutex, PoisonError, atomic::AtomicU64};

use bytes::Bytes;
use holdfast_engine::{Config, Engine, SnapshotKeeper};
use holdfast_log::{
    FaultDisk, FileLog, FileLogOptions, Log as _, LogError, Position, Read, blocking,
    disk::{Crash, Fault as DiskFault, Io},
};

use super::{DiskWorld, Heard};
use crate::sim::{
    client::Fate,
    node::{Postmark, Process},
    recovery::{self, Beginning},
    violation::Violation,
    workload,
};

/// What a position holds that was cut off.
const NOTHING: &str = "nothing";

impl DiskWorld {
    /// What a power cut does to what was not synced.
    pub(super) fn crash(&mut self) -> Crash {
        match self.faults.below(4) {
            0 => Crash::Kept,
            1 => Crash::Lost,
            _ => Crash::Torn(self.faults.next()),
        }
    }

    /// The power goes, and comes back.
    pub(super) fn power_fails(&mut self, crash: Crash) -> Result<(), Violation> {
        self.trace.tell(self.now, "power fails", [self.lives, 0, 0], format!("{crash:?}"));
        self.end_the_life();
        self.answered_since_power = false;
        self.log_disk = self.log_disk.crash(crash);
        self.snapshot_disk = self.snapshot_disk.crash(crash);
        self.begin_again()
    }

    /// The process ends; the machine goes on.
    pub(super) fn process_ends(&mut self) -> Result<(), Violation> {
        self.trace.note(self.now, "the process ends", [self.lives, 0, 0]);
        self.end_the_life();
        self.log_disk = self.log_disk.kill();
        self.snapshot_disk = self.snapshot_disk.kill();
        self.begin_again()
    }

    fn end_the_life(&mut self) {
        self.process = None;
        self.log = None;
        self.resting.clear();
        self.flipped_read = false;
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).clear();
        // Whoever waits learns nothing: the connection is gone.
        for sending in self.operations.iter_mut().flat_map(|asked| &mut asked.sendings) {
            if matches!(sending.fate, Fate::Open) {
                sending.fate = Fate::Lost;
            }
        }
    }

    /// A new process, which may die while it opens what the last one left.
    fn begin_again(&mut self) -> Result<(), Violation> {
        if self.left > 0 && self.faults.percent(10) {
            let ahead = self.faults.below(60);
            self.log_disk.fail_at(ahead, DiskFault::PowerCut);
        }
        if self.faults.percent(20) || self.old_log.is_none() {
            let copy = self.log_disk.kill();
            self.log_disk = self.log_disk.kill();
            self.old_log = Some(copy);
        }
        self.state_befalls();
        self.begin_a_life()
    }

    /// Something may happen to the state on disk.
    fn state_befalls(&mut self) {
        let Some(dir) = self.state_dir.as_mut() else { return };
        if self.left == 0 {
            // Who put a spoiled disk right would not leave half of it.
            if dir.is_spoiled() {
                dir.wipe();
            }
            return;
        }
        let what = match self.faults.below(20) {
            0 => {
                dir.wipe();
                "fault: state wiped"
            }
            1 | 2 if dir.restore() => "fault: old copy of the state",
            3 | 4 if dir.flip(&mut self.faults) => "fault: flipped bits of the state",
            5..8 if !dir.is_spoiled() => {
                dir.copy();
                return;
            }
            _ => return,
        };
        self.trace.count(what);
        self.trace.note(self.now, what, [self.lives, 0, 0]);
    }

    /// Bits flip in the log's files, or an old copy of them is put in their place, while
    /// no process runs. Either is refused by name, or it was nothing that anybody reads;
    /// then a person puts the good files back.
    pub(super) fn spoil_and_restart(&mut self) -> Result<(), Violation> {
        self.end_the_life();
        self.snapshot_disk = self.snapshot_disk.kill();
        // Bits flip in what is on the disk; what is in the page cache alone is none of it.
        let good = self.log_disk.crash(Crash::Kept);
        self.log_disk = good.kill();
        let good = good.kill();
        let old = self.old_log.take().filter(|_| self.faults.percent(40));
        let refused = match old {
            Some(old) => self.refuses_an_old_copy(&old)?,
            None => self.refuses_flipped_bits()?,
        };
        if refused {
            self.log = None;
            self.log_disk = good;
        }
        self.log_disk = self.log_disk.kill();
        self.begin_a_life()
    }

    /// The log's directory is put back to an old copy, or to nothing at all.
    fn refuses_an_old_copy(&mut self, old: &FaultDisk) -> Result<bool, Violation> {
        let copy = if self.faults.percent(30) {
            self.trace.count("fault: log wiped");
            FaultDisk::new()
        } else {
            self.trace.count("fault: old copy of the log");
            old.kill()
        };
        let log = self.open(&copy).map_err(|error| cannot(&error))?;
        let ends = extent(&log)?;
        let keeper = SnapshotKeeper::new(Arc::new(self.snapshot_disk.clone()));
        let files = keeper.list().map_err(|error| Violation::CannotOpen { why: error.to_string() });
        let needed = files?.iter().find_map(|file| keeper.verify(file).ok());
        let needed = needed.map(|kept| kept.state.next_position);
        match (recovery::begin(None, &mut recovery::in_memory, &keeper, ends), needed) {
            (Ok(_), Some(needed)) if needed > ends.1 => {
                Err(Violation::LostTailFollowed { tail: ends.1, needed })
            }
            (Err(_), _) => {
                self.trace.count("path: a log that lost its end was refused");
                Ok(true)
            }
            // No snapshot knows of more: nobody can tell.
            (Ok(_), _) => Ok(true),
        }
    }

    fn refuses_flipped_bits(&mut self) -> Result<bool, Violation> {
        let files: Vec<_> = self.log_disk.files();
        let file =
            files[usize::try_from(self.faults.below(files.len() as u64)).expect("a few")].clone();
        let length = self.log_disk.bytes(&file).map_or(0, |bytes| bytes.len() as u64);
        // Most of a segment is room: flip where something is likely to be.
        let offset = self.faults.below(length.max(1)).min(self.faults.below(length.max(1)));
        if length == 0 {
            return Ok(true);
        }
        self.trace.count("fault: flipped bits");
        self.trace.tell(self.now, "flip", [offset, 0, 0], file.clone());
        self.log_disk.flip(&file, offset, 1 << self.faults.below(8));
        match self.open(&self.log_disk.clone()) {
            Ok(log) => match self.compare(&log) {
                Ok(_) => {
                    self.trace.count("path: flipped bits that nobody reads");
                    Ok(false)
                }
                // A power cut may take the mark that proves the last group durable, and until the
                // next answer there is no other (`holdfast_log::file::recovery`).
                Err(Violation::Lost { now, .. })
                    if now == NOTHING && !self.answered_since_power =>
                {
                    self.trace.count("path: flipped bits in what a power cut left unproven");
                    Ok(true)
                }
                Err(violation) => Err(violation),
            },
            Err(error) => {
                self.trace.tell(self.now, "refused", [0; 3], error.to_string());
                self.trace.count("path: flipped bits were refused by name");
                Ok(true)
            }
        }
    }

    fn open(&self, disk: &FaultDisk) -> Result<Arc<FileLog>, LogError> {
        let options = FileLogOptions {
            segment_bytes: self.settings.segment_bytes,
            max_entry_bytes: 6 << 10,
            ..FileLogOptions::default()
        };
        FileLog::open_stepped(Arc::new(disk.clone()), options).map(Arc::new)
    }

    fn config(&self) -> Config {
        Config {
            timers: workload::handlers(),
            snapshot_bytes: self.settings.snapshot_bytes,
            digest_entries: self.settings.digest_entries,
            entries_in_flight_max: self.settings.entries_in_flight,
            ..Config::default()
        }
    }

    /// A process begins on the disk as it is.
    pub(super) fn begin_a_life(&mut self) -> Result<(), Violation> {
        let (log, ends) = loop {
            let opened = self.open(&self.log_disk).map_err(|error| cannot(&error));
            match opened.and_then(|log| self.compare(&log).map(|ends| (log, ends))) {
                Ok(opened) => break opened,
                Err(_) if self.log_disk.is_off() => {
                    self.trace.count("fault: power cut while opening");
                    let crash = self.crash();
                    self.answered_since_power = false;
                    self.log_disk = self.log_disk.crash(crash);
                }
                Err(violation) => return Err(violation),
            }
        };
        let keeper = SnapshotKeeper::new(Arc::new(self.snapshot_disk.clone()));
        let begun = self.begun(&keeper, ends)?;
        self.trace.count(begun.how);
        self.lives += 1;
        let config = self.config().fitted_to(&log.properties());
        let postmark = Postmark {
            node: 0,
            applied: Arc::new(AtomicU64::new(0)),
            durable: Arc::clone(&self.durable),
            mailbox: self.mailbox.clone(),
        };
        let mark = begun.store.mark();
        let seed = self.random.next();
        let engine = Engine::new(config, begun.store.snapshots(), &mark, seed, begun.newest)
            .map_err(|doubt| Violation::Doubt { node: 0, what: doubt.to_string() })?;
        self.log = Some(log);
        self.process = Some(Process::new(engine, (begun.store, begun.origin), postmark, keeper));
        self.trace.note(self.now, begun.how, [self.lives, mark.version.get(), ends.1.get()]);
        if self.left > 0 && self.faults.percent(10) {
            self.flipped_read = true;
            self.log_disk.fail_next(Io::Read, DiskFault::FlippedRead);
        }
        Ok(())
    }

    /// The state to begin with: on disk in runs that keep it there.
    fn begun(
        &mut self,
        keeper: &SnapshotKeeper,
        ends: (Position, Position),
    ) -> Result<Beginning, Violation> {
        let nothing = |what| Violation::NothingToBeginWith { node: 0, what };
        let Some(dir) = &mut self.state_dir else {
            let begun = recovery::begin(None, &mut recovery::in_memory, keeper, ends);
            return begun.map_err(nothing);
        };
        let own = match dir.open() {
            Ok(own) => Some(own),
            Err(_) if dir.is_spoiled() => {
                // What it says names the directory, which is another in every run.
                self.trace.count("path: spoiled state was found in doubt when it was opened");
                self.trace.note(self.now, "in doubt", [self.lives, 0, 0]);
                dir.wipe();
                None
            }
            Err(doubt) => return Err(Violation::Doubt { node: 0, what: doubt.to_string() }),
        };
        let mut make = |rows, mark: &_| dir.make(rows, mark).map_err(|error| error.to_string());
        recovery::begin(own, &mut make, keeper, ends).map_err(nothing)
    }

    /// Everything that was ever known durable is still there, unless it was given up.
    ///
    /// Returns the trim mark and the first hole.
    fn compare(&mut self, log: &Arc<FileLog>) -> Result<(Position, Position), Violation> {
        let (mark, tail) = extent(log)?;
        let known: Vec<Position> = self.taken.range(mark..).map(|(at, _)| *at).collect();
        for position in known {
            if position >= tail && read_one(log, position)? == Read::Empty {
                return Err(Violation::Lost { position, now: NOTHING.to_owned() });
            }
        }
        let mut position = mark;
        while position < tail {
            match read_one(log, position)? {
                Read::Entry(bytes) => self.holds(position, &bytes)?,
                other => return Err(Violation::Lost { position, now: format!("{other:?}") }),
            }
            position = position.next();
        }
        self.answers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|heard| !matches!(heard, Heard::Read(..)));
        self.hear()?;
        Ok((mark, tail))
    }
}

fn cannot(error: &LogError) -> Violation {
    Violation::CannotOpen { why: error.to_string() }
}

/// The trim mark and the first hole.
fn extent(log: &Arc<FileLog>) -> Result<(Position, Position), Violation> {
    let tail = blocking::tail(log.as_ref()).map_err(|error| cannot(&error))?;
    let (mut low, mut high) = (Position::first(), tail);
    while low < high {
        let middle = Position::new(u64::midpoint(low.get(), high.get())).expect("not below 1");
        match read_one(log, middle)? {
            Read::Trimmed => low = middle.next(),
            Read::Entry(_) | Read::Empty => high = middle,
        }
    }
    Ok((low, tail))
}

type Found = Result<Vec<Read>, LogError>;

/// What a position holds, read at once.
fn read_one(log: &Arc<FileLog>, position: Position) -> Result<Read, Violation> {
    let found: Arc<Mutex<Option<Found>>> = Arc::default();
    let slot = Arc::clone(&found);
    let done = move |read| *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(read);
    log.read(position, 1, Box::new(done));
    while log.step() {}
    let found = found.lock().unwrap_or_else(PoisonError::into_inner).take();
    let found = found.expect("a step serves the read").map_err(|error| cannot(&error))?;
    Ok(found.into_iter().next().unwrap_or(Read::Entry(Bytes::new())))
}
