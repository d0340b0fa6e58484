//! What the crash tests do to a log before it crashes: a fixed script that passes over segments,
//! holes, groups, trims and reopens, and stops at the first error.

use std::sync::{Arc, Mutex, mpsc};

use bytes::Bytes;
use holdfast_log::{Append, FaultDisk, FileLog, FileLogOptions, Log, LogError, blocking};

use crate::world::{Contents, World, at, open_with};

enum Op {
    /// Appends at the first hole, this many bytes.
    Append(usize),
    /// Appends at these distances from the first hole, as one group, in this order.
    Group(&'static [(u64, usize)]),
    /// Appends once more at a position that was filled.
    Again,
    /// Gives up everything but the last so many positions.
    TrimAllBut(u64),
    Read,
    Reopen,
}

use Op::{Again, Append as One, Group, Read, Reopen, TrimAllBut};

const SCRIPT: &[Op] = &[
    One(10),
    One(700),
    Group(&[(1, 300), (0, 20), (2, 600)]),
    Again,
    One(1900),
    One(1900),
    Group(&[(3, 100), (2, 1500), (1, 900)]),
    Read,
    One(0),
    One(1),
    TrimAllBut(3),
    Group(&[(0, 500), (1, 500), (2, 500), (3, 500), (4, 500), (5, 500), (6, 500), (7, 500)]),
    Again,
    Reopen,
    One(480),
    TrimAllBut(5),
    One(1200),
    Group(&[(0, 1000), (2, 1000), (1, 1000), (3, 10)]),
    Reopen,
    Reopen,
    One(3),
    TrimAllBut(0),
    One(2000),
    One(2000),
    Read,
    Group(&[(0, 2000), (1, 2000), (2, 2000)]),
    TrimAllBut(1),
    Group(&[(4, 64), (2, 64)]),
    One(100),
    Reopen,
    One(100),
    Group(&[(1, 40), (0, 1300), (5, 40), (4, 1300), (3, 40), (2, 1300)]),
    Again,
    TrimAllBut(2),
    One(900),
    Group(&[(0, 1700), (1, 1700), (2, 50), (3, 1700), (4, 0), (5, 1700)]),
    One(8),
    One(1500),
    TrimAllBut(9),
    Group(&[(1, 1900), (2, 1900), (0, 1900)]),
    One(30),
    One(60),
];

/// Runs the script until something fails. What was sent and answered is in the world.
pub(crate) fn run(
    disk: &FaultDisk,
    options: &FileLogOptions,
    world: &Arc<Mutex<World>>,
) -> Result<(), LogError> {
    let mut log = open_with(disk, options.clone())?;
    for op in SCRIPT {
        match op {
            One(len) => append_group(&log, world, &[(0, *len)])?,
            Group(appends) => append_group(&log, world, appends)?,
            Again => append_again(&log, world)?,
            TrimAllBut(kept) => trim(&log, world, *kept)?,
            Read => world.lock().unwrap().check(&Contents::of(&*log)?),
            Reopen => {
                blocking::close(&*log)?;
                drop(log);
                log = open_with(disk, options.clone())?;
            }
        }
    }
    blocking::close(&*log)
}

fn bytes_for(position: u64, len: usize) -> Bytes {
    let mut state = position;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_le_bytes()[6]
    };
    std::iter::repeat_with(next).take(len).collect()
}

/// Sends all appends so that the writer finds them together: from the callback of the first, which
/// runs on the writer's thread.
fn append_group(
    log: &Arc<FileLog>,
    world: &Arc<Mutex<World>>,
    appends: &[(u64, usize)],
) -> Result<(), LogError> {
    let tail = world.lock().unwrap().tail();
    let mut appends: Vec<_> =
        appends.iter().map(|(ahead, len)| (tail + ahead, bytes_for(tail + ahead, *len))).collect();
    let (first, first_bytes) = appends.remove(0);
    let (answers, answered) = mpsc::channel();
    let (rest_log, rest_world, rest_answers) =
        (Arc::clone(log), Arc::clone(world), answers.clone());
    world.lock().unwrap().sending(first, &first_bytes);
    log.append(
        at(first),
        first_bytes,
        Box::new(move |result| {
            answers.send((first, result)).unwrap();
            for (position, bytes) in appends {
                rest_world.lock().unwrap().sending(position, &bytes);
                let answers = rest_answers.clone();
                let done = move |result| answers.send((position, result)).unwrap();
                rest_log.append(at(position), bytes, Box::new(done));
            }
        }),
    );
    let mut failed = None;
    for (position, result) in answered {
        match result {
            Ok(append) => world.lock().unwrap().answered(position, &append),
            Err(error) => failed = Some(error),
        }
    }
    failed.map_or(Ok(()), Err)
}

fn append_again(log: &FileLog, world: &Mutex<World>) -> Result<(), LogError> {
    let position = world.lock().unwrap().tail() - 1;
    let found = blocking::append(log, at(position), Bytes::from_static(b"other"))?;
    assert!(matches!(found, Append::Taken(_)), "{found:?}");
    world.lock().unwrap().answered(position, &found);
    Ok(())
}

fn trim(log: &FileLog, world: &Mutex<World>, kept: u64) -> Result<(), LogError> {
    let below = world.lock().unwrap().tail() - kept;
    world.lock().unwrap().trimming(below);
    blocking::trim(log, at(below))?;
    world.lock().unwrap().trimmed(below);
    Ok(())
}
