//! What a process begins with: the machine's own copy of the state, a shared snapshot, or
//! nothing but the log.
//!
//! The order is that of a production node (`holdfast_node::recovery`): a copy from which
//! the log still goes on, else the newest good snapshot, else nothing if the log goes
//! back to its beginning. State that knows more than the log is refused.

use std::sync::Arc;

use bytes::Bytes;
use holdfast_engine::{Origin, SnapshotKeeper, engine::checkpoint_of};
use holdfast_log::{Position, ReaderState};
use holdfast_state::{Mark, MemoryStore, Scan, Snapshot, Source};

/// What a process begins with.
pub(super) struct Beginning {
    pub(super) store: MemoryStore,
    pub(super) origin: Origin,
    /// Where the newest good snapshot goes on.
    pub(super) newest: Option<Position>,
    /// How it came to it, as it is counted.
    pub(super) how: &'static str,
}

/// Every row of a state.
pub(super) fn rows(source: &(impl Source + ?Sized)) -> Vec<(Bytes, Bytes)> {
    let everything = Scan::up(usize::MAX);
    source.scan(&[], &[0xFF; 32], everything).expect("a state in memory can be read")
}

/// Chooses what to begin with, for a log that begins at `mark` and ends before `tail`.
///
/// # Errors
/// When there is nothing, or it knows more than the log; in words.
pub(super) fn begin(
    kept: Option<&Arc<dyn Snapshot>>,
    snapshots: &SnapshotKeeper,
    (mark, tail): (Position, Position),
) -> Result<Beginning, String> {
    let own = kept.map(|copy| own_copy(copy.as_ref(), (mark, tail))).transpose()?.flatten();
    let (mut newest, mut restored, mut bad) = (None, None, 0);
    for file in snapshots.list().map_err(|error| error.to_string())? {
        match load(snapshots, &file) {
            Ok((state, _, _)) if state.next_position < mark => {}
            Ok((state, _, _)) if state.next_position > tail => {
                return Err(format!("{file} knows more than the log"));
            }
            Ok((state, rows, mark)) => {
                newest = newest.max(Some(state.next_position));
                restored = restored.or(Some((rows, mark)));
            }
            Err(_) => bad += u64::from(restored.is_none()),
        }
    }
    let (store, origin, how) = match (own, restored) {
        (Some(store), _) => (store, Origin::Kept, "path: began with its own copy"),
        (None, Some((rows, mark))) => {
            let how = if bad > 0 {
                "path: began with the older snapshot"
            } else {
                "path: began with a snapshot"
            };
            (MemoryStore::from_pairs(rows, mark), Origin::Rebuilt, how)
        }
        (None, None) if mark == Position::first() => {
            (MemoryStore::new(), Origin::Rebuilt, "path: began with nothing but the log")
        }
        (None, None) => {
            return Err(format!("the log begins at {mark}, {bad} snapshots are bad"));
        }
    };
    Ok(Beginning { store, origin, newest, how })
}

fn own_copy(
    copy: &dyn Snapshot,
    (mark, tail): (Position, Position),
) -> Result<Option<MemoryStore>, String> {
    let state = checkpoint_of(copy.mark()).map_err(|error| error.to_string())?;
    let Some(state) = state else { return Ok(None) };
    if state.next_position > tail {
        return Err("its own copy knows more than the log".to_owned());
    }
    let goes_on = state.next_position >= mark;
    Ok(goes_on.then(|| MemoryStore::from_pairs(rows(copy), copy.mark().clone())))
}

type Loaded = (ReaderState, Vec<(Bytes, Bytes)>, Mark);

fn load(snapshots: &SnapshotKeeper, file: &str) -> Result<Loaded, String> {
    let (kept, pairs) = snapshots.load(file).map_err(|error| error.to_string())?;
    let pairs: Result<Vec<_>, _> = pairs.collect();
    Ok((kept.state, pairs.map_err(|error| error.to_string())?, kept.mark))
}
