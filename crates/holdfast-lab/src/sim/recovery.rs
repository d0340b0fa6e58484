//! What a process begins with: the machine's own copy of the state, a shared snapshot, or
//! nothing but the log.
//!
//! The order is that of a production node (`holdfast_node::recovery`): a copy from which
//! the log still goes on, else the newest good snapshot, else nothing if the log goes
//! back to its beginning. State that knows more than the log is refused.

use bytes::Bytes;
use holdfast_engine::{Origin, SnapshotKeeper, engine::checkpoint_of};
use holdfast_log::{Position, ReaderState};
use holdfast_state::{Mark, MemoryStore, Scan, Source, Store};

/// What a process begins with.
pub(super) struct Beginning {
    pub(super) store: Box<dyn Store>,
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

/// Makes a state of rows.
pub(super) type Make<'a> =
    &'a mut dyn FnMut(Vec<(Bytes, Bytes)>, &Mark) -> Result<Box<dyn Store>, String>;

/// A state in memory.
#[expect(clippy::unnecessary_wraps, reason = "it is a `Make`, as others are that can fail")]
pub(super) fn in_memory(rows: Vec<(Bytes, Bytes)>, mark: &Mark) -> Result<Box<dyn Store>, String> {
    Ok(Box::new(MemoryStore::from_pairs(rows, mark.clone())))
}

/// Chooses what to begin with, for a log that begins at `mark` and ends before `tail`.
///
/// # Errors
/// When there is nothing, or it knows more than the log; in words.
pub(super) fn begin(
    own: Option<Box<dyn Store>>,
    make: Make<'_>,
    snapshots: &SnapshotKeeper,
    (mark, tail): (Position, Position),
) -> Result<Beginning, String> {
    let own = own.map(|own| goes_on(own, (mark, tail))).transpose()?.flatten();
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
            (make(rows, &mark)?, Origin::Rebuilt, how)
        }
        (None, None) if mark == Position::first() => {
            let store = make(Vec::new(), &Mark::default())?;
            (store, Origin::Rebuilt, "path: began with nothing but the log")
        }
        (None, None) => {
            return Err(format!("the log begins at {mark}, {bad} snapshots are bad"));
        }
    };
    Ok(Beginning { store, origin, newest, how })
}

/// The machine's own state, if it holds anything and the log goes on from it.
fn goes_on(
    own: Box<dyn Store>,
    (mark, tail): (Position, Position),
) -> Result<Option<Box<dyn Store>>, String> {
    let state = checkpoint_of(&own.mark()).map_err(|error| error.to_string())?;
    let Some(state) = state else { return Ok(None) };
    if state.next_position > tail {
        return Err("its own copy knows more than the log".to_owned());
    }
    Ok((state.next_position >= mark).then_some(own))
}

type Loaded = (ReaderState, Vec<(Bytes, Bytes)>, Mark);

fn load(snapshots: &SnapshotKeeper, file: &str) -> Result<Loaded, String> {
    let (kept, pairs) = snapshots.load(file).map_err(|error| error.to_string())?;
    let pairs: Result<Vec<_>, _> = pairs.collect();
    Ok((kept.state, pairs.map_err(|error| error.to_string())?, kept.mark))
}
