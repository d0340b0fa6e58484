//! An answer that cannot be forgotten, and the count of those that are still owed.
//!
//! [`Log`](holdfast_log::Log) promises that every `done` is called exactly once. Wrapped in a
//! [`Reply`] it is: whatever drops it without an answer, a panic or the end of the runtime
//! included, answers that the log has stopped. Closing waits until nothing is owed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use holdfast_log::{Done, LogError};
use tokio::sync::Notify;

/// A `done` that is called when it is dropped, if it was not before.
pub(crate) struct Reply<T> {
    done: Option<Done<T>>,
    /// Given back after the answer, so that a closed log has answered everything.
    _debt: Option<Debt>,
}

impl<T> Reply<T> {
    /// One that nobody waits for when the log is closed.
    pub(crate) fn new(done: Done<T>) -> Self {
        Self { done: Some(done), _debt: None }
    }

    /// One that closing waits for.
    pub(crate) fn owed(done: Done<T>, owed: &Arc<Owed>) -> Self {
        Self { done: Some(done), _debt: Some(Debt::new(owed)) }
    }

    pub(crate) fn give(mut self, result: Result<T, LogError>) {
        self.answer(result);
    }

    fn answer(&mut self, result: Result<T, LogError>) {
        let Some(done) = self.done.take() else { return };
        // A callback that panics has been called, which is all that is promised; its panic must
        // not end the task that answers others as well.
        drop(catch_unwind(AssertUnwindSafe(|| done(result))));
    }
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        let reason = "it was dropped before it answered".to_owned();
        self.answer(Err(LogError::Stopped { reason }));
    }
}

/// How many answers are owed.
#[derive(Debug, Default)]
pub(crate) struct Owed {
    count: AtomicUsize,
    none: Notify,
}

impl Owed {
    /// Returns when nothing is owed.
    pub(crate) async fn settled(&self) {
        loop {
            let none = self.none.notified();
            if self.count.load(Ordering::SeqCst) == 0 {
                return;
            }
            none.await;
        }
    }
}

struct Debt(Arc<Owed>);

impl Debt {
    fn new(owed: &Arc<Owed>) -> Self {
        owed.count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(owed))
    }
}

impl Drop for Debt {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.none.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_reply_is_given_once_even_if_it_is_dropped_or_its_callback_panics() {
        let (answers, answered) = mpsc::channel();
        let owed = Arc::new(Owed::default());
        let reply = || {
            let answers = answers.clone();
            let done = move |result: Result<u8, LogError>| answers.send(result).unwrap();
            Reply::owed(Box::new(done), &owed)
        };
        let kept = reply();
        reply().give(Ok(1));
        assert_eq!(answered.try_recv().unwrap().unwrap(), 1);
        drop(reply());
        let refused = answered.try_recv().unwrap().unwrap_err();
        assert!(matches!(refused, LogError::Stopped { .. }), "{refused}");
        Reply::<u8>::new(Box::new(|_| panic!("planned"))).give(Ok(1));
        assert!(answered.try_recv().is_err());
        assert_eq!(owed.count.load(Ordering::SeqCst), 1, "one is still owed");
        kept.give(Ok(2));
        assert_eq!(owed.count.load(Ordering::SeqCst), 0);
    }
}
