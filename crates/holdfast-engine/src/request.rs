//! What a partition is asked, and what it answers.

use std::{fmt, str::FromStr};

use bytes::Bytes;
use holdfast_state::{Abort, LogTime, Namespace, Stop, Tx, Version};
use xxhash_rust::xxh3::Xxh3;

use crate::leader::Leader;

/// A transaction: runs on the evaluator, perhaps more than once (P21), and has
/// no effect but what it does to its [`Tx`]. Its bytes, outcome or refusal, are
/// the edge's own; the engine stores and returns them as they are.
pub type Work = Box<dyn Fn(&mut Tx<'_>) -> Result<Vec<u8>, Stop<Vec<u8>>> + Send>;

/// Takes the answer; called exactly once, on a thread of the partition's, and must
/// not block.
pub type ReplyTo = Box<dyn FnOnce(Answer) + Send>;

/// Identifies what a request asks: method, path, principal and raw body. Two
/// requests with one key must have one fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 16]);

/// Part of every fingerprint that is computed here, so that another way to compute
/// them gives others.
const FORMAT: u8 = 1;

impl Fingerprint {
    /// The fingerprint of what these parts say: xxh3-128 over format number and
    /// parts, each behind its length, so that nothing can move from one into the next.
    ///
    /// It guards against mistakes, not against forgery: whoever could make two
    /// requests collide could as well have made the second under a key of its own.
    #[must_use]
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut hash = Xxh3::new();
        hash.update(&[FORMAT]);
        for part in parts {
            hash.update(&(part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        Self(hash.digest128().to_le_bytes())
    }
}

impl fmt::Display for Fingerprint {
    /// 32 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl FromStr for Fingerprint {
    type Err = NoFingerprint;

    fn from_str(text: &str) -> Result<Self, NoFingerprint> {
        let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u128::from_str_radix(text, 16).ok().filter(|_| digits);
        number.map(|number| Self(number.to_be_bytes())).ok_or(NoFingerprint)
    }
}

/// Text that is not 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is 32 hexadecimal digits")]
pub struct NoFingerprint;

/// What is asked: recognised when it is asked again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What it is, whoever asks how often.
    pub fingerprint: Fingerprint,
    /// Makes it repeatable: whoever asks again under it gets the first answer. The
    /// caller's, unique within its namespace.
    pub key: Option<Box<str>>,
}

/// A transaction on its way to the evaluator.
pub struct Request {
    /// Whose state it sees.
    pub namespace: Namespace,
    /// What it asks; `None` for work of the engine's own, and of programs that run
    /// the engine themselves and need neither keys nor quarantine.
    pub asked: Option<Asked>,
    /// When nobody waits for the answer any more, on the monotonic clock.
    pub deadline_us: Option<u64>,
    /// What it does.
    pub work: Work,
    /// Where the answer goes.
    pub reply: ReplyTo,
}

impl Request {
    /// The fingerprint of what it asks.
    #[must_use]
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        self.asked.as_ref().map(|asked| asked.fingerprint)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("namespace", &self.namespace)
            .field("asked", &self.asked)
            .field("deadline_us", &self.deadline_us)
            .finish_non_exhaustive()
    }
}

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It did what it was asked.
    Done,
    /// The state did not allow it; nothing was written.
    Refused,
}

/// The answer of a transaction, refusals included. All that it rests on is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub decision: Decision,
    /// What the transaction returned.
    pub body: Bytes,
    /// Its place in the one order: its own version, or for one that wrote
    /// nothing the last version that it saw (P12).
    pub version: Version,
    /// Log time when it was evaluated.
    pub time: LogTime,
    /// This is the stored answer of an earlier request with the same key.
    pub replayed: bool,
}

/// Why there is no outcome.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The queue is full. Nothing happened; ask again after a while.
    #[error("the partition has as many requests waiting as it takes")]
    Overloaded,
    /// The deadline passed before it was evaluated. Nothing happened.
    #[error("the deadline passed before the request was evaluated")]
    Deadline,
    /// The partition is stopping, or has stopped. Nothing happened.
    #[error("the partition takes no requests: {reason}")]
    Unavailable {
        /// Why.
        reason: String,
    },
    /// This node does not lead. Nothing happened; ask the one that does.
    #[error("this node does not lead: {}", said(leader.as_ref()))]
    NotLeader {
        /// Who leads, if that is known.
        leader: Option<Leader>,
    },
    /// It was evaluated, but whether it became durable is not known here. Ask
    /// again with the same idempotency key.
    #[error("whether the request took effect is not known: {reason}")]
    OutcomeUnknown {
        /// Why.
        reason: String,
    },
    /// The key was used for another request before.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The process died more than once while this was evaluated, so it is not
    /// evaluated any more (P21). Nothing happened.
    #[error("evaluating this request ended the process before: {fingerprint} is in quarantine")]
    Quarantined {
        /// What an operator can clear.
        fingerprint: Fingerprint,
    },
    /// The transaction panicked. Nothing happened, and nobody else was harmed.
    #[error("the transaction panicked: {message}")]
    Panicked {
        /// What it said.
        message: String,
    },
    /// The transaction came to no outcome. Nothing happened.
    #[error(transparent)]
    Aborted(Abort),
}

fn said(leader: Option<&Leader>) -> String {
    leader.map_or_else(|| "nobody is known to".to_owned(), ToString::to_string)
}

/// What a request gets.
pub type Answer = Result<Outcome, Failure>;
