//! Entries of others, put into a log behind the engine's back.

use bytes::Bytes;
use holdfast_log::{
    Append, Claim, Entry, EntryBuilder, EntryHeader, Epoch, Hash, Log, Nonce, Position, Provenance,
    blocking,
};

use crate::history::{entries, history};

fn put(log: &dyn Log, position: u64, bytes: Bytes) {
    let put = blocking::append(log, Position::new(position).unwrap(), bytes).unwrap();
    assert_eq!(put, Append::Ok, "position {position} was free");
}

/// The header of the log's first entry, whoever wrote it.
fn first_header(log: &dyn Log) -> EntryHeader {
    Entry::decode(&entries(log)[0]).unwrap().header
}

/// The late write of a leader of long ago.
pub(crate) fn dead_entry(log: &dyn Log, position: u64) {
    assert!(try_dead_entry(log, position), "position {position} was free");
}

/// As [`dead_entry`], if the position is free.
pub(crate) fn try_dead_entry(log: &dyn Log, position: u64) -> bool {
    let header = EntryHeader {
        nonce: Nonce::from_bytes([0xDD; 16]),
        epoch: Epoch::new(1),
        sequence: 9_999,
        count: 1,
        ..first_header(log)
    };
    let bytes = EntryBuilder::with_capacity(0).seal(&header);
    let position = Position::new(position).unwrap();
    blocking::append(log, position, bytes).unwrap() == Append::Ok
}

/// Another node's claim, as it should be.
pub(crate) fn newer_claim(log: &dyn Log, position: u64) {
    let end = history(log).end;
    put(log, position, claim(&first_header(log), end.epoch.next(), end.hash, end.next_version));
}

/// A claim that was made on another history than this log's.
pub(crate) fn claim_of_another_history(log: &dyn Log, position: u64) {
    let end = history(log).end;
    let bytes = claim(&first_header(log), end.epoch.next(), Hash::of(b"other"), end.next_version);
    put(log, position, bytes);
}

fn claim(first: &EntryHeader, epoch: Epoch, previous: Hash, next_version: u64) -> Bytes {
    let header = EntryHeader {
        epoch,
        previous,
        nonce: Nonce::from_bytes([0xCC; 16]),
        sequence: 0,
        count: 0,
        first_version: next_version,
        ..*first
    };
    let claim = Claim {
        node: "another".to_owned(),
        address: String::new(),
        lease_ms: 1,
        provenance: Provenance::NONE,
    };
    claim.seal(&header)
}
