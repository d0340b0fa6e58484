//! The two threads of a disk store: one writes frozen tables back, one merges.
//!
//! Without them ([`Upkeep::Inline`](super::Upkeep)) the same is done by whoever changes something:
//! [`Shared::keep_up`].
//!
//! They own nothing; everything lies in [`Shared`], and whoever changes it wakes
//! the others through one condition. The first error or panic of either is kept
//! and ends both: from then on the store refuses batches with it.
//!
//! Locks are taken in this order, never backwards: `applying`, `pending`, `signal`, `state`,
//! a recent table, `pinned`.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, OnceLock},
    thread::{self, JoinHandle},
};

use bytes::Bytes;
use parking_lot::{Condvar, Mutex, RwLock};

use super::{
    base::{Base, OWN, USER, doubt, io_error, raw_key},
    layers::{Floor, Layers},
    pending::{Pending, join, survivors},
    presence::Presence,
    seal,
};
use crate::{
    key_index::wide_hash_of,
    recent::{Pins, Recent},
    store::{Mark, StoreError},
    version::Version,
};

/// With more unmerged runs than this, nothing is written back: every lookup
/// that misses asks each of them.
const UNMERGED_RUNS_MAX: usize = 48;

/// What the store, its snapshots and its threads share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) state: RwLock<State>,
    /// Versions of live snapshots, with their number.
    pub(super) pinned: Mutex<std::collections::BTreeMap<Version, usize>>,
    /// Held while a batch is applied, so that no snapshot is taken of a part of it.
    pub(super) applying: Mutex<()>,
    pub(super) base: Arc<Base>,
    /// Filled while `pending` is locked, and from the tree as it was at such a time.
    pub(super) presence: Presence,
    /// Locked while a table is written back and while ranges are reclaimed.
    pub(super) pending: Mutex<Pending>,
    pub(super) failed: OnceLock<StoreError>,
    pub(super) signal: Mutex<Signal>,
    /// Something in here, or in `state`, has changed.
    pub(super) changed: Condvar,
}

#[derive(Debug, Default)]
pub(super) struct Signal {
    stopping: bool,
    merge: bool,
}

/// What readers see.
#[derive(Debug)]
pub(super) struct State {
    pub(super) mark: Mark,
    /// The active table, the frozen ones newest first, the tree.
    pub(super) layers: Arc<Layers>,
    /// Tables to be written back, oldest first, with the mark each ends at.
    pub(super) frozen: VecDeque<(Arc<Recent>, Mark)>,
}

impl State {
    /// Freezes the active table at the present mark.
    pub(super) fn freeze(&mut self) {
        let full = Arc::clone(&self.layers.active.read());
        self.frozen.push_back((Arc::clone(&full), self.mark.clone()));
        let active = Arc::new(RwLock::new(Arc::new(full.successor())));
        let frozen = std::iter::once(full).chain(self.layers.frozen.iter().cloned()).collect();
        let floor = Arc::clone(&self.layers.floor);
        self.layers = Arc::new(Layers { active, frozen, floor });
    }
}

impl Shared {
    pub(super) fn pins(&self) -> Option<Pins> {
        let pinned = self.pinned.lock();
        let (oldest, _) = pinned.first_key_value()?;
        let (newest, _) = pinned.last_key_value()?;
        Some(Pins { oldest: *oldest, newest: *newest })
    }

    pub(super) fn check(&self) -> Result<(), StoreError> {
        self.failed.get().map_or(Ok(()), |error| Err(error.clone()))
    }

    /// Keeps the first error and lets everybody know.
    pub(super) fn fail(&self, error: StoreError) {
        self.failed.get_or_init(|| error);
        self.wake();
    }

    pub(super) fn wake(&self) {
        drop(self.signal.lock());
        self.changed.notify_all();
    }

    fn ask_for_merge(&self) {
        self.signal.lock().merge = true;
        self.changed.notify_all();
    }

    fn stop(&self) {
        self.signal.lock().stopping = true;
        self.changed.notify_all();
    }

    /// Waits until this holds; false when the store is stopping or has failed.
    pub(super) fn wait(&self, mut holds: impl FnMut(&mut Signal) -> bool) -> bool {
        let mut signal = self.signal.lock();
        loop {
            if signal.stopping || self.failed.get().is_some() {
                return false;
            }
            if holds(&mut signal) {
                return true;
            }
            self.changed.wait(&mut signal);
        }
    }

    /// Shows readers the tree as it is now, without the oldest frozen table if
    /// that has been written back.
    fn publish(&self, pending: &Pending, written_back: bool) -> Result<(), StoreError> {
        let (pin, hidden) = (self.base.pin()?, pending.joined());
        let mut state = self.state.write();
        let (active, mut frozen) = (Arc::clone(&state.layers.active), state.layers.frozen.clone());
        let done = written_back.then(|| (frozen.pop(), state.frozen.pop_front()));
        let mark = match &done {
            Some((_, Some((_, mark)))) => mark.clone(),
            Some((_, None)) | None => state.layers.floor.mark.clone(),
        };
        let floor = Arc::new(Floor { pin, hidden, mark });
        let layers = Arc::new(Layers { active, frozen, floor });
        let before = std::mem::replace(&mut state.layers, layers);
        drop(state);
        // A million rows are freed here, not under the lock.
        drop((done, before));
        Ok(())
    }

    fn reclaim(&self, pending: &mut Pending) -> Result<(), StoreError> {
        pending.reclaim(&self.base)?;
        self.publish(pending, false)
    }

    /// Writes the oldest frozen table back.
    fn write_back(&self, table: &Recent, mark: &Mark) -> Result<(), StoreError> {
        let mut pending = self.pending.lock();
        if pending.any(|from, to| table.has_rows_in(from, to)) {
            self.reclaim(&mut pending)?;
        }
        let (refilled, emptied): (Vec<_>, Vec<_>) = join(table.deleted_ranges())
            .into_iter()
            .partition(|(from, to)| table.has_values_in(from, to));
        let gone = |key: &[u8]| emptied.iter().any(|(from, to)| **from <= *key && *key < **to);
        let rows = table.last_values().filter(|(key, value)| value.is_some() || !gone(key));
        let rows = rows.map(|(key, value)| (raw_key(key), value));
        let rows = over(rows, survivors(self.base.pin()?, refilled));
        let notes = pending.number(emptied.clone());
        let own = std::iter::once((seal::mark_key(), Some(seal::encode_mark(mark))))
            .chain(notes.iter().map(super::pending::Note::row))
            .map(Ok);
        self.presence.insert(table.keys().map(wide_hash_of));
        self.base.ingest(own.chain(rows))?;
        pending.add(notes);
        self.publish(&pending, true)
    }
}

impl Shared {
    /// Does all that is to be done beside.
    pub(super) fn keep_up(&self) -> Result<(), StoreError> {
        self.fill_presence()?;
        while self.write_back_oldest()? {}
        while self.merge_once()? {}
        Ok(())
    }

    /// Writes the oldest frozen table back; false when there is none.
    fn write_back_oldest(&self) -> Result<bool, StoreError> {
        let oldest = self.state.read().frozen.front().cloned();
        let Some((table, mark)) = oldest else { return Ok(false) };
        self.write_back(&table, &mark)?;
        Ok(true)
    }

    /// Merges once; false when nothing is to be merged.
    fn merge_once(&self) -> Result<bool, StoreError> {
        let mut pending = self.pending.lock();
        if !pending.is_empty() {
            self.reclaim(&mut pending)?;
        }
        drop(pending);
        self.base.compact_once()
    }

    /// Fills the filter from the tree, if it is off and would have room.
    fn fill_presence(&self) -> Result<(), StoreError> {
        let pin = {
            let _nothing_is_written_back = self.pending.lock();
            if !self.presence.is_wanted(self.base.rows()?) {
                return Ok(());
            }
            self.presence.begin();
            self.base.pin()?
        };
        let mut rows = pin.sweep();
        let mut hashes = Vec::with_capacity(FILLED_AT_ONCE);
        while self.wait(|_| true) {
            for row in rows.by_ref().take(FILLED_AT_ONCE) {
                hashes.push(wide_hash_of(&row?.0));
            }
            if hashes.is_empty() {
                self.presence.complete();
                self.wake();
                return Ok(());
            }
            self.presence.insert(hashes.drain(..));
        }
        Ok(())
    }
}

/// Rows of the tree that are read between two looks at whether the store stops.
const FILLED_AT_ONCE: usize = 4096;

const _: () = assert!(OWN < USER, "the store's own rows come first");

/// Rows of a table over deletions of keys below it, in order.
fn over(
    rows: impl Iterator<Item = (Bytes, Option<Bytes>)>,
    deleted: impl Iterator<Item = Result<Bytes, StoreError>>,
) -> impl Iterator<Item = Result<(Bytes, Option<Bytes>), StoreError>> {
    let (mut rows, mut deleted) = (rows.peekable(), deleted.peekable());
    std::iter::from_fn(move || {
        let order = match (rows.peek(), deleted.peek()) {
            (_, Some(Err(_))) | (None, _) => std::cmp::Ordering::Greater,
            (Some(_), None) => std::cmp::Ordering::Less,
            (Some((key, _)), Some(Ok(below))) => key.cmp(below),
        };
        if order.is_gt() {
            return deleted.next().map(|key| Ok((key?, None)));
        }
        if order.is_eq() {
            deleted.next();
        }
        rows.next().map(Ok)
    })
}

/// The threads; dropping them waits for the work in hand.
#[derive(Debug)]
pub(super) struct Workers {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl Workers {
    pub(super) fn start(shared: &Arc<Shared>) -> Result<Self, StoreError> {
        let mut workers = Self { shared: Arc::clone(shared), threads: Vec::new() };
        workers.spawn("state-write-back", write_back_loop)?;
        workers.spawn("state-merge", merge_loop)?;
        shared.ask_for_merge();
        Ok(workers)
    }

    fn spawn(
        &mut self,
        name: &str,
        work: fn(&Shared) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let shared = Arc::clone(&self.shared);
        let body = move || match catch_unwind(AssertUnwindSafe(|| work(&shared))) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => shared.fail(error),
            Err(_) => shared.fail(doubt("a thread of the state store panicked")),
        };
        let thread = thread::Builder::new().name(name.to_owned()).spawn(body);
        self.threads.push(thread.map_err(|error| io_error("starting a thread", &error))?);
        Ok(())
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.shared.stop();
        for thread in self.threads.drain(..) {
            thread.join().expect("its body catches every panic");
        }
    }
}

fn write_back_loop(shared: &Shared) -> Result<(), StoreError> {
    loop {
        if !shared.wait(|_| !shared.state.read().frozen.is_empty()) {
            return Ok(());
        }
        let mut runs = Ok(0);
        let few = |_: &mut Signal| {
            runs = shared.base.unmerged_runs();
            runs.as_ref().is_ok_and(|runs| *runs < UNMERGED_RUNS_MAX) || runs.is_err()
        };
        if !shared.wait(few) {
            return Ok(());
        }
        runs?;
        shared.write_back_oldest()?;
        shared.ask_for_merge();
    }
}

fn merge_loop(shared: &Shared) -> Result<(), StoreError> {
    while shared.wait(|signal| std::mem::take(&mut signal.merge)) {
        shared.fill_presence()?;
        loop {
            let merged = shared.merge_once()?;
            shared.wake();
            if !merged || !shared.wait(|_| true) {
                break;
            }
        }
    }
    Ok(())
}
