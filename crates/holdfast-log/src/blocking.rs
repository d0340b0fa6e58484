//! Waiting for a log's answer on the calling thread.
//!
//! For tests, recovery and tools. Never call these from a log's own callback: the thread that
//! would answer is the one that waits.

use std::sync::mpsc;

use bytes::Bytes;

use crate::error::LogError;
use crate::log::{Append, Done, Log, Read, Waited};
use crate::position::Position;

/// [`Log::append`], waited for.
///
/// # Errors
/// What the log answers.
pub fn append(log: &dyn Log, position: Position, bytes: Bytes) -> Result<Append, LogError> {
    answered(|done| log.append(position, bytes, done))
}

/// [`Log::read`], waited for.
///
/// # Errors
/// What the log answers.
pub fn read(log: &dyn Log, from: Position, max_bytes: usize) -> Result<Vec<Read>, LogError> {
    answered(|done| log.read(from, max_bytes, done))
}

/// [`Log::tail`], waited for.
///
/// # Errors
/// What the log answers.
pub fn tail(log: &dyn Log) -> Result<Position, LogError> {
    answered(|done| log.tail(done))
}

/// [`Log::trim`], waited for.
///
/// # Errors
/// What the log answers.
pub fn trim(log: &dyn Log, below: Position) -> Result<(), LogError> {
    answered(|done| log.trim(below, done))
}

/// [`Log::wait`], waited for.
///
/// # Errors
/// What the log answers.
pub fn wait(log: &dyn Log, position: Position) -> Result<Waited, LogError> {
    answered(|done| log.wait(position, done))
}

/// [`Log::close`], waited for.
///
/// # Errors
/// What the log answers.
pub fn close(log: &dyn Log) -> Result<(), LogError> {
    answered(|done| log.close(done))
}

fn answered<T: Send + 'static>(call: impl FnOnce(Done<T>)) -> Result<T, LogError> {
    let (answer, answered) = mpsc::sync_channel(1);
    call(Box::new(move |result| {
        answer.send(result).expect("the caller waits until it is answered");
    }));
    answered.recv().expect("a log calls each done exactly once")
}
