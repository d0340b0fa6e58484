//! Appends that wait for a connection: bounded in bytes, taken in batches.
//!
//! Whatever waits when a connection is free becomes one statement, so that the batch grows with
//! the time the server takes and a lone append never waits for company. A position is under way
//! once at a time: appends to one position are put in the order of their calls.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use holdfast_log::{Append, LogError, Position};
use tokio::sync::Notify;

use crate::reply::Reply;

/// The most rows of one statement.
const BATCH_ROWS_MAX: usize = 64;

/// A statement takes no further entry once it has this many bytes.
const BATCH_BYTES_MAX: usize = 4 << 20;

/// One append that waits for its answer.
pub(crate) struct Waiting {
    pub(crate) position: Position,
    pub(crate) bytes: Bytes,
    pub(crate) reply: Reply<Append>,
}

/// The appends that nobody works on yet.
pub(crate) struct Queue {
    state: Mutex<State>,
    /// Woken when something came, and by who leaves something behind.
    came: Notify,
    bytes_max: usize,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    /// The positions of batches that are not answered yet.
    under_way: BTreeSet<Position>,
}

/// The positions of one batch; others may have them when it is dropped.
#[derive(Debug)]
pub(crate) struct UnderWay<'a> {
    queue: &'a Queue,
    positions: Vec<Position>,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        {
            let mut state = self.queue.state();
            for position in &self.positions {
                state.under_way.remove(position);
            }
        }
        // Somebody may have waited for one of them.
        self.queue.came.notify_one();
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("Queue")
            .field("waiting", &state.waiting.len())
            .field("bytes", &state.bytes)
            .finish_non_exhaustive()
    }
}

impl Queue {
    pub(crate) fn bounded(bytes_max: usize) -> Self {
        Self { state: Mutex::default(), came: Notify::new(), bytes_max }
    }

    /// Adds an append, or answers it at once if too much waits already. An empty queue takes any.
    pub(crate) fn push(&self, append: Waiting) {
        let refused = {
            let mut state = self.state();
            let queued_bytes = state.bytes;
            if queued_bytes > 0 && queued_bytes + append.bytes.len() > self.bytes_max {
                Some((append, LogError::Overloaded { queued_bytes }))
            } else {
                state.bytes += append.bytes.len();
                state.waiting.push_back(append);
                None
            }
        };
        match refused {
            // Who worked last is warmest: its connection, and the server's process behind it.
            None => self.came.notify_last(),
            Some((append, error)) => append.reply.give(Err(error)),
        }
    }

    /// The next batch, in order of positions, and what is to be dropped when it is answered;
    /// waits until there is one.
    pub(crate) async fn next(&self) -> (Vec<Waiting>, UnderWay<'_>) {
        loop {
            let came = self.came.notified();
            let (mut batch, more) = self.state().take();
            if !batch.is_empty() {
                if more {
                    self.came.notify_one();
                }
                // Statements that overlap meet their common positions in one order, so that the
                // server never has to break a deadlock between them.
                batch.sort_unstable_by_key(|append| append.position);
                let positions = batch.iter().map(|append| append.position).collect();
                return (batch, UnderWay { queue: self, positions });
            }
            came.await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A batch, which is under way from now on, and whether something is left.
    fn take(&mut self) -> (Vec<Waiting>, bool) {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while let Some(next) = self.waiting.front() {
            let full = batch.len() == BATCH_ROWS_MAX || bytes >= BATCH_BYTES_MAX;
            if full || !self.under_way.insert(next.position) {
                break;
            }
            bytes += next.bytes.len();
            batch.extend(self.waiting.pop_front());
        }
        self.bytes -= bytes;
        (batch, !self.waiting.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn waiting(position: u64, bytes: usize) -> Waiting {
        let reply = Reply::new(Box::new(|_| ()));
        let bytes = Bytes::from(vec![0; bytes]);
        Waiting { position: Position::new(position).unwrap(), bytes, reply }
    }

    /// The positions of a batch, and whether something is left; the batch stays under way.
    fn taken(queue: &Queue) -> (Vec<u64>, bool) {
        let (batch, more) = queue.state().take();
        (batch.iter().map(|append| append.position.get()).collect(), more)
    }

    fn answered(queue: &Queue, positions: &[u64]) {
        let positions = positions.iter().map(|number| Position::new(*number).unwrap());
        drop(UnderWay { queue, positions: positions.collect() });
    }

    #[test]
    fn batches_are_bounded_and_a_position_is_under_way_once() {
        let queue = Queue::bounded(usize::MAX);
        let fill = |positions: &[u64]| {
            for position in positions {
                queue.push(waiting(*position, 10));
            }
        };
        fill(&[1, 2, 1, 3]);
        assert_eq!(taken(&queue), (vec![1, 2], true));
        assert_eq!(taken(&queue), (vec![], true), "the first is not answered yet");
        answered(&queue, &[1, 2]);
        assert_eq!(taken(&queue), (vec![1, 3], false));
        answered(&queue, &[1, 3]);
        fill(&(1..=100).collect::<Vec<_>>());
        assert_eq!(taken(&queue).0.len(), BATCH_ROWS_MAX);
        assert_eq!(taken(&queue).0.len(), 100 - BATCH_ROWS_MAX);
        queue.push(waiting(101, BATCH_BYTES_MAX));
        queue.push(waiting(102, 1));
        assert_eq!(taken(&queue), (vec![101], true));
        assert_eq!(taken(&queue), (vec![102], false));
        assert_eq!(queue.state().bytes, 0);
    }

    #[test]
    fn a_full_queue_refuses_at_once_and_an_empty_one_never() {
        let queue = Queue::bounded(10);
        queue.push(waiting(1, 11));
        let (answer, answered) = mpsc::channel();
        let done = move |result| answer.send(result).unwrap();
        let reply = Reply::new(Box::new(done));
        queue.push(Waiting { reply, ..waiting(2, 1) });
        let refused = answered.try_recv().unwrap().unwrap_err();
        assert!(matches!(refused, LogError::Overloaded { queued_bytes: 11 }), "{refused}");
        assert_eq!(taken(&queue), (vec![1], false));
    }
}
