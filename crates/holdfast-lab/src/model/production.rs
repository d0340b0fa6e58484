//! The entries of a model as real bytes, read by the automaton that every node runs.

use bytes::Bytes;
use holdfast_log::{
    Claim, EntryBuilder, EntryHeader, Epoch, Hash, LogId, Nonce, Position, Provenance, Reader,
    Step, entry::FEATURE_LEVEL,
};

use super::automaton::{Entry, Past};

/// What the real automaton makes of these entries, where it is something else than `counts`.
/// They are such as were evaluated upon what counts before them; so it must not stop.
pub(super) fn differs(entries: &[Entry], counts: &[bool]) -> Option<String> {
    let mut reader = Reader::start(None);
    let mut written: Vec<(Entry, Bytes)> = Vec::new();
    let mut position = Position::first();
    for (entry, counts) in entries.iter().zip(counts) {
        let bytes = bytes_of(*entry, &reader, &written);
        let what = match reader.feed(position, &bytes) {
            Ok(Step::Claim(..) | Step::Batch(..)) if *counts => None,
            Ok(Step::Dead(_)) if !counts => None,
            Ok(step) => Some(format!("{step:?}")),
            Err(broken) => Some(broken.to_string()),
        };
        if let Some(what) = what {
            let (entry, verb) = (entry.shown(), if *counts { "counts" } else { "is dead" });
            return Some(format!(
                "{entry} at {position} {verb}, and the real automaton says: {what}"
            ));
        }
        written.push((*entry, bytes));
        position = position.next();
    }
    None
}

/// The bytes that the entry's writer made. A claim goes on from what its writer had read,
/// which is all that is below it; a batch goes on from the one before it in its epoch, and
/// the first of an epoch from its claim.
fn bytes_of(entry: Entry, reader: &Reader, written: &[(Entry, Bytes)]) -> Bytes {
    match entry {
        Entry::Claim { epoch, nonce } => {
            let state = reader.state();
            let claim = Claim {
                node: nonce.to_string(),
                address: String::new(),
                lease_ms: 0,
                provenance: Provenance::NONE,
            };
            claim.seal(&header(epoch, nonce, state.hash, state.next_version))
        }
        Entry::Batch { epoch, nonce, sequence, upon, writer: _ } => {
            let is_claim = |entry: &Entry| *entry == Entry::Claim { epoch, nonce };
            let claim = written.iter().find(|(entry, _)| is_claim(entry));
            let claim = claim.map_or(Hash::ZERO, |(_, bytes)| Hash::of(bytes));
            batch((epoch, nonce), sequence, claim, upon)
        }
    }
}

fn batch((epoch, nonce): (u8, u8), sequence: u8, claim: Hash, upon: Past) -> Bytes {
    let versions = u64::try_from(upon.transactions().count()).expect("a few");
    let previous = match sequence {
        1 => claim,
        _ => Hash::of(&batch((epoch, nonce), sequence - 1, claim, upon.without_last())),
    };
    let header = EntryHeader {
        sequence: u64::from(sequence),
        count: 1,
        ..header(epoch, nonce, previous, versions + 1)
    };
    EntryBuilder::with_capacity(0).seal(&header)
}

fn header(epoch: u8, nonce: u8, previous: Hash, first_version: u64) -> EntryHeader {
    EntryHeader {
        feature_level: FEATURE_LEVEL,
        log: LogId::from_bytes([1; 16]),
        previous,
        epoch: Epoch::new(u64::from(epoch)),
        nonce: Nonce::from_bytes([nonce; 16]),
        sequence: 0,
        first_version,
        count: 0,
        log_time_us: 0,
        durable: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::automaton::Transaction;

    const CLAIM: Entry = Entry::Claim { epoch: 1, nonce: 0 };

    const FIRST: Transaction = Transaction { writer: 0, epoch: 1, sequence: 1 };

    fn entry(sequence: u8, upon: Past) -> Entry {
        Entry::Batch { writer: 0, epoch: 1, nonce: 0, sequence, upon }
    }

    #[test]
    fn the_real_automaton_agrees_and_its_disagreement_is_told() {
        let second = entry(2, Past::default().and(FIRST));
        let entries = [CLAIM, second, entry(1, Past::default()), second, CLAIM];
        assert_eq!(differs(&entries, &[true, false, true, true, false]), None);
        let what = differs(&entries, &[true, true, true, true, false]).unwrap();
        assert!(
            what.starts_with("1.2 of 0 at 2 counts, and the real automaton says: Dead"),
            "{what}"
        );
        let what = differs(&entries, &[true, false, true, false, false]).unwrap();
        assert!(
            what.starts_with("1.2 of 0 at 4 is dead, and the real automaton says: Batch"),
            "{what}"
        );
    }

    #[test]
    fn an_entry_upon_another_past_stops_the_real_automaton() {
        let stale = entry(1, Past::default().and(FIRST));
        let what = differs(&[CLAIM, stale], &[true, true]).unwrap();
        assert!(what.contains("begins with version 2 instead of 1"), "{what}");
    }
}
