//! What happened: a hash over all of it, the last lines of it, and counts of the rare.
//!
//! Everything that a run does passes through [`Trace::note`]; two runs of one seed have
//! one hash, or something in them is not decided by the seed. The lines are kept for
//! whoever has to understand a violation, the counts for whoever asks whether a run
//! exercised anything.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
};

use xxhash_rust::xxh3::Xxh3;

use super::agenda::Micros;

/// Lines that are kept for the report of a violation.
const LINES_KEPT: usize = 120;

/// Counts by name.
pub type Counts = BTreeMap<&'static str, u64>;

/// One thing that happened.
#[derive(Clone, Debug)]
struct Line {
    at: Micros,
    what: &'static str,
    numbers: [u64; 3],
    words: String,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second, third] = self.numbers;
        let ms = self.at / 1000;
        let us = self.at % 1000;
        write!(f, "{ms:>7}.{us:03} ms  {:<22} {first:>4} {second:>6} {third:>6}", self.what)?;
        if self.words.is_empty() { Ok(()) } else { write!(f, "  {}", self.words) }
    }
}

/// What happened in one run.
pub(super) struct Trace {
    hash: Xxh3,
    lines: VecDeque<Line>,
    notes: u64,
    printing: bool,
    counts: Counts,
}

impl Trace {
    /// Nothing yet; with `printing`, every line goes to stdout as it happens.
    pub(super) fn new(printing: bool) -> Self {
        Self {
            hash: Xxh3::new(),
            lines: VecDeque::new(),
            notes: 0,
            printing,
            counts: Counts::new(),
        }
    }

    /// Something happened at this time; what the numbers say depends on what it is, the
    /// first is the node or client wherever there is one.
    pub(super) fn note(&mut self, at: Micros, what: &'static str, numbers: [u64; 3]) {
        self.tell(at, what, numbers, String::new());
    }

    /// The same with words, which are part of the hash too.
    pub(super) fn tell(
        &mut self,
        at: Micros,
        what: &'static str,
        numbers: [u64; 3],
        words: String,
    ) {
        self.notes += 1;
        self.hash.update(&at.to_le_bytes());
        self.hash.update(what.as_bytes());
        for number in numbers {
            self.hash.update(&number.to_le_bytes());
        }
        self.hash.update(words.as_bytes());
        let line = Line { at, what, numbers, words };
        if self.printing {
            println!("{line}");
        }
        if self.lines.len() == LINES_KEPT {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// Bytes that belong to what was noted last.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
    }

    /// A fault, or a path that is rarely taken.
    pub(super) fn count(&mut self, what: &'static str) {
        self.count_many(what, 1);
    }

    /// The same, several times.
    pub(super) fn count_many(&mut self, what: &'static str, times: u64) {
        if times > 0 {
            *self.counts.entry(what).or_insert(0) += times;
        }
    }

    /// The hash of everything so far.
    pub(super) fn hash(&self) -> u64 {
        self.hash.digest()
    }

    /// How many things happened.
    pub(super) const fn notes(&self) -> u64 {
        self.notes
    }

    /// Everything that was counted.
    pub(super) const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The last lines, oldest first.
    pub(super) fn last_lines(&self) -> Vec<String> {
        self.lines.iter().map(ToString::to_string).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_tells_any_difference_and_the_last_lines_stay() {
        let of = |numbers, words: &str| {
            let mut trace = Trace::new(false);
            trace.tell(1, "x", numbers, words.to_owned());
            trace.hash()
        };
        assert_eq!(of([1, 2, 3], "w"), of([1, 2, 3], "w"));
        assert_ne!(of([1, 2, 3], "w"), of([1, 2, 4], "w"));
        assert_ne!(of([1, 2, 3], "w"), of([1, 2, 3], "v"));
        let mut trace = Trace::new(false);
        for at in 0..1000 {
            trace.note(at, "x", [at; 3]);
        }
        assert_eq!((trace.last_lines().len(), trace.notes()), (LINES_KEPT, 1000));
    }
}
