//! A reader on its way through the feed, and the stream of events that it makes.
//!
//! Nothing runs ahead of the client: the next page is read when the connection
//! has taken the last one, so a slow reader holds one page and no more.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use holdfast_engine::{Feed, FeedError};
use holdfast_state::{Namespace, Version};
use tokio::{sync::watch, time::Instant};

use super::{PAGE_BYTES, Wanted, problem, render::Transaction};
use crate::{
    problem::{Kind, Problem},
    service::Shared,
};

/// A stream without news says where it is this often, so that neither side takes
/// the other for dead and a client that reconnects need not begin far back.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// A reader on its way.
pub(crate) struct Follower {
    shared: Arc<Shared>,
    feed: Arc<Feed>,
    applied: watch::Receiver<Version>,
    stopping: watch::Receiver<bool>,
    wanted: Wanted,
    _counted: Counted,
}

/// One follower more for as long as this lives.
struct Counted(Arc<Shared>);

impl Counted {
    fn rise(shared: &Arc<Shared>) -> Option<Self> {
        let risen = Self(Arc::clone(shared));
        let before = followers(shared).fetch_add(1, Ordering::Relaxed);
        (before < shared.limits.followers_max).then_some(risen)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        followers(&self.0).fetch_sub(1, Ordering::Relaxed);
    }
}

fn followers(shared: &Shared) -> &AtomicUsize {
    &shared.metrics.followers
}

impl Follower {
    /// Begins after the version that was asked for.
    ///
    /// # Errors
    /// `overloaded`, `unavailable`, `changes_trimmed`; `version_not_reached` for a
    /// version that this log never gave out, since no cursor of ours is one.
    pub(crate) async fn begin(shared: Arc<Shared>, wanted: Wanted) -> Result<Self, Problem> {
        let counted = Counted::rise(&shared).ok_or_else(|| {
            Problem::new(Kind::Overloaded, "as many follow the change feed as may")
        })?;
        let partition = shared.node.partition();
        let leading = tokio::time::timeout(shared.limits.request_timeout, partition.leading());
        match leading.await {
            Ok(Ok(())) => {}
            Ok(Err(why)) => return Err(Problem::new(Kind::Unavailable, why)),
            Err(_) => {
                return Err(Problem::new(Kind::Unavailable, "the partition is reading its log"));
            }
        }
        let feed = Arc::clone(partition.feed());
        let applied = feed.applied();
        // What was answered is in the state, and comes to the feed a moment later.
        let (asked, reached) = (wanted.after, partition.view(Namespace::SYSTEM).version());
        if asked > reached {
            let detail = format_args!("version {asked} was not given out; the last is {reached}");
            return Err(Problem::new(Kind::VersionNotReached, detail)
                .fact("asked", asked.get())
                .fact("applied", reached.get()));
        }
        let stopping = shared.stopping.clone();
        let mut follower = Self { shared, feed, applied, stopping, wanted, _counted: counted };
        // A reader who comes too late is told at once, not in the middle of a stream.
        let begin = follower.wanted.after;
        follower.advance().await.map_err(|error| problem(&error))?;
        follower.wanted.after = begin;
        Ok(follower)
    }

    pub(crate) const fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// Waits until there may be more. False when the deadline or the server's end
    /// came first.
    ///
    /// # Errors
    /// [`FeedError::Stopped`]
    pub(crate) async fn wait(&mut self, deadline: Instant) -> Result<bool, FeedError> {
        let after = self.wanted.after;
        let more = self.applied.wait_for(|version| *version > after);
        tokio::select! {
            biased;
            more = more => more.map(|_| true).map_err(|_| FeedError::Stopped),
            () = tokio::time::sleep_until(deadline) => Ok(false),
            _ = self.stopping.wait_for(|stopping| *stopping) => Ok(false),
        }
    }

    /// The next transactions that the reader wants to see, perhaps none of those
    /// that there were; the cursor moves on in any case.
    ///
    /// # Errors
    /// [`FeedError`]
    pub(crate) async fn advance(&mut self) -> Result<Vec<Transaction>, FeedError> {
        let changes = self.feed.changes(self.wanted.after, PAGE_BYTES).await?;
        let mut found = Vec::new();
        for change in changes {
            if found.len() == self.wanted.limit {
                break;
            }
            self.wanted.after = change.version;
            let Wanted { namespace, tables, key, .. } = &self.wanted;
            let shown = Transaction::of(&change, *namespace, tables, key)?;
            found.extend(shown);
        }
        Ok(found)
    }

    /// The next bytes of a stream of events; `None` at its end.
    async fn events(mut self) -> Option<(Self, Bytes)> {
        let deadline = Instant::now() + HEARTBEAT;
        let mut page = String::new();
        let result = loop {
            match self.wait(deadline).await {
                Ok(true) => {}
                Ok(false) if *self.shared.stopping.borrow() => return None,
                // An id alone is no event, but moves the client's cursor.
                Ok(false) => break Ok(format!("id: {}\n\n", self.wanted.after)),
                Err(error) => break Err(error),
            }
            match self.advance().await {
                Ok(found) => found.iter().for_each(|transaction| page += &transaction.to_event()),
                Err(error) => break Err(error),
            }
            if !page.is_empty() {
                break Ok(page);
            }
        };
        match result {
            Ok(page) => Some((self, page.into())),
            Err(error) => {
                tracing::debug!(%error, "a follower's stream ends");
                None
            }
        }
    }
}

type NextEvents = Pin<Box<dyn Future<Output = Option<(Follower, Bytes)>> + Send>>;

/// Server-sent events.
pub struct EventStream {
    /// `None` after the end.
    next: Option<NextEvents>,
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream").finish_non_exhaustive()
    }
}

impl EventStream {
    pub(crate) fn new(follower: Follower) -> Self {
        // The first bytes go out at once, so that the client knows that it is heard.
        let begin = Bytes::from_static(b": holdfast change feed\n\n");
        Self { next: Some(Box::pin(async { Some((follower, begin)) })) }
    }

    /// The next bytes, or `None` at the end.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let Some(next) = &mut self.next else { return Poll::Ready(None) };
        let Some((follower, bytes)) = ready!(next.as_mut().poll(cx)) else {
            self.next = None;
            return Poll::Ready(None);
        };
        self.next = Some(Box::pin(follower.events()));
        Poll::Ready(Some(bytes))
    }
}
