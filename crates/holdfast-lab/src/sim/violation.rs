//! What must never happen, each with what was seen.
//!
//! First what the checks of [`crate::check`] find in the run's history, then what only the
//! simulation can see, being inside.

use holdfast_log::Position;

use crate::check;

/// A promise that a run saw broken.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Violation {
    /// One effect for a key, and one answer (P13).
    #[error(transparent)]
    ExactlyOnce(#[from] check::exactly_once::Violation),
    /// What was acknowledged is in the log, what was denied is not (P5).
    #[error(transparent)]
    Acknowledged(#[from] check::acknowledged::Violation),
    /// Strict serializability (P10, P11, P12, P25): answers fit one order, and it respects real time.
    #[error(transparent)]
    Witness(#[from] check::witness::Violation),
    /// A timer fires once and not early (P23).
    #[error(transparent)]
    Timers(#[from] check::timers::Violation<u64>),
    /// The same of the timers of primitives, by when they are due, who armed them, and their number.
    #[error(transparent)]
    Alarms(check::timers::Violation<(u64, u64, u16)>),
    /// Nothing is made or lost.
    #[error(transparent)]
    Conservation(#[from] check::conservation::Violation),
    /// Nodes at one version have one state.
    #[error(transparent)]
    Agreement(#[from] check::agreement::Differ),
    /// Every state, however it was come by, is what the whole log makes (P16).
    #[error("{who}: {why}")]
    Replay {
        /// Whose state, or which snapshot.
        who: String,
        /// How it differs.
        why: check::replay::Violation,
    },
    /// Who was deposed changes nothing (P4, P7).
    #[error(transparent)]
    Zombies(#[from] check::zombies::Violation),
    /// When the faults are over, it serves.
    #[error(transparent)]
    Liveness(#[from] check::liveness::Violation),
    /// A position took a second entry (P1, P3).
    #[error("position {position} held an entry before and took another")]
    WrittenTwice {
        /// The position.
        position: Position,
    },
    /// A reader of the whole log cannot go on (P2).
    #[error("a fresh reader of the log stops: {why}")]
    Broken {
        /// What the reader says.
        why: String,
    },
    /// An entry counted that its epoch's claimant did not write (P4, P7).
    #[error("the entry at {position} counts in epoch {epoch}, which {writer} did not win")]
    WrittenByAnother {
        /// Where it stands.
        position: Position,
        /// The epoch.
        epoch: u64,
        /// The life that sent it.
        writer: String,
    },
    /// A transaction in the log that nobody asked for.
    #[error("version {version} is a transaction that nobody asked for: {what}")]
    Unasked {
        /// Its version.
        version: u64,
        /// What it holds.
        what: String,
    },
    /// What the log holds is not what the naive model does.
    #[error("version {version} ({what}) should have come to {expected}, and came to {found}")]
    Diverged {
        /// The transaction.
        version: u64,
        /// What it is.
        what: String,
        /// By the naive model.
        expected: String,
        /// By the log.
        found: String,
    },
    /// Log time went back (P15).
    #[error("version {version} has log time {time}, and one before it has {before}")]
    TimeWentBack {
        /// The version.
        version: u64,
        /// Its time.
        time: u64,
        /// The latest before it.
        before: u64,
    },
    /// A node applied what the log does not say (yet).
    #[error("node {node} applied version {version} and following, which the log does not hold so")]
    AppliedOther {
        /// The node.
        node: usize,
        /// The first version.
        version: u64,
    },
    /// An answer left before what it rests on was durable (P5, P12).
    #[error("node {node} answered with version {version} while the log holds up to {durable}")]
    AnsweredEarly {
        /// The node.
        node: usize,
        /// The version it answered with.
        version: u64,
        /// The last version in the log then.
        durable: u64,
    },
    /// An answer left before this node's state showed what it rests on.
    #[error("node {node} answered with version {version} while its state was at {applied}")]
    AnsweredBeforeApplied {
        /// The node.
        node: usize,
        /// The version it answered with.
        version: u64,
        /// Its state's version then.
        applied: u64,
    },
    /// A look shows less than its token (P14).
    #[error("operation {operation} was to show version {before}, and shows {version}")]
    Stale {
        /// The operation.
        operation: usize,
        /// The version that it was to show.
        before: u64,
        /// What it shows.
        version: u64,
    },
    /// An answer names another log time than its transaction has.
    #[error("operation {operation}, version {version}, was answered with log time {told}")]
    OtherTime {
        /// The operation.
        operation: usize,
        /// Its version.
        version: u64,
        /// The time that it was told, in microseconds.
        told: u64,
    },
    /// Two answers to one request.
    #[error("attempt {attempt} of operation {operation} was answered twice")]
    AnsweredTwice {
        /// The operation.
        operation: usize,
        /// The attempt.
        attempt: usize,
    },
    /// Nothing is left to begin with, or it knows more than the log.
    #[error("node {node} has nothing to begin with: {what}")]
    NothingToBeginWith {
        /// The node.
        node: usize,
        /// Why.
        what: String,
    },
    /// A digest differs although no state was spoiled.
    #[error("node {node} finds its state in doubt, and nobody spoiled it: {what}")]
    Doubt {
        /// The node.
        node: usize,
        /// What it says.
        what: String,
    },
    /// What was durable is gone or changed.
    #[error("position {position} was durable and now holds {now}")]
    Lost {
        /// The position.
        position: Position,
        /// What it holds now.
        now: String,
    },
    /// A directory that nobody spoiled cannot be opened.
    #[error("a log that nobody spoiled cannot be opened: {why}")]
    CannotOpen {
        /// What opening says.
        why: String,
    },
    /// A log that lost its end was followed.
    #[error("a log that ends before {tail} was followed although a snapshot goes on at {needed}")]
    LostTailFollowed {
        /// The first hole of the old copy.
        tail: Position,
        /// Where the snapshot goes on.
        needed: Position,
    },
    /// Faults are over and it does not come to rest.
    #[error("{after_ms} ms after the last fault {what}")]
    NotHealed {
        /// How long that is.
        after_ms: u64,
        /// What is missing.
        what: String,
    },
    /// An assertion of the code under test failed.
    #[error("it panicked: {message}")]
    Panicked {
        /// What it said.
        message: String,
    },
}
