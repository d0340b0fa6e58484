//! What a log really says: an independent reader of it, for the tests to audit with.

use bytes::Bytes;
use holdfast_log::{EntryHeader, Log, Position, Read, Reader, ReaderState, Step, blocking};
use holdfast_state::{Batch, LogTime, MemoryStore, Scan, Source, Store, Version, fact::Change};

/// The valid history of a log from its beginning.
#[derive(Debug)]
pub(crate) struct History {
    /// The reader's state at the end.
    pub(crate) end: ReaderState,
    /// Valid claims and batches, in order.
    pub(crate) entries: Vec<(Position, EntryHeader)>,
    /// The transactions, in order of versions.
    pub(crate) changes: Vec<Change>,
    /// Entries that do not count.
    pub(crate) dead: usize,
    /// The state that the transactions add up to.
    pub(crate) store: MemoryStore,
}

/// Everything up to the first hole.
pub(crate) fn entries(log: &dyn Log) -> Vec<Bytes> {
    let mut found = Vec::new();
    loop {
        let next = Position::first().plus(found.len() as u64);
        for read in blocking::read(log, next, usize::MAX).unwrap() {
            match read {
                Read::Entry(bytes) => found.push(bytes),
                Read::Empty => return found,
                Read::Trimmed => panic!("the log is not whole: {next} is trimmed"),
            }
        }
    }
}

/// Reads a whole log.
pub(crate) fn history(log: &dyn Log) -> History {
    let mut reader = Reader::start(None);
    let mut store = MemoryStore::new();
    let (mut kept, mut changes, mut dead) = (Vec::new(), Vec::new(), 0);
    for (index, bytes) in entries(log).into_iter().enumerate() {
        let position = Position::first().plus(index as u64);
        match reader.feed(position, &bytes).unwrap() {
            Step::Dead(_) => dead += 1,
            Step::Claim(header, _) | Step::Renewal(header, _) => kept.push((position, header)),
            Step::Batch(header, bytes) => {
                let first = Version::new(header.first_version);
                let time = LogTime::from_us(header.log_time_us);
                let batch = Batch { first, count: header.count, time, bytes };
                changes.extend(batch.changes().map(Result::unwrap));
                store.apply(&batch, Bytes::new()).unwrap();
                kept.push((position, header));
            }
        }
    }
    let versions: Vec<u64> = changes.iter().map(|change| change.version.get()).collect();
    let dense: Vec<u64> = (1..=versions.len() as u64).collect();
    assert_eq!(versions, dense, "versions are dense");
    History { end: *reader.state(), entries: kept, changes, dead, store }
}

/// Every row of a state.
pub(crate) fn rows(source: &(impl Source + ?Sized)) -> Vec<(Bytes, Bytes)> {
    source.scan(&[], &[0xFF; 32], Scan::up(usize::MAX)).unwrap()
}
