//! The thread that writes: it takes everything that waits, writes it, syncs once, and answers.
//!
//! Commands are judged in order against what is durable *and* what this group has written so far.
//! Nothing is answered, refusals included, before the group is durable; then everything is, in
//! order. The first error ends the log: whoever waits and whoever comes later is told
//! [`LogError::Stopped`], and nothing of the group is acknowledged.
//!
//! Between the sync and the answers it writes one small record that says what has become durable,
//! without waiting for it. So a process that dies leaves proof of everything it acknowledged, and
//! opening never takes acknowledged bytes that changed for a tail.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;

use super::appender::Appender;
use super::fetcher::Place;
use super::housekeeper::Housekeeper;
use super::index::{Holds, Slot};
use super::options::FileLogOptions;
use super::record::Kind;
use super::reply::Reply;
use super::shared::{Command, Segment, Shared, Work};
use crate::disk::DirLock;
use crate::error::LogError;
use crate::log::Append;
use crate::position::Position;

/// The writing thread.
pub(super) struct Writer {
    shared: Arc<Shared>,
    appender: Appender,
    housekeeper: Housekeeper,
    /// The directory is ours until this is dropped, before the last answers are given.
    lock: Option<DirLock>,
    options: FileLogOptions,
    /// Taken from the queue and not begun.
    commands: VecDeque<Command>,
    group: Group,
    /// Who asked for the log to be closed.
    closing: Option<Reply<()>>,
    appends: u64,
}

/// What is written together and not yet answered.
#[derive(Default)]
struct Group {
    answers: VecDeque<Answer>,
    entries: BTreeMap<Position, (Slot, Bytes)>,
    /// The new trim mark and the first segment needed then.
    trim: Option<(Position, u64)>,
}

/// An answer that waits: given `Ok`, it tells what it came to; given an error, that.
type Answer = Box<dyn FnOnce(Result<(), LogError>) + Send>;

impl Writer {
    pub(super) fn new(
        shared: Arc<Shared>,
        appender: Appender,
        housekeeper: Housekeeper,
        lock: DirLock,
        options: FileLogOptions,
    ) -> Self {
        Self {
            shared,
            appender,
            housekeeper,
            lock: Some(lock),
            options,
            commands: VecDeque::new(),
            group: Group::default(),
            closing: None,
            appends: 0,
        }
    }

    /// Serves until the log is closed, dropped or stopped, and leaves nobody without an answer.
    pub(super) fn run(mut self) {
        match catch_unwind(AssertUnwindSafe(|| self.serve())) {
            Ok(Ok(())) => self.close(),
            Ok(Err(error)) => self.stop(error.to_string()),
            Err(_) => self.stop("the thread that writes panicked".to_owned()),
        }
    }

    /// What [`Writer::run`] begins with, where there is no thread.
    pub(super) fn begin(&mut self) {
        if let Err(error) = self.appender.mark() {
            self.stop(error.to_string());
        }
    }

    /// What [`Writer::run`] does between two waits. False when nothing waited.
    pub(super) fn step(&mut self) -> bool {
        self.commands = self.shared.take_waiting();
        if self.commands.is_empty() {
            return false;
        }
        match catch_unwind(AssertUnwindSafe(|| self.serve_group())) {
            Ok(Ok(true)) => self.close(),
            Ok(Ok(false)) => {}
            Ok(Err(error)) => self.stop(error.to_string()),
            Err(_) => self.stop("writing panicked".to_owned()),
        }
        true
    }

    fn close(&mut self) {
        self.give_back_the_directory();
        self.shared.closed();
        let closing = self.closing.take();
        self.tell(|| closing.into_iter().for_each(|reply| reply.give(Ok(()))));
    }

    fn stop(&mut self, reason: String) {
        self.shared.stop(reason);
        self.give_back_the_directory();
        let refusal = self.shared.state().refusal().unwrap_or(LogError::Closed);
        while let Some(answer) = self.group.answers.pop_front() {
            self.tell(|| answer(Err(refusal.clone())));
        }
        self.commands.extend(self.shared.take_commands());
        self.commands.extend(self.closing.take().map(|reply| Command::Close { reply }));
        while let Some(command) = self.commands.pop_front() {
            self.tell(|| command.refuse(refusal.clone()));
        }
    }

    /// Whoever is told that the log has ended may open it again at once.
    fn give_back_the_directory(&mut self) {
        self.housekeeper.quit();
        self.lock = None;
    }

    /// Calls somebody's `done` at the end, when a panic of theirs can harm nobody else.
    fn tell(&self, done: impl FnOnce()) {
        if catch_unwind(AssertUnwindSafe(done)).is_err() {
            self.shared.stop("a caller's callback panicked".to_owned());
        }
    }

    fn serve(&mut self) -> Result<(), LogError> {
        self.appender.mark()?;
        loop {
            self.commands = match self.shared.wait_for_commands() {
                Work::Some(commands) => commands,
                Work::Done => return Ok(()),
                Work::Stopped => {
                    let refusal = self.shared.state().refusal();
                    return Err(refusal.expect("a stopped log says why"));
                }
            };
            if self.serve_group()? {
                return Ok(());
            }
        }
    }

    /// Does the commands that were taken; true when the log is closed then.
    fn serve_group(&mut self) -> Result<bool, LogError> {
        while let Some(command) = self.commands.pop_front() {
            self.take(command)?;
        }
        self.commit()?;
        if self.closing.is_none() {
            return Ok(false);
        }
        self.seal()?;
        Ok(true)
    }

    /// Does what a command asks, up to the sync.
    fn take(&mut self, command: Command) -> Result<(), LogError> {
        match command {
            Command::Append { position, bytes, reply } => self.append(position, bytes, reply),
            Command::Trim { below, reply } => self.trim(below, reply),
            Command::Close { reply } => {
                self.closing = Some(reply);
                Ok(())
            }
        }
    }

    fn append(
        &mut self,
        position: Position,
        bytes: Bytes,
        reply: Reply<Append>,
    ) -> Result<(), LogError> {
        match self.look_at(position) {
            Ok(None) => {
                // The answer is queued first: if writing fails, it is among those told so.
                self.answer(reply, Ok(Append::Ok));
                self.make_room(bytes.len())?;
                let slot = self.appender.put(Kind::Entry, Some(position), &bytes);
                self.group.entries.insert(position, (slot, bytes));
            }
            Ok(Some(held)) => self.answer(reply, Ok(held)),
            Err(error) => self.answer(reply, Err(error)),
        }
        Ok(())
    }

    /// What stands in the way of an append to this position; `None` if it is free.
    fn look_at(&self, position: Position) -> Result<Option<Append>, LogError> {
        if self.group.trim.is_some_and(|(mark, _)| position < mark) {
            return Ok(Some(Append::Trimmed));
        }
        if let Some((_, bytes)) = self.group.entries.get(&position) {
            return Ok(Some(Append::Taken(bytes.clone())));
        }
        let max = self.options.max_positions_ahead;
        let (place, may_be_too_far) = {
            let state = self.shared.state();
            match state.index.holds(position) {
                Holds::Trimmed => return Ok(Some(Append::Trimmed)),
                Holds::Entry(slot) => (Some(Place::new(&state, position, slot)), false),
                Holds::Nothing => (None, position > state.index.tail().plus(max)),
            }
        };
        if let Some(place) = place {
            return place.read(self.appender.identity()).map(|bytes| Some(Append::Taken(bytes)));
        }
        if may_be_too_far {
            let tail = self.tail();
            if position > tail.plus(max) {
                return Err(LogError::TooFarAhead { position, tail, max });
            }
        }
        Ok(None)
    }

    /// The first hole, this group's entries counted.
    fn tail(&self) -> Position {
        let state = self.shared.state();
        let mut tail = state.index.tail();
        while self.group.entries.contains_key(&tail)
            || matches!(state.index.holds(tail), Holds::Entry(_))
        {
            tail = tail.next();
        }
        tail
    }

    fn trim(&mut self, below: Position, reply: Reply<()>) -> Result<(), LogError> {
        let tail = self.tail();
        if below > tail {
            self.answer(reply, Err(LogError::TrimAboveTail { below, tail }));
            return Ok(());
        }
        self.answer(reply, Ok(()));
        let pending = self.group.trim.map(|(mark, _)| mark);
        let mark = pending.unwrap_or_else(|| self.shared.state().index.mark());
        if below <= mark {
            return Ok(());
        }
        self.make_room(size_of::<u64>())?;
        let first_segment = self.shared.state().first_needed(below);
        self.appender.put(Kind::Trim, Some(below), &first_segment.to_le_bytes());
        self.group.trim = Some((below, first_segment));
        Ok(())
    }

    /// Goes on in the next segment if the active one has no room for this payload.
    fn make_room(&mut self, payload_bytes: usize) -> Result<(), LogError> {
        if self.appender.has_room(payload_bytes) {
            return Ok(());
        }
        // The new segment's header repeats the mark, so no trim may be left undecided. The last
        // answer is that of the command that needs the room: it is not done yet.
        let unfinished = self.group.answers.pop_back();
        let committed = self.commit();
        self.group.answers.extend(unfinished);
        committed?;
        let spare = self.housekeeper.take_spare()?;
        let (mark, first_segment) = {
            let state = self.shared.state();
            (state.index.mark(), *state.segments.keys().next().expect("one is active"))
        };
        self.appender.roll(spare, mark, first_segment)?;
        let (number, file) = self.appender.active();
        self.shared.state().segments.insert(number, Segment { file, highest: None });
        self.housekeeper.want_spare();
        Ok(())
    }

    /// Makes the group durable, shows it to readers, and answers.
    fn commit(&mut self) -> Result<(), LogError> {
        let entries = std::mem::take(&mut self.group.entries);
        let trim = self.group.trim.take();
        if !entries.is_empty() || trim.is_some() {
            self.appender.sync()?;
            self.appender.mark()?;
            self.appends += entries.len() as u64;
            let removed = self.publish(entries, trim);
            if !removed.is_empty() {
                self.housekeeper.remove(removed)?;
            }
        }
        while let Some(answer) = self.group.answers.pop_front() {
            answer(Ok(()));
        }
        Ok(())
    }

    /// Shows what has become durable; gives the segments that are not needed any more.
    fn publish(
        &self,
        entries: BTreeMap<Position, (Slot, Bytes)>,
        trim: Option<(Position, u64)>,
    ) -> Vec<u64> {
        let mut state = self.shared.state();
        for (position, (slot, _)) in entries {
            state.index.insert(position, slot);
            let segment = state.segments.get_mut(&slot.segment.get());
            let segment = segment.expect("entries go into the active segment");
            segment.highest = segment.highest.max(Some(position));
        }
        state.counts = self.appender.counts();
        state.counts.appends = self.appends;
        let Some((mark, first_segment)) = trim else { return Vec::new() };
        state.index.trim(mark);
        let needed = state.segments.split_off(&first_segment);
        std::mem::replace(&mut state.segments, needed).into_keys().collect()
    }

    /// Leaves a seal, unless the log ends with one.
    fn seal(&mut self) -> Result<(), LogError> {
        if !self.appender.is_sealed() {
            self.make_room(0)?;
            self.appender.put(Kind::Seal, None, &[]);
            self.appender.sync()?;
        }
        Ok(())
    }

    fn answer<T: Send + 'static>(&mut self, reply: Reply<T>, result: Result<T, LogError>) {
        self.group.answers.push_back(Box::new(move |durable| reply.give(durable.and(result))));
    }
}
