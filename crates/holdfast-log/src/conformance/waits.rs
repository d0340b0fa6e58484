//! What waiting for a position promises: little, but always an answer.

use std::sync::mpsc;

use super::{Harness, at, fill, reopen};
use crate::blocking;
use crate::error::LogError;
use crate::log::{Log, Waited};

/// Begins to wait for a position; the answer comes through the channel.
fn begin(log: &dyn Log, position: u64) -> mpsc::Receiver<Result<Waited, LogError>> {
    let (answer, answered) = mpsc::channel();
    let done = move |result| answer.send(result).expect("the test listens");
    log.wait(at(position), Box::new(done));
    answered
}

pub(super) fn a_wait_ends_when_the_position_is_filled(harness: &dyn Harness) {
    let log = harness.open();
    fill(&*log, 1, 3);
    blocking::trim(&*log, at(2)).expect("the trim is answered");
    for used in [1, 3] {
        let told = blocking::wait(&*log, at(used)).expect("the wait is answered");
        assert_ne!(told, Waited::Elapsed, "nothing is to be waited for at {used}");
    }
    let waits = [begin(&*log, 4), begin(&*log, 4), begin(&*log, 5)];
    fill(&*log, 4, 5);
    for answered in waits {
        let told = answered.recv().expect("it is answered once");
        told.expect("the log is open");
        assert!(answered.recv().is_err(), "and not again");
    }
}

pub(super) fn a_wait_ends_when_the_log_is_closed(harness: &dyn Harness) {
    let log = harness.open();
    let answered = begin(&*log, 1);
    let log = reopen(harness, log);
    match answered.recv().expect("it is answered once") {
        Ok(Waited::Elapsed | Waited::CannotTell) | Err(LogError::Closed) => {}
        told => panic!("nothing was written: {told:?}"),
    }
    fill(&*log, 1, 1);
}
