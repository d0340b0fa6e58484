//! From a call to its answer: the one path, whoever asks.
//!
//! What may write runs as a transaction of the partition; what only reads runs on
//! a view of applied state, on the caller's thread. Answers leave only when applied,
//! so a view taken once it is proved that the partition leads holds everything that
//! anyone was told (P10); callers may ask for less ([`Consistency`]). A deadline
//! bounds the whole path.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use bytes::Bytes;
use holdfast_engine::{Asked, Decision, Partition};
use holdfast_state::{
    Abort, LogTime, Namespace, Read as _, Stop, Tx, Version, View,
    command::{Call, Kind, Refused},
};

use crate::{at::At, consistency::Consistency, node::Node};

/// Turns a refusal into the bytes that the caller's edge wants to have stored.
pub type Render = fn(&Refused) -> Vec<u8>;

/// How a call is to be made.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Whose state it sees.
    pub namespace: Namespace,
    /// Recognises a call that writes when it is made again; of no meaning for one that
    /// only reads. Without it a call that kills the process is never refused (P21).
    pub asked: Option<Asked>,
    /// The answer is of no use later than this.
    pub timeout: Duration,
    /// It must see everything up to here.
    pub after: Option<Version>,
    /// What it is to see otherwise; of no meaning for a call that writes.
    pub consistency: Consistency,
}

/// The answer to a call, refusals included. All that it rests on is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Did it do what was asked?
    pub decision: Decision,
    /// The outcome as JSON, or the refusal as [`Render`] made it.
    pub body: Bytes,
    /// Its place in history.
    pub at: At,
    /// Log time when it was evaluated.
    pub time: LogTime,
    /// This is the stored answer of an earlier call.
    pub replayed: bool,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The partition says why.
    #[error(transparent)]
    Partition(#[from] holdfast_engine::Failure),
    /// The version that the caller wants to see was not reached in time. A version
    /// that this partition gave out is always reached; one of another log never.
    #[error("version {asked} was not reached in time; the partition is at {applied}")]
    NotReached {
        /// What must be seen.
        asked: Version,
        /// What there is.
        applied: Version,
    },
    /// No answer came in time. What was asked may have happened or may still happen.
    #[error("no answer within {timeout:?}: what was asked may have happened")]
    TimedOut {
        /// How long was waited.
        timeout: Duration,
    },
}

impl Node {
    /// Makes a call and waits for its answer.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn execute(
        &self,
        ask: Ask,
        kind: Kind,
        call: Box<dyn Call>,
        render: Render,
    ) -> Result<Reply, Failure> {
        let timeout = ask.timeout;
        let partition = self.partition();
        let (after, feed) = (ask.after, partition.feed());
        let reached = || after.is_none_or(|asked| feed.reached() >= asked);
        match tokio::time::timeout(timeout, run(&partition, ask, kind, call, render)).await {
            Ok(answer) => answer,
            Err(_) if !reached() => Err(Failure::NotReached {
                asked: after.unwrap_or_default(),
                applied: feed.reached(),
            }),
            Err(_) => Err(Failure::TimedOut { timeout }),
        }
    }
}

async fn run(
    partition: &Partition,
    ask: Ask,
    kind: Kind,
    call: Box<dyn Call>,
    render: Render,
) -> Result<Reply, Failure> {
    if let Some(version) = ask.after {
        partition.applied(version).await?;
    }
    match kind {
        Kind::Write => write(partition, ask, call, render).await,
        Kind::Query => {
            let level = ask.consistency.level(ask.after);
            let view = partition.look(ask.namespace, level).await?;
            look(partition, &view, call.as_ref(), render)
        }
    }
}

async fn write(
    partition: &Partition,
    ask: Ask,
    call: Box<dyn Call>,
    render: Render,
) -> Result<Reply, Failure> {
    let work =
        move |tx: &mut Tx<'_>| call.run(tx).map_err(|stop| stop.map(|refused| render(&refused)));
    commit(partition, ask, work).await
}

/// Runs work as a transaction that nobody wants to hear of after the ask's timeout.
pub(crate) async fn commit(
    partition: &Partition,
    ask: Ask,
    work: impl Fn(&mut Tx<'_>) -> Result<Vec<u8>, Stop<Vec<u8>>> + Send + 'static,
) -> Result<Reply, Failure> {
    let timeout_us = u64::try_from(ask.timeout.as_micros()).unwrap_or(u64::MAX);
    let deadline_us = partition.monotonic_us().saturating_add(timeout_us);
    let answer = partition.transact(ask.namespace, ask.asked, Some(deadline_us), work).await?;
    Ok(Reply {
        decision: answer.decision,
        body: answer.body,
        at: At::here(answer.version),
        time: answer.time,
        replayed: answer.replayed,
    })
}

fn look(
    partition: &Partition,
    view: &View,
    call: &dyn Call,
    render: Render,
) -> Result<Reply, Failure> {
    let looked = catch_unwind(AssertUnwindSafe(|| call.look(view))).map_err(|_| {
        let message = "a query panicked; the message is in the server's log".to_owned();
        holdfast_engine::Failure::Panicked { message }
    })?;
    let (decision, body) = match looked.expect("a query can look") {
        Ok(body) => (Decision::Done, body),
        Err(Stop::Refused(refused)) => (Decision::Refused, render(&refused)),
        Err(Stop::Aborted(abort)) => {
            if let Abort::Store(error) = &abort {
                partition.doubt(error.clone());
            }
            return Err(holdfast_engine::Failure::Aborted(abort).into());
        }
    };
    let at = At::here(view.version());
    Ok(Reply { decision, body: body.into(), at, time: view.now(), replayed: false })
}
