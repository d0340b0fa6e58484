//! What goes into the engine, and what comes out.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use holdfast_log::{Append, LogError, Position, Read, ReaderState};
use holdfast_state::{Batch, Snapshot, StoreError, Version};

use crate::{
    confirm::Confirm,
    leader::Leader,
    pipeline::Waiting,
    request::{Answer, Failure, ReplyTo, Request},
};

/// The driver's clocks at an event, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Since some moment before the process began; never goes back, and counts the time during which
    /// the machine was suspended.
    pub monotonic_us: u64,
    /// Since 1970, as the machine believes; may step.
    pub wall_us: u64,
}

/// Something happened.
#[derive(Debug)]
pub enum Event {
    /// A request came.
    Request(Request),
    /// A linearizable read came; answered by [`Action::Confirmed`].
    Confirm(Confirm),
    /// The log answered an append of these bytes. They may be of a leadership that has ended, at a
    /// position that something else was sent to since.
    Appended(Position, Bytes, Result<Append, LogError>),
    /// The log answered a read that began here.
    ReadBack(Position, Result<Vec<Read>, LogError>),
    /// The state has come to this version, or could not.
    Applied(Version, Result<(), StoreError>),
    /// The log tells that a position may hold something, or that it is time to look whether it does.
    MayHold(Position),
    /// Time went on.
    Tick,
    /// A snapshot of this checkpoint is on disk, read back and verified.
    SnapshotKept(ReaderState),
    /// A snapshot could not be written.
    SnapshotFailed(String),
    /// Somebody who read the state found it in doubt (P17).
    Doubt(StoreError),
    /// Give leadership up to another node, without a gap: finish what is evaluated, release the
    /// lease in the log, then follow.
    HandOver,
    /// Finish what is queued, release the lease where others wait for it, then stop.
    Stop,
}

/// Something is to be done.
pub enum Action {
    /// Append to the log; answer with [`Event::Appended`].
    Append(Position, Bytes),
    /// Append again after a pause, since the log could not for now.
    AppendLater(Position, Bytes),
    /// Read from the log; answer with [`Event::ReadBack`].
    Read(Position),
    /// Tell by [`Event::MayHold`] when this position may hold something, where the log can tell;
    /// where it cannot, the engine looks by itself.
    Wait(Position),
    /// Give the caller its answer.
    Reply(ReplyTo, Answer),
    /// Apply these transactions to the state, with the reader's state as the
    /// checkpoint, then give the callers their answers, and tell by
    /// [`Event::Applied`]. Batches are applied in the order in which this is asked.
    /// The answers hold even when applying fails: they are durable.
    Apply(Batch, ReaderState, Vec<Waiting>),
    /// These transactions are applied, and the reader stood here after them: wake
    /// followers of the change feed.
    Publish(ReaderState, Batch),
    /// Keep this snapshot; answer with [`Event::SnapshotKept`] or
    /// [`Event::SnapshotFailed`].
    Keep(Arc<dyn Snapshot>),
    /// Give up the log below this position.
    Trim(Position),
    /// Tell a read that this node led after it came, with everything acknowledged until then in the state; or why not.
    Confirmed(Confirm, Result<(), Failure>),
    /// This node leads from this version on.
    Led(Version),
    /// This node follows now: it has read to the end of the log, where somebody leads, may be
    /// about to, or has led last. Asked again when that changes.
    Follows(Option<Leader>),
    /// The partition has stopped. Nothing follows but refusals.
    Stopped(Stopped),
}

/// Why a partition stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It was asked to, and everything queued was answered.
    Cleanly,
    /// Another node leads a log that was this node's alone.
    Deposed,
    /// The log does not hold the next position any more: restore the newest snapshot and open
    /// again (P3).
    Behind(Position),
    /// Something this node cannot mend while it runs.
    Failed(String),
    /// The state is in doubt: open again, which rebuilds it.
    StateInDoubt(String),
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cleanly => f.write_str("stopped as asked"),
            Self::Deposed => f.write_str("another node leads"),
            Self::Behind(position) => {
                write!(f, "the log begins after position {position}, which was to be read next")
            }
            Self::Failed(reason) => f.write_str(reason),
            Self::StateInDoubt(what) => write!(f, "the state is in doubt: {what}"),
        }
    }
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Append(position, bytes) => write!(f, "Append({position}, {} B)", bytes.len()),
            Self::AppendLater(position, _) => write!(f, "AppendLater({position})"),
            Self::Read(position) => write!(f, "Read({position})"),
            Self::Wait(position) => write!(f, "Wait({position})"),
            Self::Reply(_, answer) => write!(f, "Reply({answer:?})"),
            Self::Apply(batch, ..) => write!(f, "Apply({} from {})", batch.count, batch.first),
            Self::Publish(_, batch) => {
                write!(f, "Publish({} from {})", batch.count, batch.first)
            }
            Self::Keep(snapshot) => write!(f, "Keep({})", snapshot.mark().version),
            Self::Trim(position) => write!(f, "Trim({position})"),
            Self::Confirmed(_, result) => write!(f, "Confirmed({result:?})"),
            Self::Led(version) => write!(f, "Led({version})"),
            Self::Follows(leader) => write!(f, "Follows({leader:?})"),
            Self::Stopped(why) => write!(f, "Stopped({why})"),
        }
    }
}
