//! Compares the state with what it must be (P17), whoever leads.
//!
//! Two independent answers to one question, twice over:
//!
//! - *With the leader.* When a batch begins with a digest, the rows that it covers
//!   are read from the store as it is before that batch, and hashed. The leader that
//!   wrote it had read them through its overlay, or from another store altogether.
//! - *With itself, a while ago.* The rows just compared are then *watched*: a small
//!   map of their hashes follows every fact that touches them. When the next digest
//!   comes, the store must still say what the map says, whatever was written back
//!   and merged between.
//!
//! A difference is [`StoreError::Doubt`], before the batch is applied. One case is
//! not: state that was just rebuilt from snapshot and log is the best there is, and
//! when a leader of an earlier life says otherwise, it is that leader whose state
//! was wrong; this is reported and counted, and rebuilding again would not help.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use holdfast_state::{Batch, Scan, Source, StoreError, fact::Fact, table::split_key};
use xxhash_rust::xxh3::xxh3_64;

use crate::{
    digest::{Digest, ROWS_MAX},
    metrics::Metrics,
};

/// Rows are read so many at a time.
const ROWS_AT_ONCE: usize = 64;

/// A watched range that has grown to more rows is cut to [`ROWS_MAX`].
const WATCHED_MAX: usize = 4 * ROWS_MAX;

/// Where the state came from that a partition begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It was kept, as it was, from an earlier life.
    Kept,
    /// It was made in this life from a verified snapshot or from nothing, and from
    /// the log.
    Rebuilt,
}

/// Whose entry a batch came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// Another leader, or this node when it led before.
    Earlier,
    /// This node, in this life.
    Ourselves,
}

/// What is compared on the way of batches into the state.
#[derive(Debug)]
pub struct Scrub {
    origin: Origin,
    watched: Option<Watched>,
    metrics: Arc<Metrics>,
}

/// The rows with `from <= key < to`: their keys, and hashes of their values.
#[derive(Debug)]
struct Watched {
    from: Vec<u8>,
    to: Vec<u8>,
    rows: BTreeMap<Vec<u8>, u64>,
}

impl Scrub {
    /// Watches nothing yet.
    #[must_use]
    pub const fn new(origin: Origin, metrics: Arc<Metrics>) -> Self {
        Self { origin, watched: None, metrics }
    }

    /// Must be called with every batch in order, before it is applied to `state`.
    ///
    /// # Errors
    /// [`StoreError::Doubt`] when the state is not what it must be, and what the
    /// store says when it cannot be read.
    pub fn before(
        &mut self,
        state: &dyn Source,
        batch: &Batch,
        author: Author,
    ) -> Result<(), StoreError> {
        if let Some(claimed) = Digest::heading(batch)? {
            if let Some(watched) = self.watched.take() {
                watched.check(state)?;
            }
            let rows = read(state, claimed.from(), claimed.to(), claimed.rows)?;
            self.compare(&claimed, &rows, author)?;
            self.watched = Some(Watched::new(&claimed, &rows));
            self.metrics.rows_compared.add(rows.len() as u64);
        }
        if let Some(watched) = &mut self.watched {
            watched.follow(batch);
        }
        Ok(())
    }

    fn compare(
        &self,
        claimed: &Digest,
        rows: &[(Bytes, Bytes)],
        author: Author,
    ) -> Result<(), StoreError> {
        self.metrics.digests.increment();
        if Digest::of(claimed.from(), claimed.to(), rows) == *claimed {
            return Ok(());
        }
        self.metrics.digests_differ.increment();
        let what = format!(
            "of the rows from {} to {} the leader had {} and another digest than the {} here",
            shown(claimed.from()),
            shown(claimed.to()),
            claimed.rows,
            rows.len()
        );
        if (self.origin, author) == (Origin::Rebuilt, Author::Earlier) {
            tracing::error!(
                what,
                "a leader before this one served from a state that was not what the log says; \
                 the state made from the log is used: run `holdfast audit`"
            );
            return Ok(());
        }
        Err(StoreError::Doubt { what })
    }
}

/// Rows between two keys: all of them, or some more than are wanted.
fn read(
    state: &dyn Source,
    from: &[u8],
    to: &[u8],
    wanted: u32,
) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
    let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
    let (mut rows, mut next) = (Vec::new(), from.to_vec());
    while rows.len() <= wanted && next.as_slice() < to {
        let found = state.scan(&next, to, Scan::up(ROWS_AT_ONCE))?;
        let last = found.len() < ROWS_AT_ONCE;
        if let Some((key, _)) = found.last() {
            next = [key, &[0][..]].concat();
        }
        rows.extend(found);
        if last {
            break;
        }
    }
    Ok(rows)
}

/// A key for people: its table, and its bytes.
fn shown(key: &[u8]) -> String {
    let bytes = key.escape_ascii();
    match split_key(key) {
        Some((namespace, table, _)) => {
            format!("{bytes} (namespace {namespace}, table {:#06x})", table.0)
        }
        None => format!("\"{bytes}\""),
    }
}

impl Watched {
    fn new(digest: &Digest, rows: &[(Bytes, Bytes)]) -> Self {
        Self {
            from: digest.from().to_vec(),
            to: digest.to().to_vec(),
            rows: rows.iter().map(|(key, value)| (key.to_vec(), xxh3_64(value))).collect(),
        }
    }

    fn covers(&self, key: &[u8]) -> bool {
        key >= self.from.as_slice() && key < self.to.as_slice()
    }

    /// What a batch changes. One that does not decode is found out when it is applied.
    fn follow(&mut self, batch: &Batch) {
        for change in batch.changes().map_while(Result::ok) {
            for fact in change.facts().map_while(Result::ok) {
                self.note(fact);
            }
        }
        if self.rows.len() > WATCHED_MAX {
            let (cut, _) = self.rows.iter().nth(ROWS_MAX).expect("there are more");
            self.to.clone_from(cut);
            drop(self.rows.split_off(&self.to));
        }
    }

    fn note(&mut self, fact: Fact<'_>) {
        match fact {
            Fact::Put { key, value } if self.covers(key) => {
                self.rows.insert(key.to_vec(), xxh3_64(value));
            }
            Fact::Delete { key } => {
                self.rows.remove(key);
            }
            Fact::DeleteRange { from, to } if from < to => {
                let mut kept = self.rows.split_off(from);
                let mut after = kept.split_off(to);
                self.rows.append(&mut after);
            }
            Fact::Put { .. } | Fact::DeleteRange { .. } => {}
        }
    }

    fn check(&self, state: &dyn Source) -> Result<(), StoreError> {
        let wanted = u32::try_from(self.rows.len()).expect("cut before it has so many");
        let found = read(state, &self.from, &self.to, wanted)?;
        let mut found = found.iter().map(|(key, value)| (key.as_ref(), xxh3_64(value)));
        let mut wanted = self.rows.iter().map(|(key, hash)| (key.as_slice(), *hash));
        loop {
            let (key, what) = match (wanted.next(), found.next()) {
                (None, None) => return Ok(()),
                (wanted, found) if wanted == found => continue,
                (Some((key, _)), Some((same, _))) if key == same => (key, "has another value"),
                (Some((key, _)), found) if found.is_none_or(|found| found.0 > key) => {
                    (key, "is gone")
                }
                (_, Some((key, _))) => (key, "has come"),
                (Some((key, _)), None) => (key, "is gone"),
            };
            let what = format!("the row under {} {what} although nobody wrote it", shown(key));
            return Err(StoreError::Doubt { what });
        }
    }
}

#[cfg(test)]
mod tests {
    use holdfast_state::{
        BatchBuilder, LogTime, MemoryStore, Namespace, Store as _, Table as _, Version,
        row::Row as _, table::stored_key,
    };
    use proptest::prelude::*;

    use super::*;
    use crate::digest::Digests;

    #[derive(Clone, Debug)]
    enum Step {
        Put(u8, u8),
        Delete(u8),
        DeleteRange(u8, u8),
        /// Of the rows between two keys.
        Digest(u8, u8),
    }

    fn step() -> impl Strategy<Value = Step> {
        let (a, b) = (|| any::<u8>(), || any::<u8>());
        prop_oneof![
            6 => (a(), b()).prop_map(|(key, value)| Step::Put(key, value)),
            2 => a().prop_map(Step::Delete),
            1 => (a(), b()).prop_map(|(from, to)| Step::DeleteRange(from, to)),
            2 => (a(), b()).prop_map(|(from, to)| Step::Digest(from, to)),
        ]
    }

    fn key(number: u8) -> Vec<u8> {
        vec![9, number]
    }

    struct World {
        store: MemoryStore,
        scrub: Scrub,
        next: Version,
    }

    impl World {
        fn new() -> Self {
            let scrub = Scrub::new(Origin::Kept, Arc::default());
            Self { store: MemoryStore::new(), scrub, next: Version::new(1) }
        }

        fn batch(&self, step: &Step) -> Batch {
            let mut builder = BatchBuilder::default();
            builder.begin(0);
            match step {
                Step::Put(at, value) => builder.put(&key(*at), &[*value]),
                Step::Delete(at) => builder.delete(&key(*at)),
                Step::DeleteRange(from, to) => builder.delete_range(&key(*from), &key(*to)),
                Step::Digest(from, to) => {
                    let rows = self.store.scan(&key(*from), &key(*to), Scan::up(usize::MAX));
                    let digest = Digest::of(&key(*from), &key(*to), &rows.unwrap());
                    let mut row = Vec::new();
                    digest.write(&mut row);
                    builder.put(&stored_key(Namespace::SYSTEM, Digests::ID, &()), &row);
                }
            }
            builder.commit();
            let bytes = builder.into_bytes().into();
            Batch { first: self.next, count: 1, time: LogTime::ZERO, bytes }
        }

        fn take(&mut self, step: &Step) -> Result<(), StoreError> {
            let batch = self.batch(step);
            self.scrub.before(&self.store, &batch, Author::Ourselves)?;
            self.next = self.next.next();
            self.store.apply(&batch, Bytes::new())
        }

        /// The store changes a row behind everybody's back.
        fn corrupt(&mut self, step: &Step) {
            let batch = self.batch(step);
            self.next = self.next.next();
            self.store.apply(&batch, Bytes::new()).unwrap();
        }
    }

    proptest! {
        #[test]
        fn p17_a_store_that_does_as_it_is_told_is_never_doubted(
            steps in proptest::collection::vec(step(), 0..200)
        ) {
            let mut world = World::new();
            for step in &steps {
                prop_assert_eq!(world.take(step), Ok(()));
            }
        }

        #[test]
        fn p17_a_change_behind_our_back_is_found_where_it_is_watched(
            before in proptest::collection::vec(step(), 0..60),
            (at, value) in (any::<u8>(), any::<u8>()),
            gone in any::<bool>(),
            after in proptest::collection::vec((200u8.., any::<u8>()), 0..20),
        ) {
            let mut world = World::new();
            before.iter().for_each(|step| world.take(step).unwrap());
            world.take(&Step::Digest(0, 200)).unwrap();
            let was = world.store.get(&key(at)).unwrap();
            world.corrupt(&if gone { Step::Delete(at) } else { Step::Put(at, value) });
            let differs = was != world.store.get(&key(at)).unwrap();
            for (at, value) in after {
                world.take(&Step::Put(at, value)).unwrap();
            }
            let found = world.take(&Step::Digest(100, 150)).is_err();
            prop_assert_eq!(found, differs && at < 200);
        }
    }

    #[test]
    fn a_watched_range_that_grows_is_cut_and_still_watched() {
        let mut world = World::new();
        world.take(&Step::Digest(0, 255)).unwrap();
        let long = |number: u32| [&[9, 7][..], &number.to_be_bytes()].concat();
        for number in 0..10_000u32 {
            let mut builder = BatchBuilder::default();
            builder.begin(0);
            builder.put(&long(number), b"row");
            builder.commit();
            let bytes = builder.into_bytes().into();
            let batch = Batch { first: world.next, count: 1, time: LogTime::ZERO, bytes };
            world.scrub.before(&world.store, &batch, Author::Ourselves).unwrap();
            world.next = world.next.next();
            world.store.apply(&batch, Bytes::new()).unwrap();
            let watched = world.scrub.watched.as_ref().unwrap();
            assert!(watched.rows.len() <= WATCHED_MAX);
        }
        let watched = world.scrub.watched.as_ref().unwrap();
        assert!(watched.rows.len() >= ROWS_MAX);
        assert_eq!(watched.to, long(512), "the lowest rows stay");
        world.corrupt(&Step::Put(3, 3));
        let found = world.take(&Step::Digest(0, 1));
        assert!(found.unwrap_err().to_string().contains("has come"));
    }
}
