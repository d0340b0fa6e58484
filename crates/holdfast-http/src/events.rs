//! Server-sent events: a body that is asked for its next bytes when the connection has taken
//! the last ones, and the bound on those who wait for something.
//!
//! What the bytes are is a `Source`'s: the change feed, or a command that is tailed.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use hyper::{
    HeaderMap,
    header::{ACCEPT, HeaderName},
};

use crate::service::Shared;

/// A stream without news says something this often, so that neither side takes the other for
/// dead.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(15);

/// Where a client that reconnects was.
pub(crate) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// What a stream is declared as.
pub(crate) const MEDIA_TYPE: &str = "text/event-stream";

/// Does the client ask for a stream?
pub(crate) fn are_wanted(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).is_some_and(|accepted| {
        let accepted = accepted.as_bytes();
        let media_type = MEDIA_TYPE.as_bytes();
        accepted.windows(media_type.len()).any(|part| part.eq_ignore_ascii_case(media_type))
    })
}

/// One more that waits, for as long as this lives.
pub(crate) struct Counted(Arc<Shared>);

impl Counted {
    /// One more, unless there are as many as may be.
    pub(crate) fn rise(shared: &Arc<Shared>) -> Option<Self> {
        let risen = Self(Arc::clone(shared));
        let before = shared.metrics.followers.fetch_add(1, Ordering::Relaxed);
        (before < shared.limits.followers_max).then_some(risen)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.metrics.followers.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What comes next, and what goes on behind it; `None` at the end.
pub(crate) type Next = Pin<Box<dyn Future<Output = Option<(Box<dyn Source>, Bytes)>> + Send>>;

/// What makes the bytes of a stream.
pub(crate) trait Source: Send {
    /// The next bytes.
    fn next(self: Box<Self>) -> Next;
}

/// Server-sent events.
pub struct EventStream {
    /// `None` after the end.
    next: Option<Next>,
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream").finish_non_exhaustive()
    }
}

impl EventStream {
    /// The first bytes go out at once, so that the client knows that it is heard.
    pub(crate) fn new(begin: &'static [u8], source: Box<dyn Source>) -> Self {
        let begin = Bytes::from_static(begin);
        Self { next: Some(Box::pin(async { Some((source, begin)) })) }
    }

    /// The next bytes, or `None` at the end.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let Some(next) = &mut self.next else { return Poll::Ready(None) };
        let Some((source, bytes)) = ready!(next.as_mut().poll(cx)) else {
            self.next = None;
            return Poll::Ready(None);
        };
        self.next = Some(source.next());
        Poll::Ready(Some(bytes))
    }
}
