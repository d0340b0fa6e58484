//! What a partition counts, for `/metrics` and the benches. Counters only rise.

use std::sync::atomic::{AtomicU64, Ordering};

use holdfast_state::{
    Namespace,
    tally::{Tallies, Tally},
};
use parking_lot::Mutex;

use crate::request::{Answer, Decision, Failure};

/// A number that only rises, or a level that is set; read from any thread.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn increment(&self) {
        self.add(1);
    }

    /// So many more.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// This now.
    pub fn set(&self, level: u64) {
        self.0.store(level, Ordering::Relaxed);
    }

    /// The number.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What a partition counts.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Requests that were evaluated.
    pub evaluated: Counter,
    /// Of these, those refused by state.
    pub refused: Counter,
    /// Of these, those answered from an idempotency record.
    pub replayed: Counter,
    /// Transactions that panicked.
    pub panicked: Counter,
    /// Transactions that came to no outcome otherwise.
    pub aborted: Counter,
    /// Requests refused because the queue was full.
    pub overloaded: Counter,
    /// Requests dropped because their deadline had passed.
    pub too_late: Counter,
    /// Entries sent to the log.
    pub entries: Counter,
    /// Their bytes.
    pub entry_bytes: Counter,
    /// Transactions applied to the state.
    pub applied: Counter,
    /// Requests refused because they are in quarantine, timers included.
    pub quarantined: Counter,
    /// Different requests that are in quarantine.
    pub in_quarantine: Counter,
    /// Timers fired.
    pub timers_fired: Counter,
    /// Digests of leaders compared with the state.
    pub digests: Counter,
    /// Of these, those that differed.
    pub digests_differ: Counter,
    /// Rows that were compared.
    pub rows_compared: Counter,
    /// Requests waiting for evaluation now.
    pub waiting: Counter,
    /// Version of the last transaction applied.
    pub version: Counter,
    /// Position up to which the log is applied.
    pub position: Counter,
    /// Log time when it was last read, in microseconds since 1970.
    pub log_time_us: Counter,
    /// How far the wall clock is from log time, in microseconds.
    pub clock_offset_us: Counter,
    /// Snapshots kept.
    pub snapshots: Counter,
    /// 0 while it reads up to the log's end, 1 while it follows, 2 while a claim is on its way, 3
    /// while it leads, 4 when it has stopped.
    pub role: Counter,
    /// The number of the latest claim that counts.
    pub epoch: Counter,
    /// Claims sent.
    pub claims: Counter,
    /// Of these, those that counted.
    pub claims_won: Counter,
    /// Of these, those that another's claim was before.
    pub claims_lost: Counter,
    /// Times that leadership ended while the partition ran on.
    pub step_downs: Counter,
    /// Entries without a transaction, by which an idle leader says that it leads.
    pub heartbeats: Counter,
    /// Linearizable reads that the log confirmed.
    pub confirmed: Counter,
    /// Monotonic time, in microseconds, at which everything acknowledged until then was known to be
    /// in the state: by the newest look at the log's end that proved it, or entry that was sent.
    pub fresh_us: Counter,
    /// Monotonic time, in microseconds, at which an entry that counts was last read.
    pub heard_us: Counter,
    /// What transactions counted while this node led. Locked for as long as it takes to add one
    /// transaction's, or to read an instrument.
    pub tallies: Mutex<Tallies>,
}

impl Metrics {
    /// Adds what a transaction counted, which most do not.
    pub(crate) fn tally(&self, namespace: Namespace, counted: Vec<Tally>) {
        if !counted.is_empty() {
            self.tallies.lock().add(namespace, counted);
        }
    }

    /// Counts how a request ended.
    pub(crate) fn count(&self, answer: &Answer) {
        match answer {
            Ok(outcome) => {
                if outcome.replayed {
                    self.replayed.increment();
                } else if outcome.decision == Decision::Refused {
                    self.refused.increment();
                }
            }
            Err(Failure::Panicked { .. }) => self.panicked.increment(),
            Err(Failure::Aborted(_)) => self.aborted.increment(),
            Err(
                Failure::Overloaded
                | Failure::Deadline
                | Failure::Unavailable { .. }
                | Failure::NotLeader { .. }
                | Failure::OutcomeUnknown { .. }
                | Failure::KeyReused
                | Failure::Quarantined { .. },
            ) => {}
        }
    }
}
