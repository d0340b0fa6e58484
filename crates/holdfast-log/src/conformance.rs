//! The suite that every log passes, whatever it runs on.
//!
//! A log's tests make a [`Harness`] and run every [`Case`] against a fresh one:
//!
//! ```
//! use std::sync::Arc;
//! use holdfast_log::conformance::{self, Harness};
//! use holdfast_log::{Log, MemoryLog};
//!
//! struct Memory(MemoryLog);
//!
//! impl Harness for Memory {
//!     fn open(&self) -> Arc<dyn Log> {
//!         Arc::new(self.0.reopen())
//!     }
//! }
//!
//! for case in conformance::suite() {
//!     case.run(&Memory(MemoryLog::new()));
//! }
//! ```
//!
//! Cases are named after the rule of the protocol that they hold a log to. A case panics when the
//! log breaks its rule.

mod appends;
mod entries;
mod lifetime;
mod trims;
mod waits;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::blocking;
use crate::log::{Append, Log, Read};
use crate::position::Position;

/// One log, empty to begin with, that can be opened again and again.
pub trait Harness {
    /// Opens the log: the first time empty, later as it was left. The one opened before has been
    /// closed, and by then dropped.
    fn open(&self) -> Arc<dyn Log>;
}

/// One test of the suite.
#[derive(Clone, Copy)]
pub struct Case {
    /// The rule and what is tested of it, as in `p3_trimmed_positions_stay_used`.
    pub name: &'static str,
    test: fn(&dyn Harness),
}

impl Case {
    /// Runs the test on a log that nobody has used.
    ///
    /// # Panics
    /// When the log breaks the rule.
    pub fn run(&self, harness: &dyn Harness) {
        (self.test)(harness);
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case").field("name", &self.name).finish_non_exhaustive()
    }
}

/// All cases.
#[must_use]
pub fn suite() -> Vec<Case> {
    macro_rules! cases {
        ($($module:ident :: $name:ident),* $(,)?) => {
            vec![$(Case { name: stringify!($name), test: $module::$name }),*]
        };
    }
    cases![
        appends::p1_an_empty_log_is_empty,
        appends::p1_a_position_is_written_once,
        appends::p1_reads_are_in_order_and_end_where_told,
        appends::p1_the_tail_is_the_first_hole,
        appends::p1_pipelined_appends_are_all_answered,
        appends::p1_of_concurrent_writers_one_wins_each_position,
        appends::p6_a_repeated_append_finds_its_own_bytes,
        appends::p8_an_entry_beyond_the_limit_is_refused,
        appends::p8_a_position_too_far_ahead_is_refused,
        entries::p2_a_chain_that_does_not_fit_is_refused,
        entries::p4_stale_epochs_and_wrong_numbers_are_skipped_by_all,
        trims::p3_trimmed_positions_stay_used,
        trims::p3_a_mark_never_moves_back_nor_beyond_the_first_hole,
        trims::p3_a_trim_of_everything_leaves_the_tail,
        trims::p3_a_trim_survives_a_reopen,
        waits::a_wait_ends_when_the_position_is_filled,
        waits::a_wait_ends_when_the_log_is_closed,
        lifetime::a_closed_log_refuses_everything,
        lifetime::what_was_written_survives_a_reopen,
        lifetime::holes_survive_a_reopen,
    ]
}

fn at(position: u64) -> Position {
    Position::new(position).expect("positions in tests are not 0")
}

fn text(text: impl Into<String>) -> Bytes {
    Bytes::from(text.into())
}

fn append(log: &dyn Log, position: u64, bytes: &Bytes) -> Append {
    blocking::append(log, at(position), bytes.clone()).expect("the append is answered")
}

/// Fills positions `from ..= to` with texts that name them.
fn fill(log: &dyn Log, from: u64, to: u64) {
    for position in from..=to {
        assert_eq!(append(log, position, &entry_of(position)), Append::Ok);
    }
}

/// What [`fill`] puts at a position.
fn entry_of(position: u64) -> Bytes {
    text(format!("entry {position}"))
}

fn read_all(log: &dyn Log, from: u64) -> Vec<Read> {
    blocking::read(log, at(from), usize::MAX).expect("the read is answered")
}

/// Asserts that the log holds what [`fill`] put at `from ..= to`, and nothing at `to + 1`.
fn assert_filled(log: &dyn Log, from: u64, to: u64) {
    let mut expected: Vec<_> = (from..=to).map(|n| Read::Entry(entry_of(n))).collect();
    expected.push(Read::Empty);
    assert_eq!(read_all(log, from), expected);
}

fn tail(log: &dyn Log) -> u64 {
    blocking::tail(log).expect("the tail is answered").get()
}

fn reopen(harness: &dyn Harness, log: Arc<dyn Log>) -> Arc<dyn Log> {
    blocking::close(&*log).expect("the log closes");
    drop(log);
    harness.open()
}
