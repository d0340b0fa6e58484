//! Waiting for something to answer with: long polls and streams of commands.
//!
//! Which commands can be waited for, and when there is something, the registry says
//! (`Awaited`, `Tailed` of `holdfast-state`); nothing here knows what any of them does. A
//! request that waits looks at a view, which costs nobody's turn, is woken when the
//! partition has applied something, and looks again, after a short rest so that a busy
//! partition does not have all who wait look at every version. Once there is something, or
//! when the time is over or the server stops, the call is made as if it had just come. So it is
//! when its idempotency key has an answer: whoever lost that does not wait for it.
//!
//! A stream is answered from views alone, by any node. Nothing runs ahead of the client: the
//! next page is read when the connection has taken the last one.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use holdfast_engine::Partition;
use holdfast_node::Ask;
use holdfast_state::{
    LogTime, Namespace, Read as _, Stop, Version, View,
    command::{
        Call, Refused, Tail,
        awaited::{Pending, TailEvent},
    },
};
use tokio::{sync::watch, time::Instant};

use crate::{
    events::{Counted, EventStream, HEARTBEAT, Next, Source},
    problem::{Kind, Problem},
    service::Shared,
};

/// Between two looks of one request.
const REST: Duration = Duration::from_millis(5);

/// Says nothing, so that neither side takes the other for dead.
const COMMENT: &[u8] = b":\n\n";

/// Waits until a call has something to answer with, as long as it wants to.
///
/// # Errors
/// `overloaded`, `unavailable`
pub(crate) async fn wait(
    shared: &Arc<Shared>,
    ask: &Ask,
    call: Box<dyn Call>,
) -> Result<Box<dyn Call>, Problem> {
    let length = call.wait().unwrap_or_default().min(shared.limits.changes_wait_max);
    if length.is_zero() {
        return Ok(call);
    }
    let mut watching = Watching::begin(shared, ask, call)?;
    watching.reach(ask.after, ask.timeout).await?;
    watching.something(Instant::now() + length).await?;
    Ok(watching.call)
}

/// Answers with a stream of events, the first of which come after what the call says.
///
/// # Errors
/// `overloaded`, `unavailable`, and what the command refuses.
pub(crate) async fn tail(
    shared: &Arc<Shared>,
    ask: &Ask,
    call: Box<dyn Call>,
) -> Result<EventStream, Problem> {
    let watching = Watching::begin(shared, ask, call)?;
    watching.reach(ask.after, ask.timeout).await?;
    // A refusal is told as an answer, not in the middle of a stream.
    watching.look(|view, call| call.tail(view)).transpose().map_err(|stop| problem(&stop))?;
    Ok(EventStream::new(b": holdfast stream\n\n", Box::new(watching)))
}

/// A call that waits.
struct Watching {
    shared: Arc<Shared>,
    namespace: Namespace,
    call: Box<dyn Call>,
    /// Its idempotency key, if it has one.
    key: Option<Box<str>>,
    partition: Arc<Partition>,
    applied: watch::Receiver<Version>,
    stopping: watch::Receiver<bool>,
    _counted: Counted,
}

impl Watching {
    fn begin(shared: &Arc<Shared>, ask: &Ask, call: Box<dyn Call>) -> Result<Self, Problem> {
        let counted = Counted::rise(shared)
            .ok_or_else(|| Problem::new(Kind::Overloaded, "as many requests wait as may"))?;
        let partition = shared.node.partition();
        Ok(Self {
            namespace: ask.namespace,
            key: ask.asked.as_ref().and_then(|asked| asked.key.clone()),
            applied: partition.feed().applied(),
            stopping: shared.stopping.clone(),
            shared: Arc::clone(shared),
            call,
            partition,
            _counted: counted,
        })
    }

    /// Waits until what the caller has seen is seen here, and the state may be looked at.
    async fn reach(&self, after: Option<Version>, timeout: Duration) -> Result<(), Problem> {
        let seen = async {
            let started = self.partition.started().await;
            started.map_err(|why| Problem::new(Kind::Unavailable, why))?;
            match after {
                Some(version) => self.partition.applied(version).await.map_err(Problem::from),
                None => Ok(()),
            }
        };
        tokio::time::timeout(timeout, seen).await.unwrap_or_else(|_| {
            let detail = format_args!("what was to be seen was not reached within {timeout:?}");
            Err(Problem::new(Kind::VersionNotReached, detail))
        })
    }

    fn look<T>(&self, look: impl FnOnce(&View, &dyn Call) -> T) -> T {
        look(&self.partition.view(self.namespace), self.call.as_ref())
    }

    fn is_answered(&self) -> bool {
        let key = self.key.as_deref();
        key.is_some_and(|key| self.partition.is_answered(self.namespace, key))
    }

    /// Waits until there is something; false when the deadline or the server's end came
    /// first.
    async fn something(&mut self, deadline: Instant) -> Result<bool, Problem> {
        loop {
            self.applied.borrow_and_update();
            let (pending, now) = self.look(|view, call| (call.pending(view), view.now()));
            let pending = pending.map_err(|abort| Problem::new(Kind::Unavailable, abort))?;
            let Some(Pending { until }) = pending else { return Ok(true) };
            if self.is_answered() {
                return Ok(true);
            }
            if *self.stopping.borrow() || Instant::now() >= deadline {
                return Ok(false);
            }
            let more = tokio::select! {
                biased;
                _ = self.stopping.wait_for(|stopping| *stopping) => None,
                () = tokio::time::sleep_until(deadline) => None,
                () = at(until, now) => None,
                more = self.applied.changed() => Some(more),
            };
            if let Some(more) = more {
                more.map_err(|_| Problem::new(Kind::Unavailable, "the partition ended"))?;
                tokio::time::sleep(REST).await;
            }
        }
    }
}

/// Sleeps until this log time, or for ever.
async fn at(until: Option<LogTime>, now: LogTime) {
    match until {
        // Log time goes about as fast as ours does, and is looked at again.
        Some(until) => {
            tokio::time::sleep(Duration::from_micros(until.since_us(now)).max(REST)).await;
        }
        None => std::future::pending().await,
    }
}

impl Source for Watching {
    fn next(mut self: Box<Self>) -> Next {
        Box::pin(async move {
            let found = self.something(Instant::now() + HEARTBEAT).await;
            if *self.shared.stopping.borrow() {
                return None;
            }
            let bytes = match found {
                Ok(false) => Bytes::from_static(COMMENT),
                Ok(true) => self.page()?,
                Err(error) => {
                    tracing::debug!(code = error.code, "a stream ends");
                    return None;
                }
            };
            Some((self as Box<dyn Source>, bytes))
        })
    }
}

impl Watching {
    /// The events there are; `None` ends the stream, where it is refused to go on.
    fn page(&mut self) -> Option<Bytes> {
        match self.look(|view, call| call.tail(view))? {
            Ok(Tail { events, next }) => {
                self.call = next;
                if events.is_empty() {
                    return Some(Bytes::from_static(COMMENT));
                }
                Some(events.iter().map(text).collect::<String>().into())
            }
            Err(stop) => {
                tracing::debug!(?stop, "a stream ends");
                None
            }
        }
    }
}

fn text(event: &TailEvent) -> String {
    format!("id: {}\ndata: {}\n\n", event.id, event.data)
}

fn problem(stop: &Stop<Refused>) -> Problem {
    match stop {
        Stop::Refused(refusal) => refusal.into(),
        Stop::Aborted(abort) => Problem::new(Kind::Unavailable, abort),
    }
}
