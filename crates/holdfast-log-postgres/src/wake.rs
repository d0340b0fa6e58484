//! What wakes those who wait for a position: hints, never more.
//!
//! Appends of this process and notifications of others are counted; a waiter is woken by the first
//! that reaches its position and came after its last look. Whatever is lost on the way (the
//! listening connection, a notification) costs a waiter [`WAIT_AT_MOST`] and nothing else.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use holdfast_log::Waited;
use tokio::sync::watch;

/// A wait is answered [`Waited::Elapsed`] after this long.
const WAIT_AT_MOST: Duration = Duration::from_millis(500);

/// What was heard so far.
#[derive(Debug)]
pub(crate) struct Heard {
    news: watch::Sender<News>,
    /// The last position that was found empty, and how much had been heard when the look began.
    empty: Mutex<Option<(u64, u64)>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct News {
    /// How many times something was heard.
    count: u64,
    /// The highest position that the latest of it speaks of.
    position: u64,
}

impl Heard {
    pub(crate) fn nothing() -> Self {
        Self { news: watch::Sender::new(News::default()), empty: Mutex::new(None) }
    }

    /// A position was filled.
    pub(crate) fn filled(&self, position: u64) {
        self.news.send_modify(|news| {
            news.count += 1;
            news.position = news.position.max(position);
        });
    }

    /// A notification came; what cannot be understood wakes nobody.
    pub(crate) fn told(&self, payload: &str) {
        if let Ok(position) = payload.parse() {
            self.filled(position);
        }
    }

    /// How much was heard; to be taken before a look.
    pub(crate) fn count(&self) -> u64 {
        self.news.borrow().count
    }

    /// A look that began when so much had been heard found this position empty.
    pub(crate) fn found_empty(&self, position: u64, count: u64) {
        *self.empty.lock().unwrap_or_else(PoisonError::into_inner) = Some((position, count));
    }

    /// Waits until something is heard of the position, or beyond it, that the last look cannot
    /// have seen.
    pub(crate) async fn wait(&self, position: u64) -> Waited {
        let mut news = self.news.subscribe();
        let looked = *self.empty.lock().unwrap_or_else(PoisonError::into_inner);
        let since = match looked {
            Some((empty, count)) if empty == position => count,
            _ => news.borrow().count,
        };
        let heard = news.wait_for(|news| news.count > since && news.position >= position);
        match tokio::time::timeout(WAIT_AT_MOST, heard).await {
            Ok(Ok(_)) => Waited::MayHold,
            Ok(Err(_)) | Err(_) => Waited::Elapsed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_waiter_is_woken_by_what_its_last_look_cannot_have_seen() {
        let heard = Heard::nothing();
        heard.filled(5);
        assert_eq!(heard.wait(5).await, Waited::Elapsed, "it was heard before");
        let count = heard.count();
        heard.told("4");
        heard.found_empty(5, count);
        assert_eq!(heard.wait(5).await, Waited::MayHold, "told after the look began");
        assert_eq!(heard.wait(6).await, Waited::Elapsed, "nothing reached it");
        heard.told("no number");
        heard.found_empty(6, heard.count());
        assert_eq!(heard.wait(6).await, Waited::Elapsed);
        let (woken, ()) = tokio::join!(heard.wait(6), async { heard.told("7") });
        assert_eq!(woken, Waited::MayHold);
    }
}
