//! An answer that cannot be forgotten.
//!
//! [`Log`](crate::Log) promises that every `done` is called exactly once. Wrapped in a [`Reply`] it
//! is: whatever drops it without an answer, a panic included, answers that the log has stopped.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::LogError;
use crate::log::Done;

/// A `done` that is called when it is dropped, if it was not before.
pub(super) struct Reply<T> {
    done: Option<Done<T>>,
}

impl<T> Reply<T> {
    pub(super) fn new(done: Done<T>) -> Self {
        Self { done: Some(done) }
    }

    pub(super) fn give(mut self, result: Result<T, LogError>) {
        let done = self.done.take().expect("an answer is given by value, so once");
        done(result);
    }
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        let Some(done) = self.done.take() else { return };
        let reason = "a thread of the log ended before it answered".to_owned();
        let told = catch_unwind(AssertUnwindSafe(|| done(Err(LogError::Stopped { reason }))));
        // A callback that panics here has been called, which is all that is promised; letting its
        // panic out of a destructor would end the process.
        drop(told);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_reply_is_given_once_even_if_it_is_dropped_or_lost_in_a_panic() {
        let (answers, answered) = mpsc::channel();
        let reply = || {
            let answers = answers.clone();
            Reply::new(Box::new(move |result: Result<u8, LogError>| answers.send(result).unwrap()))
        };
        reply().give(Ok(1));
        assert_eq!(answered.try_recv().unwrap().unwrap(), 1);
        drop(reply());
        let in_panic = reply();
        let panicked = catch_unwind(AssertUnwindSafe(move || {
            let _held = in_panic;
            panic!("planned");
        }));
        assert!(panicked.is_err());
        for _ in 0..2 {
            let refused = answered.try_recv().unwrap().unwrap_err();
            assert!(matches!(refused, LogError::Stopped { .. }), "{refused}");
        }
        assert!(answered.try_recv().is_err());
    }
}
