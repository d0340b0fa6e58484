//! What must never happen, each with what was seen.

use holdfast_engine::Outcome;
use holdfast_log::Position;

/// A promise that a run saw broken.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Violation {
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
    /// An operation has two effects.
    #[error("operation {operation} took effect as version {first} and again as {second}")]
    Twice {
        /// The operation.
        operation: usize,
        /// Its first version.
        first: u64,
        /// Its second.
        second: u64,
    },
    /// The state evaluated upon is not what the versions before add up to.
    #[error("version {version} ({what}) should have come to {expected}, and came to {found}")]
    Diverged {
        /// The transaction.
        version: u64,
        /// What it is.
        what: String,
        /// By the naive model.
        expected: String,
        /// By the log or the answer.
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
    /// A timer fired before it was due, twice, or without having been armed.
    #[error("a timer armed by version {armed} fired as version {version}: {what}")]
    Timer {
        /// The transaction that armed it.
        armed: u64,
        /// The transaction that it fired as.
        version: u64,
        /// What is wrong with it.
        what: String,
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
    /// An answer that the log does not bear out.
    #[error("operation {operation} was answered {answered:?}, and the log says {log}")]
    WrongAnswer {
        /// The operation.
        operation: usize,
        /// What was answered.
        answered: Outcome,
        /// What the log says.
        log: String,
    },
    /// Two answers to one key differ (P13).
    #[error("operation {operation} was answered {first:?} and later {second:?}")]
    TwoAnswers {
        /// The operation.
        operation: usize,
        /// One answer.
        first: Outcome,
        /// The other.
        second: Outcome,
    },
    /// An answer that contradicts real time.
    #[error(
        "operation {operation} began when version {before} had been answered, and got {version}"
    )]
    Stale {
        /// The operation.
        operation: usize,
        /// The newest version answered to anybody before it began.
        before: u64,
        /// Its own.
        version: u64,
    },
    /// It was said that nothing happened, and it had.
    #[error(
        "operation {operation} was told that nothing happened ({failure}), and is version {version}"
    )]
    HappenedAllTheSame {
        /// The operation.
        operation: usize,
        /// What it was told.
        failure: String,
        /// Where it is.
        version: u64,
    },
    /// Two answers to one request.
    #[error("attempt {attempt} of operation {operation} was answered twice")]
    AnsweredTwice {
        /// The operation.
        operation: usize,
        /// The attempt.
        attempt: usize,
    },
    /// A state differs from what the log adds up to.
    #[error("the state of node {node} at version {version} is not what the log adds up to: {what}")]
    StateDiffers {
        /// The node.
        node: usize,
        /// The version.
        version: u64,
        /// The first difference.
        what: String,
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
    /// Faults are over and it does not get well.
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
