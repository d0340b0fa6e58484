//! Between two processes: what the disk kept, what was done to it, and what the next
//! process makes of it.

use std::sync::{Arc, Mutex, PoisonError, atomic::AtomicU64};

use bytes::Bytes;
use holdfast_engine::{Config, Engine, SnapshotKeeper};
use holdfast_log::{
    FaultDisk, FileLog, FileLogOptions, Log as _, LogError, Position, Read, blocking,
    disk::{Crash, Fault as DiskFault},
};
use holdfast_state::Store as _;

use super::{DiskWorld, Heard};
use crate::sim::{
    client::Sent,
    node::{Postmark, Process},
    recovery,
    violation::Violation,
    workload,
};

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
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).clear();
        // Whoever waits learns nothing: the connection is gone.
        for operation in &mut self.operations {
            for attempt in &mut operation.attempts {
                if *attempt == Sent::Open {
                    *attempt = Sent::Unknown;
                }
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
        self.begin_a_life()
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

    fn refuses_an_old_copy(&mut self, old: &FaultDisk) -> Result<bool, Violation> {
        let copy = old.kill();
        let log = self.open(&copy).map_err(|error| cannot(&error))?;
        let ends = extent(&log)?;
        let keeper = SnapshotKeeper::new(Arc::new(self.snapshot_disk.clone()));
        let files = keeper.list().map_err(|error| Violation::CannotOpen { why: error.to_string() });
        let needed = files?.iter().find_map(|file| keeper.verify(file).ok());
        let needed = needed.map(|kept| kept.state.next_position);
        match (recovery::begin(None, &keeper, ends), needed) {
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
            Ok(log) => {
                self.compare(&log)?;
                self.trace.count("path: flipped bits that nobody reads");
                Ok(false)
            }
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

    /// A process begins on the disk as it is.
    pub(super) fn begin_a_life(&mut self) -> Result<(), Violation> {
        let (log, ends) = loop {
            let opened = self.open(&self.log_disk).map_err(|error| cannot(&error));
            match opened.and_then(|log| self.compare(&log).map(|ends| (log, ends))) {
                Ok(opened) => break opened,
                Err(_) if self.log_disk.is_off() => {
                    self.trace.count("fault: power cut while opening");
                    let crash = self.crash();
                    self.log_disk = self.log_disk.crash(crash);
                }
                Err(violation) => return Err(violation),
            }
        };
        let keeper = SnapshotKeeper::new(Arc::new(self.snapshot_disk.clone()));
        let begun = recovery::begin(None, &keeper, ends);
        let begun = begun.map_err(|what| Violation::NothingToBeginWith { node: 0, what })?;
        self.trace.count(begun.how);
        self.lives += 1;
        let config = Config {
            timers: workload::handlers(),
            snapshot_bytes: self.settings.snapshot_bytes,
            digest_entries: self.settings.digest_entries,
            entries_in_flight_max: self.settings.entries_in_flight,
            ..Config::default()
        };
        let config = config.fitted_to(&log.properties());
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
        Ok(())
    }

    /// Everything that was ever known durable is still there, unless it was given up.
    ///
    /// Returns the trim mark and the first hole.
    fn compare(&mut self, log: &Arc<FileLog>) -> Result<(Position, Position), Violation> {
        let (mark, tail) = extent(log)?;
        let known: Vec<Position> = self.taken.range(mark..).map(|(at, _)| *at).collect();
        for position in known {
            if position >= tail && read_one(log, position)? == Read::Empty {
                return Err(Violation::Lost { position, now: "nothing".to_owned() });
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
