//! What of a partition may go, and its going.
//!
//! Marks say how far one can go without looking at messages; from the last of them on, rows
//! are looked at one by one, for age alone. However much is removed, it is two facts.

use holdfast_planted::planted;
use holdfast_state::{Abort, LogTime, Read, Scan, Tx, page::bad_key};

use super::{
    retention::KeptBytes,
    row::{HeadRow, Heads, Marks, StoredMessages, TailRow},
    sequence::{Sequence, doubt},
};

/// Between two marks lie so many bytes, and what the append that crossed them had.
pub(super) const SEGMENT_BYTES: u64 = 256 << 10;

/// What a mark counts for of an [`Effort`].
const MARK_BYTES: u64 = 64;

/// Marks that are read at once.
const MARKS: usize = 64;

/// The most rows of messages that are read at once: each may have 1 MiB.
const ROWS: usize = 8;

/// What may go: messages that are older than this, or beyond so many bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rule {
    /// Whatever was appended then or before.
    pub(super) until: Option<LogTime>,
    pub(super) bytes: Option<KeptBytes>,
}

/// How many bytes may still be looked at.
#[derive(Debug)]
pub(super) struct Effort(u64);

impl Effort {
    pub(super) const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// Is there any left?
    pub(super) const fn is_left(&self) -> bool {
        self.0 > 0
    }

    fn spend(&mut self, bytes: u64) {
        self.0 = self.0.saturating_sub(bytes);
    }
}

impl Sequence<'_> {
    /// Removes what may go, or as much of it as can be found with so much effort. Whether
    /// that was all is told by whether any effort is left.
    pub(super) fn trim(
        self,
        tx: &mut Tx<'_>,
        tail: &TailRow,
        rule: Rule,
        effort: &mut Effort,
    ) -> Result<(), Abort> {
        let head = self.head(tx)?;
        let mut cut = self.after_marks(tx, tail, head, rule, effort)?;
        if let Some(until) = rule.until {
            cut = self.after_rows(tx, tail, cut, until, effort)?;
        }
        if cut.first > head.first { self.remove_before(tx, cut) } else { Ok(()) }
    }

    /// Everything before the last mark that may go.
    fn after_marks(
        self,
        state: &impl Read,
        tail: &TailRow,
        mut cut: HeadRow,
        rule: Rule,
        effort: &mut Effort,
    ) -> Result<HeadRow, Abort> {
        let share = if planted!(RetentionLeavesHalf) { 2 } else { 1 };
        let excess = rule.bytes.map_or(0, |kept| tail.bytes.saturating_sub(kept.get() / share));
        let end = self.key(tail.last.saturating_add(1));
        while effort.is_left() {
            let from = self.key(cut.first.saturating_add(1));
            let found = state.range::<Marks>(&from, &end, Scan::up(MARKS))?;
            let all = found.len() < MARKS;
            for mark in found {
                effort.spend(MARK_BYTES);
                let old = rule.until.is_some_and(|until| mark.row.time <= until);
                if !old && mark.row.bytes > excess {
                    return Ok(cut);
                }
                let mut key = mark.key();
                let first = key.str().and_then(|_| key.u16()).and_then(|_| key.u64());
                let first = first.map_err(|_| bad_key::<Marks>())?;
                cut = HeadRow { first, bytes: mark.row.bytes };
            }
            if all {
                break;
            }
        }
        Ok(cut)
    }

    /// Everything from there on that is old enough.
    fn after_rows(
        self,
        state: &impl Read,
        tail: &TailRow,
        mut cut: HeadRow,
        until: LogTime,
        effort: &mut Effort,
    ) -> Result<HeadRow, Abort> {
        let end = self.key(tail.last.saturating_add(1));
        // Mostly the first row stays: it is looked at alone.
        let mut count = 1;
        while effort.is_left() && cut.first <= tail.last {
            let from = self.key(cut.first);
            let found = state.range::<StoredMessages>(&from, &end, Scan::up(count))?;
            if found.is_empty() {
                return Err(doubt(format!("no row of {self:?} begins with {}", cut.first)));
            }
            for row in found {
                let bytes = row.row.bytes();
                effort.spend(bytes);
                if row.row.time > until {
                    return Ok(cut);
                }
                let first = cut.first + row.row.messages.len() as u64;
                cut = HeadRow { first, bytes: cut.bytes + bytes };
            }
            count = (count * 2).min(ROWS);
        }
        Ok(cut)
    }

    fn remove_before(self, tx: &mut Tx<'_>, head: HeadRow) -> Result<(), Abort> {
        let (from, to) = (self.key(0), self.key(head.first));
        tx.delete_range::<StoredMessages>(&from, &to)?;
        tx.delete_range::<Marks>(&from, &to)?;
        tx.put::<Heads>((self.topic.as_str(), self.partition), &head)
    }
}
