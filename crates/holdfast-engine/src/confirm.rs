//! Reads that wait until leadership is proved (P10).
//!
//! A read sees the applied state, and all that anyone was told is in it, if this node still led
//! when the read came. That is proved by an append that was *first sent after the read came* and
//! became acknowledgeable, or, where an empty read proves it and nothing of ours is in flight, by
//! the first hole seen empty by a look that began after the read came. Many reads share one proof.

use std::{collections::VecDeque, fmt};

use crate::{pipeline::Waiting, request::Failure};

/// Takes the answer to a [`Confirm`]; called exactly once, on a thread of the partition's, and must
/// not block.
pub type ConfirmedTo = Box<dyn FnOnce(Result<(), Failure>) + Send>;

/// A read wants to know that this node leads. A view taken after the answer shows everything that
/// anyone was told before the question.
pub struct Confirm(pub ConfirmedTo);

impl fmt::Debug for Confirm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Confirm").finish_non_exhaustive()
    }
}

/// Who waits for leadership to be proved.
#[derive(Debug)]
pub(crate) enum Reader {
    /// A query, which will look at a view.
    Look(Confirm),
    /// A transaction that wrote nothing, with what it saw.
    Answer(Waiting),
}

/// Reads in the order they came, by what proves leadership to them.
#[derive(Debug, Default)]
pub(crate) struct Confirming {
    /// Nothing that was sent since they came is on its way.
    fresh: Vec<Reader>,
    /// A look at the first hole was sent after they came.
    looking: Vec<Reader>,
    /// The entry of this number was first sent after they came.
    sent: VecDeque<(u64, Vec<Reader>)>,
    /// The last look brought no answer: an entry will.
    look_failed: bool,
    waiting: usize,
}

impl Confirming {
    /// How many wait.
    pub(crate) const fn waiting(&self) -> usize {
        self.waiting
    }

    pub(crate) fn push(&mut self, reader: Reader) {
        self.waiting += 1;
        self.fresh.push(reader);
    }

    /// Is there one that nothing on its way will answer?
    pub(crate) fn is_wanted(&self) -> bool {
        !self.fresh.is_empty() && self.looking.is_empty()
    }

    /// May a look answer, if nothing else forbids it?
    pub(crate) const fn may_look(&self) -> bool {
        !self.look_failed
    }

    /// A look at the first hole is being sent.
    pub(crate) fn look(&mut self) {
        self.looking.append(&mut self.fresh);
    }

    /// An entry of this number is being sent for the first time: it answers everyone who is here,
    /// those too who wait for a look.
    pub(crate) fn send(&mut self, sequence: u64) {
        self.look_failed = false;
        let mut confirms = std::mem::take(&mut self.looking);
        confirms.append(&mut self.fresh);
        if !confirms.is_empty() {
            self.sent.push_back((sequence, confirms));
        }
    }

    /// The entry of this number is acknowledged: who is answered.
    pub(crate) fn acknowledged(&mut self, sequence: u64) -> Vec<Reader> {
        let proved = self.sent.partition_point(|(sent, _)| *sent <= sequence);
        let confirms: Vec<_> = self.sent.drain(..proved).flat_map(|(_, them)| them).collect();
        self.waiting -= confirms.len();
        confirms
    }

    /// The look saw the first hole empty: who is answered.
    pub(crate) fn seen_empty(&mut self) -> Vec<Reader> {
        self.waiting -= self.looking.len();
        std::mem::take(&mut self.looking)
    }

    /// The look proved nothing.
    pub(crate) fn seen_nothing(&mut self) {
        self.look_failed = true;
        self.looking.append(&mut self.fresh);
        std::mem::swap(&mut self.looking, &mut self.fresh);
    }

    /// Everyone, when leadership is over.
    pub(crate) fn end(&mut self) -> Vec<Reader> {
        let all = std::mem::take(self);
        let sent = all.sent.into_iter().flat_map(|(_, them)| them);
        sent.chain(all.looking).chain(all.fresh).collect()
    }
}
