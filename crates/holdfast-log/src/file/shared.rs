//! What the threads of a file log share: the queues, the durable index, and whether it still runs.
//!
//! One lock guards all of it and is held only for moments: never during IO, never while somebody's
//! `done` runs. Once the log is closed or stopped nothing enters the queues, so whoever empties
//! them then has answered everyone.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::fetcher::ReadJob;
use super::index::Index;
use super::reply::Reply;
use crate::disk::DiskFile;
use crate::error::LogError;
use crate::log::Append;
use crate::position::Position;

/// How many reads may wait.
const READS_MAX: usize = 1024;

/// What an append counts for in the queue besides its bytes, so that empty ones are bounded too.
const COMMAND_BYTES: usize = 128;

/// What the writer is asked to do.
pub(super) enum Command {
    Append { position: Position, bytes: Bytes, reply: Reply<Append> },
    Trim { below: Position, reply: Reply<()> },
    Close { reply: Reply<()> },
}

impl Command {
    fn bytes(&self) -> usize {
        match self {
            Self::Append { bytes, .. } => bytes.len() + COMMAND_BYTES,
            Self::Trim { .. } | Self::Close { .. } => COMMAND_BYTES,
        }
    }

    pub(super) fn refuse(self, error: LogError) {
        match self {
            Self::Append { reply, .. } => reply.give(Err(error)),
            Self::Trim { reply, .. } | Self::Close { reply } => reply.give(Err(error)),
        }
    }
}

/// A segment that is still needed.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) file: Arc<dyn DiskFile>,
    /// The highest position it holds; `None` if it holds no entry.
    pub(super) highest: Option<Position>,
}

/// What a file log has done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileLogStats {
    /// Entries made durable.
    pub appends: u64,
    /// Syncs of segments; each makes everything durable that waited for it.
    pub syncs: u64,
    /// Records written: entries, and the few that the log writes for itself.
    pub records: u64,
    /// Bytes of records written.
    pub bytes: u64,
    /// Segments begun.
    pub segments_begun: u64,
    /// Segments there are now.
    pub segments: u64,
    /// Bytes of appends that wait for the writer now.
    pub queued_bytes: u64,
}

impl FileLogStats {
    /// How many records one sync made durable, on average; 0 before the first.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "an average for people")]
    pub fn records_per_sync(&self) -> f64 {
        if self.syncs == 0 { 0.0 } else { self.records as f64 / self.syncs as f64 }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Phase {
    Open,
    /// The last command is queued.
    Closing,
    Closed,
    Stopped(String),
}

/// Everything that is shared, under one lock.
pub(super) struct State {
    phase: Phase,
    /// The owner dropped the log: whoever has nothing to do ends.
    leaving: bool,
    commands: VecDeque<Command>,
    queued_bytes: usize,
    reads: VecDeque<ReadJob>,
    /// What is durable.
    pub(super) index: Index,
    /// The segments still needed, by number; the last is the active one.
    pub(super) segments: BTreeMap<u64, Segment>,
    /// What the writer counts; the rest of the numbers is known here.
    pub(super) counts: FileLogStats,
}

/// What a thread finds when it looks for work.
pub(super) enum Work<T> {
    Some(T),
    /// The log was closed or dropped, and nothing is left to do.
    Done,
    /// The log stopped; what is queued is to be refused.
    Stopped,
}

/// The lock and the two threads' alarm clocks.
pub(super) struct Shared {
    state: Mutex<State>,
    writer: Condvar,
    fetcher: Condvar,
}

impl State {
    /// Why the log does not do anything any more; `None` while it does.
    pub(super) fn refusal(&self) -> Option<LogError> {
        match &self.phase {
            Phase::Open => None,
            Phase::Closing | Phase::Closed => Some(LogError::Closed),
            Phase::Stopped(reason) => Some(LogError::Stopped { reason: reason.clone() }),
        }
    }

    pub(super) fn stats(&self) -> FileLogStats {
        FileLogStats {
            segments: self.segments.len() as u64,
            queued_bytes: self.queued_bytes as u64,
            ..self.counts
        }
    }

    /// The first segment that would still be needed if everything below were trimmed: entries are
    /// scattered over segments, so only leading ones can go, and the active one stays.
    pub(super) fn first_needed(&self, below: Position) -> u64 {
        let needed = self.segments.iter().find(|(_, segment)| segment.highest >= Some(below));
        let active = self.segments.last_key_value().expect("there is always an active segment");
        *needed.map_or(active.0, |(number, _)| number)
    }

    fn is_stopped(&self) -> bool {
        matches!(self.phase, Phase::Stopped(_))
    }
}

impl Shared {
    pub(super) fn new(index: Index, segments: BTreeMap<u64, Segment>) -> Self {
        let state = State {
            phase: Phase::Open,
            leaving: false,
            commands: VecDeque::new(),
            queued_bytes: 0,
            reads: VecDeque::new(),
            index,
            segments,
            counts: FileLogStats::default(),
        };
        Self { state: Mutex::new(state), writer: Condvar::new(), fetcher: Condvar::new() }
    }

    /// The state. A panic elsewhere leaves it whole: it is changed in steps that cannot panic, or
    /// the log stops.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a command, or refuses it on this thread.
    pub(super) fn push(&self, command: Command, max_queued_bytes: usize) {
        let refusal = {
            let mut state = self.state();
            let bytes = command.bytes();
            let queued_bytes = state.queued_bytes;
            // Whatever its size, a single command is always taken.
            let is_full = queued_bytes > 0 && queued_bytes + bytes > max_queued_bytes;
            let may_wait = matches!(command, Command::Close { .. }) || !is_full;
            match state.refusal() {
                None if may_wait => {
                    if matches!(command, Command::Close { .. }) {
                        state.phase = Phase::Closing;
                    }
                    state.queued_bytes += bytes;
                    state.commands.push_back(command);
                    self.writer.notify_one();
                    return;
                }
                None => LogError::Overloaded { queued_bytes },
                Some(refusal) => refusal,
            }
        };
        command.refuse(refusal);
    }

    /// Queues a read, or refuses it on this thread.
    pub(super) fn push_read(&self, job: ReadJob) {
        let refusal = {
            let mut state = self.state();
            match state.refusal() {
                None if state.reads.len() < READS_MAX => {
                    state.reads.push_back(job);
                    self.fetcher.notify_one();
                    return;
                }
                None => LogError::Overloaded { queued_bytes: state.queued_bytes },
                Some(refusal) => refusal,
            }
        };
        job.reply.give(Err(refusal));
    }

    /// Waits for commands and takes all there are.
    pub(super) fn wait_for_commands(&self) -> Work<VecDeque<Command>> {
        let mut state = self.state();
        loop {
            if state.is_stopped() {
                return Work::Stopped;
            }
            if !state.commands.is_empty() {
                state.queued_bytes = 0;
                return Work::Some(std::mem::take(&mut state.commands));
            }
            if state.leaving {
                return Work::Done;
            }
            state = self.writer.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits for a read and takes it. Reads asked for before a close are still served.
    pub(super) fn wait_for_read(&self) -> Work<ReadJob> {
        let mut state = self.state();
        loop {
            if state.is_stopped() {
                return Work::Stopped;
            }
            if let Some(job) = state.reads.pop_front() {
                return Work::Some(job);
            }
            if state.leaving || state.phase == Phase::Closed {
                return Work::Done;
            }
            state = self.fetcher.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes all commands there are, without waiting.
    pub(super) fn take_waiting(&self) -> VecDeque<Command> {
        let mut state = self.state();
        state.queued_bytes = 0;
        std::mem::take(&mut state.commands)
    }

    /// Takes a read, if one waits, and why it is to be refused, if it is.
    pub(super) fn take_read(&self) -> Option<(ReadJob, Option<LogError>)> {
        let mut state = self.state();
        let job = state.reads.pop_front()?;
        Some((job, state.is_stopped().then(|| state.refusal()).flatten()))
    }

    /// Takes what is queued for the writer, to be refused.
    pub(super) fn take_commands(&self) -> VecDeque<Command> {
        std::mem::take(&mut self.state().commands)
    }

    /// Takes what is queued for the fetcher, to be refused.
    pub(super) fn take_reads(&self) -> VecDeque<ReadJob> {
        std::mem::take(&mut self.state().reads)
    }

    /// Stops the log for good; the first reason stays. Queued calls are refused by the threads.
    pub(super) fn stop(&self, reason: String) {
        let mut state = self.state();
        if matches!(state.phase, Phase::Open | Phase::Closing) {
            state.phase = Phase::Stopped(reason);
        }
        self.writer.notify_all();
        self.fetcher.notify_all();
    }

    /// The last command is done.
    pub(super) fn closed(&self) {
        let mut state = self.state();
        if matches!(state.phase, Phase::Open | Phase::Closing) {
            state.phase = Phase::Closed;
        }
        self.fetcher.notify_all();
    }

    /// The owner is gone: finish what is queued, then end.
    pub(super) fn leave(&self) {
        let mut state = self.state();
        if state.phase == Phase::Open {
            state.phase = Phase::Closing;
        }
        state.leaving = true;
        self.writer.notify_all();
        self.fetcher.notify_all();
    }
}
