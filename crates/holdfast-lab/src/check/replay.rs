//! A snapshot and the log behind it make the state that the whole log makes.
//!
//! Both are made here, from bytes, by somebody who had no part in the run: everything from
//! the first entry on, and the snapshot's rows with everything from where it goes on. If they
//! differ, the first row in which they do is named. The same comparison judges the state
//! that a node has: [`same`].

use bytes::Bytes;
use holdfast_log::{ChainBroken, Position, ReaderState};
use holdfast_state::{Mark, MemoryStore, Source, Store as _, StoreError, Version};

use super::{agreement::each_page, log};

/// Entries by position.
pub type Entries = [(Position, Bytes)];

/// Two states that should be one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// They are of different versions.
    #[error("one state is at version {one}, the other at {other}")]
    Version {
        /// Of the first.
        one: Version,
        /// Of the second.
        other: Version,
    },
    /// A row is not the same in both.
    #[error("at version {version} row {key} is {one} in one state, and {other} in the other")]
    Row {
        /// The version of both.
        version: Version,
        /// The row's stored key, in hexadecimal.
        key: String,
        /// Its value in the first, or "absent".
        one: String,
        /// Its value in the second, or "absent".
        other: String,
    },
    /// The log is not one history.
    #[error(transparent)]
    Log(#[from] ChainBroken),
    /// What the log holds cannot be applied.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no entry where the snapshot goes on, nor is that the end of the log.
    #[error("the snapshot goes on from {next}, which the log of {entries} entries does not reach")]
    Beyond {
        /// Where it goes on.
        next: Position,
        /// Entries of the log.
        entries: usize,
    },
}

/// The state that a whole log makes.
///
/// # Errors
/// [`Violation::Log`], [`Violation::Store`]
pub fn full(entries: &Entries) -> Result<MemoryStore, Violation> {
    let mut store = MemoryStore::new();
    go_on(&mut store, None, entries)?;
    Ok(store)
}

/// The state that a snapshot and the log behind it make.
///
/// # Errors
/// As [`full`], and [`Violation::Beyond`].
pub fn from_snapshot(
    state: &ReaderState,
    rows: impl IntoIterator<Item = (Bytes, Bytes)>,
    entries: &Entries,
) -> Result<MemoryStore, Violation> {
    let next = state.next_position;
    let behind = entries.iter().position(|(position, _)| *position == next);
    let is_end = entries.last().is_some_and(|(last, _)| last.next() == next);
    let tail = match behind {
        Some(index) => &entries[index..],
        None if is_end => &[],
        None => return Err(Violation::Beyond { next, entries: entries.len() }),
    };
    // The version after the last applied is at least 1.
    let version = Version::new(state.next_version - 1);
    let mark = Mark { version, checkpoint: Bytes::copy_from_slice(&state.encode()) };
    let mut store = MemoryStore::from_pairs(rows, mark);
    go_on(&mut store, Some(*state), tail)?;
    Ok(store)
}

fn go_on(
    store: &mut MemoryStore,
    from: Option<ReaderState>,
    entries: &Entries,
) -> Result<(), Violation> {
    let logged = log::read(from, entries.iter().cloned())?;
    for batch in logged.batches() {
        store.apply(batch, Bytes::new())?;
    }
    Ok(())
}

/// Checks a snapshot against the whole log behind it.
///
/// # Errors
/// [`Violation`]
pub fn check(
    state: &ReaderState,
    rows: impl IntoIterator<Item = (Bytes, Bytes)>,
    entries: &Entries,
) -> Result<(), Violation> {
    let (whole, tail) = (full(entries)?, from_snapshot(state, rows, entries)?);
    let (one, other) = (whole.mark().version, tail.mark().version);
    if one != other {
        return Err(Violation::Version { one, other });
    }
    same(one, &whole, &tail)
}

/// Compares two states row by row.
///
/// # Errors
/// [`Violation::Row`], [`Violation::Store`]
pub fn same(
    version: Version,
    one: &(impl Source + ?Sized),
    other: &(impl Source + ?Sized),
) -> Result<(), Violation> {
    let differing = match differing(one, other)? {
        Some(key) => Some(key),
        None => differing(other, one)?,
    };
    let Some(key) = differing else { return Ok(()) };
    let shown = |value: Option<Bytes>| value.map_or("absent".to_owned(), |value| hex(&value));
    let (one, other) = (shown(one.get(&key)?), shown(other.get(&key)?));
    Err(Violation::Row { version, key: hex(&key), one, other })
}

/// The first key of `one` whose value `other` does not have.
fn differing(
    one: &(impl Source + ?Sized),
    other: &(impl Source + ?Sized),
) -> Result<Option<Bytes>, StoreError> {
    let mut found = Ok(None);
    each_page(one, |rows| {
        for (key, value) in rows {
            if !matches!(found, Ok(None)) {
                return;
            }
            found =
                other.get(key).map(|there| (there.as_ref() != Some(value)).then(|| key.clone()));
        }
    })?;
    found
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string does not fail");
        text
    })
}

#[cfg(test)]
mod tests {
    use holdfast_log::{Claim, Entry, EntryBuilder, EntryHeader, Epoch, LogId, Nonce, Provenance};
    use holdfast_state::BatchBuilder;

    use super::*;

    /// A claim, and after it one entry for each transaction, which puts these rows.
    fn entries(transactions: &[&[(&str, &str)]]) -> Vec<(Position, Bytes)> {
        let mut header = EntryHeader {
            feature_level: 1,
            log: LogId::from_bytes([7; 16]),
            previous: holdfast_log::Hash::ZERO,
            epoch: Epoch::new(1),
            nonce: Nonce::from_bytes([1; 16]),
            sequence: 0,
            first_version: 1,
            count: 0,
            log_time_us: 1,
            durable: None,
        };
        let claim = Claim {
            node: "n".to_owned(),
            address: String::new(),
            lease_ms: 0,
            provenance: Provenance::NONE,
        };
        let mut found = vec![claim.seal(&header)];
        for rows in transactions {
            header.previous = holdfast_log::Hash::of(found.last().unwrap());
            header.sequence += 1;
            header.count = 1;
            let mut batch = BatchBuilder::default();
            batch.begin(0);
            rows.iter().for_each(|(key, value)| batch.put(key.as_bytes(), value.as_bytes()));
            batch.commit();
            let mut entry = EntryBuilder::with_capacity(100);
            entry.put(&batch.into_bytes());
            found.push(entry.seal(&header));
            header.first_version += 1;
        }
        assert!(found.iter().all(|bytes| Entry::decode(bytes).is_ok()));
        (0..).map(|index| Position::first().plus(index)).zip(found).collect()
    }

    fn snapshot(entries: &Entries) -> (ReaderState, Vec<(Bytes, Bytes)>) {
        let state = log::read(None, entries.iter().cloned()).unwrap().end;
        let mut rows = Vec::new();
        each_page(&full(entries).unwrap(), |page| rows.extend_from_slice(page)).unwrap();
        (state, rows)
    }

    const LOG: [&[(&str, &str)]; 3] =
        [&[("a", "1"), ("b", "1")], &[("b", "2")], &[("c", "3"), ("a", "4")]];

    #[test]
    fn a_snapshot_anywhere_and_the_log_behind_it_make_the_state_of_the_whole_log() {
        let entries = entries(&LOG);
        for taken in 1..=entries.len() {
            let (state, rows) = snapshot(&entries[..taken]);
            assert_eq!(check(&state, rows, &entries), Ok(()), "taken after {taken}");
        }
    }

    #[test]
    fn a_snapshot_that_lacks_adds_or_changes_a_row_is_found_and_the_row_is_named() {
        let entries = entries(&LOG);
        let (state, rows) = snapshot(&entries[..3]);
        let violation = |rows: Vec<(Bytes, Bytes)>| check(&state, rows, &entries).unwrap_err();
        let lacks = violation(rows[..1].to_vec()).to_string();
        assert_eq!(lacks, "at version 3 row 62 is 32 in one state, and absent in the other");
        let mut more = rows.clone();
        more.push((Bytes::from("d"), Bytes::from("9")));
        let adds = violation(more).to_string();
        assert_eq!(adds, "at version 3 row 64 is absent in one state, and 39 in the other");
        let mut changed = rows;
        changed[1].1 = Bytes::from("7");
        assert!(matches!(violation(changed), Violation::Row { .. }));
    }

    #[test]
    fn a_snapshot_that_says_to_go_on_elsewhere_is_found() {
        let entries = entries(&LOG);
        let (mut state, rows) = snapshot(&entries[..3]);
        state.next_position = Position::first().plus(9);
        assert!(matches!(check(&state, rows, &entries), Err(Violation::Beyond { .. })));
        // It passes over an entry, after which no other of that epoch counts.
        let (mut state, rows) = snapshot(&entries[..2]);
        state.next_position = Position::first().plus(3);
        assert!(matches!(check(&state, rows, &entries), Err(Violation::Version { .. })));
        // The log is shorter than the snapshot.
        let (state, rows) = snapshot(&entries);
        assert!(matches!(check(&state, rows, &entries[..2]), Err(Violation::Beyond { .. })));
    }
}
