//! A fresh reader: everything the log ever took, from its first position, applied to an
//! empty state. What every node's state must equal, whichever way it came to it.

use bytes::Bytes;
use holdfast_log::{Position, Reader, Step};
use holdfast_state::{Batch, LogTime, MemoryStore, Store as _, Version};

use super::violation::Violation;

/// The state that the log adds up to.
///
/// # Errors
/// [`Violation::Broken`]
pub(super) fn replay(taken: &dyn Fn(Position) -> Option<Bytes>) -> Result<MemoryStore, Violation> {
    let broken = |why: String| Violation::Broken { why };
    let mut reader = Reader::start(None);
    let mut store = MemoryStore::new();
    let mut position = Position::first();
    while let Some(bytes) = taken(position) {
        let step = reader.feed(position, &bytes).map_err(|why| broken(why.to_string()))?;
        if let Step::Batch(header, bytes) = step {
            let first = Version::new(header.first_version);
            let time = LogTime::from_us(header.log_time_us);
            let batch = Batch { first, count: header.count, time, bytes };
            store.apply(&batch, Bytes::new()).map_err(|why| broken(why.to_string()))?;
        }
        position = position.next();
    }
    Ok(store)
}

/// Where two states differ first.
pub(super) fn first_difference(found: &[(Bytes, Bytes)], expected: &[(Bytes, Bytes)]) -> String {
    let differs = found.iter().zip(expected).find(|(found, expected)| found != expected);
    let told = |row: Option<&(Bytes, Bytes)>| format!("{row:?}");
    match differs {
        Some((found, expected)) => {
            format!("found {}, expected {}", told(Some(found)), told(Some(expected)))
        }
        None => {
            let both = found.len().min(expected.len());
            format!("found {}, expected {}", told(found.get(both)), told(expected.get(both)))
        }
    }
}
