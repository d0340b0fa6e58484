//! What closing and opening again keep.

use super::{Harness, append, assert_filled, at, entry_of, fill, reopen, tail, text};
use crate::blocking;
use crate::error::LogError;
use crate::log::Append;

pub(super) fn a_closed_log_refuses_everything(harness: &dyn Harness) {
    let log = harness.open();
    fill(&*log, 1, 2);
    blocking::close(&*log).expect("the log closes");
    let refusals = [
        blocking::append(&*log, at(3), text("late")).err(),
        blocking::append(&*log, at(1), entry_of(1)).err(),
        blocking::read(&*log, at(1), 1).err(),
        blocking::tail(&*log).err(),
        blocking::trim(&*log, at(2)).err(),
        blocking::close(&*log).err(),
    ];
    for refusal in refusals {
        assert!(matches!(refusal, Some(LogError::Closed)), "{refusal:?}");
    }
    drop(log);
    let log = harness.open();
    assert_filled(&*log, 1, 2);
}

pub(super) fn what_was_written_survives_a_reopen(harness: &dyn Harness) {
    let mut log = harness.open();
    for round in 0..5 {
        fill(&*log, round * 20 + 1, round * 20 + 20);
        log = reopen(harness, log);
        assert_eq!(tail(&*log), round * 20 + 21);
        assert_filled(&*log, 1, round * 20 + 20);
    }
    assert_eq!(append(&*log, 7, &text("other")), Append::Taken(entry_of(7)));
}

pub(super) fn holes_survive_a_reopen(harness: &dyn Harness) {
    let log = harness.open();
    fill(&*log, 3, 4);
    fill(&*log, 1, 1);
    let log = reopen(harness, log);
    assert_eq!(tail(&*log), 2);
    assert_filled(&*log, 3, 4);
    fill(&*log, 2, 2);
    let log = reopen(harness, log);
    assert_eq!(tail(&*log), 5);
    assert_filled(&*log, 1, 4);
}
