//! The change feed: every committed write, in version order, from any retained
//! version.
//!
//! What was applied lately is kept in memory, so that followers at the tail cost
//! the log nothing. Older versions are read from the log again, through the
//! reader automaton, from the nearest checkpoint below. Below the trim mark
//! there is nothing: [`FeedError::Gone`] says from where on there is (P18).

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use holdfast_log::{Log, LogError, Position, Read, Reader, ReaderState, Step};
use holdfast_state::{Batch, LogTime, Version, fact::Change};
use parking_lot::Mutex;
use tokio::sync::{oneshot, watch};

/// Applied batches kept in memory, in bytes.
const RECENT_BYTES: usize = 16 << 20;

/// A checkpoint is kept for every so many entries.
const CHECKPOINT_EVERY: u64 = 64;

/// How much one read of the log brings, in bytes.
const READ_BYTES: usize = 1 << 20;

/// Why there are no changes to give.
#[derive(Clone, Debug, thiserror::Error)]
pub enum FeedError {
    /// The log has been trimmed beyond the version asked for. Take the state as
    /// it is now and go on from its version.
    #[error("changes are kept from version {oldest} on")]
    Gone {
        /// The first version that can still be had.
        oldest: Version,
    },
    /// The partition has stopped.
    #[error("the partition has stopped")]
    Stopped,
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The log does not fit together.
    #[error("the log is damaged: {0}")]
    Broken(String),
}

/// The feed of one partition.
#[derive(Debug)]
pub struct Feed {
    log: Arc<dyn Log>,
    kept: Mutex<Kept>,
    /// `None` once the partition has stopped.
    applied: Mutex<Option<watch::Sender<Version>>>,
    watcher: watch::Receiver<Version>,
}

#[derive(Debug, Default)]
struct Kept {
    recent: VecDeque<Batch>,
    recent_bytes: usize,
    /// Where readers may begin, by the version that comes next there.
    checkpoints: BTreeMap<Version, ReaderState>,
    entries: u64,
}

impl Feed {
    /// A feed of `log`, which can be read from each of `bases` on, and from
    /// `applied`: where the state has come to, `None` for an empty one.
    #[must_use]
    pub fn new(log: Arc<dyn Log>, bases: Vec<ReaderState>, applied: Option<ReaderState>) -> Self {
        let mut kept = Kept::default();
        let version = applied.map_or(Version::ZERO, |state| Version::new(state.next_version - 1));
        // An empty state is brought forward from the log's very beginning.
        for state in bases.into_iter().chain([applied.unwrap_or_default()]) {
            kept.checkpoint(state);
        }
        let (sender, watcher) = watch::channel(version);
        Self { log, kept: Mutex::new(kept), applied: Mutex::new(Some(sender)), watcher }
    }

    /// The log can be read from its very beginning.
    pub fn untrimmed(&self) {
        self.kept.lock().checkpoint(ReaderState::default());
    }

    /// A batch was applied; `state` is the reader's after it.
    pub(crate) fn publish(&self, state: &ReaderState, batch: Batch) {
        let version = Version::new(state.next_version - 1);
        {
            let mut kept = self.kept.lock();
            kept.entries += 1;
            if kept.entries.is_multiple_of(CHECKPOINT_EVERY) {
                kept.checkpoint(*state);
            }
            kept.recent_bytes += batch.bytes.len();
            kept.recent.push_back(batch);
            while kept.recent_bytes > RECENT_BYTES {
                let Some(oldest) = kept.recent.pop_front() else { break };
                kept.recent_bytes -= oldest.bytes.len();
            }
        }
        if let Some(applied) = &*self.applied.lock() {
            applied.send_replace(version);
        }
    }

    /// The log is gone below `mark`.
    pub(crate) fn trimmed(&self, mark: Position) {
        self.kept.lock().checkpoints.retain(|_, state| state.next_position >= mark);
    }

    pub(crate) fn close(&self) {
        *self.applied.lock() = None;
    }

    /// Watches the version of the last applied transaction; ends with the partition.
    #[must_use]
    pub fn applied(&self) -> watch::Receiver<Version> {
        self.watcher.clone()
    }

    /// The version of the last applied transaction: a copy. The watcher's own guard is
    /// a lock; two of them in one expression, and a writer between, wait for ever.
    #[must_use]
    pub fn reached(&self) -> Version {
        *self.watcher.borrow()
    }

    /// Changes after `after`, at least one if there are any, at most about
    /// `limit_bytes` of them.
    ///
    /// # Errors
    /// [`FeedError`]
    pub async fn changes(
        &self,
        after: Version,
        limit_bytes: usize,
    ) -> Result<Vec<Change>, FeedError> {
        if after >= self.reached() {
            return Ok(Vec::new());
        }
        let limit_bytes = limit_bytes.max(1);
        if let Some(batches) = self.kept.lock().recent_after(after, limit_bytes) {
            return collect(after, batches.into_iter());
        }
        self.read_log(after, limit_bytes).await
    }

    /// As [`changes`](Self::changes), but waits for the first one.
    ///
    /// # Errors
    /// [`FeedError`], [`FeedError::Stopped`] when the partition stops meanwhile.
    pub async fn next(&self, after: Version, limit_bytes: usize) -> Result<Vec<Change>, FeedError> {
        let mut applied = self.applied();
        applied.wait_for(|version| *version > after).await.map_err(|_| FeedError::Stopped)?;
        self.changes(after, limit_bytes).await
    }

    async fn read_log(&self, after: Version, limit_bytes: usize) -> Result<Vec<Change>, FeedError> {
        let start = self.kept.lock().nearest(after)?;
        let last = self.reached();
        let mut reader = Reader::start(Some(start));
        let (mut found, mut bytes) = (Vec::new(), 0);
        while bytes < limit_bytes && reader.state().next_version <= last.get() {
            for (position, entry) in self.read(reader.state().next_position).await? {
                if bytes >= limit_bytes {
                    break;
                }
                let step = reader.feed(position, &entry);
                let step = step.map_err(|broken| FeedError::Broken(broken.to_string()))?;
                if let Step::Batch(header, body) = step
                    && reader.state().next_version > after.get() + 1
                {
                    bytes += body.len();
                    found.push(Batch {
                        first: Version::new(header.first_version),
                        count: header.count,
                        time: LogTime::from_us(header.log_time_us),
                        bytes: body,
                    });
                }
            }
        }
        collect(after, found.into_iter())
    }

    async fn read(&self, from: Position) -> Result<Vec<(Position, bytes::Bytes)>, FeedError> {
        let (answer, wait) = oneshot::channel();
        // The reader of a feed may go away while the log answers.
        self.log.read(from, READ_BYTES, Box::new(move |reads| drop(answer.send(reads))));
        let reads = wait.await.map_err(|_| FeedError::Stopped)??;
        let mut position = from;
        let mut entries = Vec::with_capacity(reads.len());
        for read in reads {
            match read {
                Read::Entry(bytes) => entries.push((position, bytes)),
                Read::Empty => break,
                Read::Trimmed => return Err(FeedError::Gone { oldest: self.oldest() }),
            }
            position = position.next();
        }
        if entries.is_empty() {
            let what = format!("position {from} is empty below the applied version");
            return Err(FeedError::Broken(what));
        }
        Ok(entries)
    }

    /// The first version that can be had.
    #[must_use]
    pub fn oldest(&self) -> Version {
        let kept = self.kept.lock();
        let recent = kept.recent.front().map(|batch| batch.first);
        let logged = kept.checkpoints.first_key_value().map(|(version, _)| *version);
        let none = self.reached().next();
        recent.into_iter().chain(logged).min().unwrap_or(none)
    }
}

impl Kept {
    fn checkpoint(&mut self, state: ReaderState) {
        self.checkpoints.insert(Version::new(state.next_version), state);
    }

    fn recent_after(&self, after: Version, limit_bytes: usize) -> Option<Vec<Batch>> {
        if self.recent.front()?.first > after.next() {
            return None;
        }
        let begin = self.recent.partition_point(|batch| batch.first <= after.next()) - 1;
        let mut bytes = 0;
        let within = |batch: &&Batch| {
            let more = bytes < limit_bytes;
            bytes += batch.bytes.len();
            more
        };
        Some(self.recent.iter().skip(begin).take_while(within).cloned().collect())
    }

    fn nearest(&self, after: Version) -> Result<ReaderState, FeedError> {
        let below = self.checkpoints.range(..=after.next()).next_back();
        below.map(|(_, state)| *state).ok_or_else(|| FeedError::Gone {
            oldest: self.checkpoints.first_key_value().map_or(after.next(), |(first, _)| *first),
        })
    }
}

fn collect(after: Version, batches: impl Iterator<Item = Batch>) -> Result<Vec<Change>, FeedError> {
    let broken = |_| FeedError::Broken("a batch does not decode".to_owned());
    let changes = batches.flat_map(|batch| batch.changes());
    changes
        .map(|change| change.map_err(broken))
        .filter(|change| change.as_ref().map_or(true, |change| change.version > after))
        .collect()
}
