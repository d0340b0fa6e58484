//! P3: trimmed positions stay used.

use super::{Harness, append, assert_filled, at, entry_of, fill, read_all, reopen, tail, text};
use crate::blocking;
use crate::error::LogError;
use crate::log::{Append, Log, Read};

fn trim(log: &dyn Log, below: u64) {
    blocking::trim(log, at(below)).expect("the trim is answered");
}

/// Asserts that everything below the mark is used, and gone.
fn assert_trimmed(log: &dyn Log, below: u64) {
    for position in 1..below {
        assert_eq!(read_all(log, position), [Read::Trimmed], "at {position}");
        let own = append(log, position, &entry_of(position));
        assert_eq!(own, Append::Trimmed, "own bytes at {position}");
        assert_eq!(append(log, position, &text("other")), Append::Trimmed, "at {position}");
    }
}

pub(super) fn p3_trimmed_positions_stay_used(harness: &dyn Harness) {
    let log = harness.open();
    fill(&*log, 1, 8);
    trim(&*log, 6);
    assert_trimmed(&*log, 6);
    assert_filled(&*log, 6, 8);
    assert_eq!(tail(&*log), 9);
    fill(&*log, 9, 10);
    assert_filled(&*log, 6, 10);
}

pub(super) fn p3_a_mark_never_moves_back_nor_beyond_the_first_hole(harness: &dyn Harness) {
    let log = harness.open();
    fill(&*log, 1, 4);
    fill(&*log, 6, 6);
    trim(&*log, 4);
    trim(&*log, 2);
    assert_trimmed(&*log, 4);
    let refused = blocking::trim(&*log, at(6));
    let Err(LogError::TrimAboveTail { below, tail }) = refused else { panic!("{refused:?}") };
    assert_eq!((below, tail), (at(6), at(5)));
    assert_eq!(read_all(&*log, 4), [Read::Entry(entry_of(4)), Read::Empty]);
    assert_eq!(append(&*log, 5, &entry_of(5)), Append::Ok, "a hole is never trimmed");
}

pub(super) fn p3_a_trim_of_everything_leaves_the_tail(harness: &dyn Harness) {
    let log = harness.open();
    fill(&*log, 1, 5);
    trim(&*log, 6);
    assert_trimmed(&*log, 6);
    assert_eq!(tail(&*log), 6);
    assert_eq!(read_all(&*log, 6), [Read::Empty]);
    let log = reopen(harness, log);
    assert_trimmed(&*log, 6);
    assert_eq!(tail(&*log), 6);
    fill(&*log, 6, 7);
    assert_filled(&*log, 6, 7);
}

pub(super) fn p3_a_trim_survives_a_reopen(harness: &dyn Harness) {
    let log = harness.open();
    fill(&*log, 1, 30);
    trim(&*log, 12);
    let log = reopen(harness, log);
    assert_trimmed(&*log, 12);
    assert_filled(&*log, 12, 30);
    trim(&*log, 25);
    fill(&*log, 31, 40);
    let log = reopen(harness, reopen(harness, log));
    assert_trimmed(&*log, 25);
    assert_filled(&*log, 25, 40);
}
