//! A reader on its way through the feed, and the events that it makes of it.
//!
//! Nothing runs ahead of the client: the next page is read when the connection
//! has taken the last one, so a slow reader holds one page and no more.

use std::sync::Arc;

use bytes::Bytes;
use holdfast_engine::{Feed, FeedError};
use holdfast_state::{Namespace, Version};
use tokio::{sync::watch, time::Instant};

use super::{PAGE_BYTES, Wanted, problem, render::Transaction};
use crate::{
    events::{Counted, HEARTBEAT, Next, Source},
    problem::{Kind, Problem},
    service::Shared,
};

/// A reader on its way.
pub(crate) struct Follower {
    shared: Arc<Shared>,
    feed: Arc<Feed>,
    applied: watch::Receiver<Version>,
    stopping: watch::Receiver<bool>,
    wanted: Wanted,
    _counted: Counted,
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
        let mut applied = feed.applied();
        let (asked, reached) = (wanted.after, partition.view(Namespace::SYSTEM).version());
        if asked > reached {
            let detail = format_args!("version {asked} was not given out; the last is {reached}");
            return Err(Problem::new(Kind::VersionNotReached, detail)
                .fact("asked", asked.get())
                .fact("applied", reached.get()));
        }
        // What was answered is in the state, and comes to the feed a moment later.
        let there = applied.wait_for(|version| *version >= reached);
        match tokio::time::timeout(shared.limits.request_timeout, there).await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) => return Err(problem(&FeedError::Stopped)),
            Err(_) => return Err(Problem::new(Kind::Unavailable, "the change feed is behind")),
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

impl Source for Follower {
    fn next(self: Box<Self>) -> Next {
        Box::pin(async {
            let (follower, bytes) = self.events().await?;
            Some((Box::new(follower) as Box<dyn Source>, bytes))
        })
    }
}
