//! The thread that reads: positions from the index, bytes from segments, checked each time.
//!
//! Reads stay off the writer's thread so that a follower catching up does not slow appends down. A
//! segment that is removed while it is being read stays readable; the answer is then as of the
//! moment the read looked at the index.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;
use holdfast_planted::planted;

use super::identity_file::FileId;
use super::index::{Holds, Slot};
use super::record::{self, Kind, NoRecord};
use super::reply::Reply;
use super::segment;
use super::shared::{Shared, State, Work};
use crate::disk::DiskFile;
use crate::error::LogError;
use crate::log::Read;
use crate::position::Position;

/// How many positions are looked up before the lock is given back.
const LOOKED_UP_AT_ONCE: usize = 256;

/// A read that waits.
pub(super) struct ReadJob {
    pub(super) from: Position,
    pub(super) max_bytes: usize,
    pub(super) reply: Reply<Vec<Read>>,
}

/// An entry that is somewhere in a segment.
pub(super) struct Place {
    position: Position,
    slot: Slot,
    file: Arc<dyn DiskFile>,
}

/// The reading thread.
pub(super) struct Fetcher {
    shared: Arc<Shared>,
    identity: FileId,
}

impl Fetcher {
    pub(super) fn new(shared: Arc<Shared>, identity: FileId) -> Self {
        Self { shared, identity }
    }

    /// Serves reads until the log ends. A panic (somebody's `done`, or ours) stops the log, so that
    /// nobody waits for an answer that never comes.
    pub(super) fn run(self) {
        if catch_unwind(AssertUnwindSafe(|| self.serve())).is_err() {
            self.shared.stop("the thread that reads panicked".to_owned());
        }
        let refusal = self.shared.state().refusal();
        for job in self.shared.take_reads() {
            let refusal = refusal.clone().unwrap_or(LogError::Closed);
            let refuse = AssertUnwindSafe(|| job.reply.give(Err(refusal)));
            if catch_unwind(refuse).is_err() {
                self.shared.stop("a caller's callback panicked".to_owned());
            }
        }
    }

    /// Serves one read, where there is no thread. False when none waited.
    pub(super) fn step(&self) -> bool {
        let Some((job, refusal)) = self.shared.take_read() else { return false };
        let found = match refusal {
            Some(refusal) => Err(refusal),
            None => self.read(job.from, job.max_bytes),
        };
        job.reply.give(found);
        true
    }

    fn serve(&self) {
        while let Work::Some(job) = self.shared.wait_for_read() {
            let found = self.read(job.from, job.max_bytes);
            job.reply.give(found);
        }
    }

    fn read(&self, from: Position, max_bytes: usize) -> Result<Vec<Read>, LogError> {
        let mut found = Vec::new();
        let mut bytes_left = max_bytes;
        let mut next = from;
        loop {
            let (places, end) = look_up(&self.shared.state(), next, bytes_left);
            for place in places {
                next = place.position.next();
                let entry = place.read(self.identity)?;
                bytes_left = bytes_left.saturating_sub(entry.len());
                found.push(Read::Entry(entry));
            }
            match end {
                Some(end) => found.push(end),
                None if bytes_left > 0 => continue,
                None => {}
            }
            return Ok(found);
        }
    }
}

/// The entries from a position on, up to enough bytes or as many as are looked up at once, and what
/// ends them if it is none of both.
fn look_up(state: &State, from: Position, max_bytes: usize) -> (Vec<Place>, Option<Read>) {
    let mut places = Vec::new();
    let mut bytes = 0;
    let mut position = from;
    loop {
        match state.index.holds(position) {
            Holds::Trimmed => return (places, Some(Read::Trimmed)),
            Holds::Nothing => return (places, Some(Read::Empty)),
            Holds::Entry(slot) => {
                bytes += slot.length as usize;
                places.push(Place::new(state, position, slot));
            }
        }
        if bytes >= max_bytes || places.len() == LOOKED_UP_AT_ONCE {
            return (places, None);
        }
        position = position.next();
    }
}

impl Place {
    pub(super) fn new(state: &State, position: Position, slot: Slot) -> Self {
        let segment = state.segments.get(&slot.segment.get());
        let file = &segment.expect("a segment stays while the index points into it").file;
        Self { position, slot, file: Arc::clone(file) }
    }

    /// Reads the entry and checks that it is the one, every bit of it.
    pub(super) fn read(&self, identity: FileId) -> Result<Bytes, LogError> {
        let name = || segment::name(self.slot.segment.get());
        let offset = u64::from(self.slot.offset);
        let length = self.slot.length as usize;
        let size = record::HEADER_BYTES + length.next_multiple_of(record::ALIGN);
        let mut bytes = vec![0; size];
        self.file
            .read_at(offset, &mut bytes)
            .map_err(|source| LogError::io(format!("reading {} at {offset}", name()))(source))?;
        match self.check(&bytes, identity) {
            Ok(()) => {
                let payload = record::HEADER_BYTES..record::HEADER_BYTES + length;
                Ok(Bytes::from(bytes).slice(payload))
            }
            Err(what) => Err(LogError::Damaged { file: name(), offset, what: what.to_owned() }),
        }
    }

    fn check(&self, bytes: &[u8], identity: FileId) -> Result<(), &'static str> {
        if planted!(BytesNotChecked) {
            return Ok(());
        }
        let bad = |no_record| match no_record {
            NoRecord::Blank => "there are zeros where a record was",
            NoRecord::Bad(what) => what,
            NoRecord::Format(_) => "the record's format has changed",
        };
        let header = record::decode_header(bytes).map_err(bad)?;
        let record = header.record;
        let is_it = record.kind == Kind::Entry
            && record.position == Some(self.position)
            && record.identity == identity
            && header.length == self.slot.length;
        if !is_it {
            return Err("another record than the one that was here");
        }
        header.payload(bytes).map_err(bad)?;
        Ok(())
    }
}
