//! What a client of a file log knows, and what it may find after the log was opened again.
//!
//! It remembers what it sent and what was answered. Afterwards every acknowledged entry must be
//! there, every other one must be there as it was sent or not at all, and nothing else.

use std::collections::BTreeMap;
use std::sync::{Arc, mpsc};

use bytes::Bytes;
use holdfast_log::{
    Append, Disk, FaultDisk, FileLog, FileLogOptions, Log, LogError, Position, Read, Spare,
    blocking,
};

/// No script reaches this position.
pub(crate) const POSITIONS_MAX: u64 = 100;

pub(crate) fn at(position: u64) -> Position {
    Position::new(position).unwrap()
}

/// Small segments and one thread that writes: many rolls, and the same order in every run.
pub(crate) fn options() -> FileLogOptions {
    FileLogOptions {
        segment_bytes: 8192,
        max_entry_bytes: 2000,
        spare: Spare::OnDemand,
        ..FileLogOptions::default()
    }
}

pub(crate) fn open(disk: &FaultDisk) -> Result<Arc<FileLog>, LogError> {
    open_with(disk, options())
}

pub(crate) fn open_with(
    disk: &FaultDisk,
    options: FileLogOptions,
) -> Result<Arc<FileLog>, LogError> {
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    FileLog::open(disk, options).map(Arc::new)
}

/// What one finds in a log: every position, and the first hole.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Contents {
    pub(crate) tail: u64,
    /// By position, from 1 on.
    pub(crate) held: Vec<Read>,
}

impl Contents {
    pub(crate) fn of(log: &dyn Log) -> Result<Self, LogError> {
        let tail = blocking::tail(log)?.get();
        let (answers, answered) = mpsc::channel();
        for position in 1..=POSITIONS_MAX {
            let answers = answers.clone();
            log.read(at(position), 0, Box::new(move |result| answers.send(result).unwrap()));
        }
        drop(answers);
        let mut held = Vec::new();
        for result in answered {
            let mut found = result?;
            assert!(
                !found.is_empty() && !matches!(found[..], [Read::Trimmed | Read::Empty, _, ..])
            );
            held.push(found.swap_remove(0));
        }
        Ok(Self { tail, held })
    }

    pub(crate) fn at(&self, position: u64) -> &Read {
        &self.held[usize::try_from(position - 1).unwrap()]
    }

    pub(crate) fn mark(&self) -> u64 {
        let trimmed = self.held.iter().take_while(|read| **read == Read::Trimmed).count();
        trimmed as u64 + 1
    }
}

/// What was sent and what was answered.
#[derive(Clone, Debug)]
pub(crate) struct World {
    /// Answered `Ok` or `Taken`: durable.
    acked: BTreeMap<u64, Bytes>,
    /// Sent, whatever became of it.
    sent: BTreeMap<u64, Bytes>,
    mark_acked: u64,
    mark_sent: u64,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { acked: BTreeMap::new(), sent: BTreeMap::new(), mark_acked: 1, mark_sent: 1 }
    }

    pub(crate) fn acked_count(&self) -> usize {
        self.acked.len()
    }

    pub(crate) fn sending(&mut self, position: u64, bytes: &Bytes) {
        self.sent.entry(position).or_insert_with(|| bytes.clone());
    }

    pub(crate) fn answered(&mut self, position: u64, append: &Append) {
        match append {
            Append::Ok => {
                let bytes = self.sent[&position].clone();
                let before = self.acked.insert(position, bytes);
                assert_eq!(before, None, "position {position} is acknowledged once");
            }
            Append::Taken(bytes) => {
                assert_eq!(self.sent[&position], *bytes);
                self.acked.insert(position, bytes.clone());
            }
            Append::Trimmed => assert!(position < self.mark_sent),
        }
    }

    pub(crate) fn trimming(&mut self, below: u64) {
        self.mark_sent = self.mark_sent.max(below);
    }

    pub(crate) fn trimmed(&mut self, below: u64) {
        self.mark_acked = self.mark_acked.max(below);
    }

    /// The first position that was not acknowledged.
    pub(crate) fn tail(&self) -> u64 {
        (1..).find(|position| !self.acked.contains_key(position)).unwrap()
    }

    /// Whether one may find this after a crash.
    pub(crate) fn check(&self, found: &Contents) {
        let mark = found.mark();
        assert!(mark == self.mark_acked || mark == self.mark_sent, "mark {mark}, {self:?}");
        let mut first_hole = mark;
        for position in 1..=POSITIONS_MAX {
            let held = found.at(position);
            match held {
                Read::Trimmed => assert!(position < mark, "trimmed at {position}"),
                Read::Empty => {
                    assert!(!self.acked.contains_key(&position), "lost the entry at {position}");
                }
                Read::Entry(bytes) => {
                    assert_eq!(Some(bytes), self.sent.get(&position), "at {position}");
                }
            }
            if first_hole == position && matches!(held, Read::Entry(_)) {
                first_hole += 1;
            }
        }
        assert_eq!(found.tail, first_hole);
    }
}
