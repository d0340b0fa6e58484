//! Entries between evaluation and acknowledgement (P5, P6).
//!
//! A leader may have several appends in flight. What a position holds is known
//! only from the log's answers, and is taken in order of positions: the caller
//! feeds each known position to the reader automaton, which alone decides what
//! counts. When a dead entry has taken a position, that entry and all after it
//! are appended again further on, under their old sequence numbers.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use holdfast_log::{Append, Position};
use holdfast_planted::planted;

use crate::request::{Answer, Failure, ReplyTo};

/// An answer that waits until what it rests on is durable.
pub struct Waiting {
    /// Where it goes.
    pub reply: ReplyTo,
    /// What it is.
    pub answer: Answer,
}

impl Waiting {
    /// Gives the answer.
    pub fn go(self) {
        (self.reply)(self.answer);
    }
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.answer.fmt(f)
    }
}

/// An entry that is not acknowledged yet.
#[derive(Debug)]
struct Sealed {
    sequence: u64,
    bytes: Bytes,
    /// Where its latest copy was sent.
    position: Position,
    /// When its first copy was, in microseconds.
    sent_us: u64,
    waiting: Vec<Waiting>,
}

/// An entry that counts.
#[derive(Debug)]
pub struct Acknowledged {
    /// Before it was first sent, in microseconds: leadership is proved from then on.
    pub sent_us: u64,
    /// What waited for it.
    pub waiting: Vec<Waiting>,
}

/// What is known of a position that something was sent to.
#[derive(Debug)]
enum Slot {
    /// These bytes were sent; nothing is known yet.
    Sent(Bytes),
    /// It holds these.
    Holds(Bytes),
}

/// A position that was sent to lies below the log's trim mark: somebody leads,
/// and is far ahead (P3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trimmed;

/// The entries in flight of one leader, or its claim.
#[derive(Debug)]
pub struct Pipeline {
    unacknowledged: VecDeque<Sealed>,
    slots: BTreeMap<Position, Slot>,
    next_position: Position,
    bytes: usize,
    /// Answers that wait for some entry here.
    answers: usize,
}

impl Pipeline {
    /// Nothing in flight; the first append goes to `next_position`.
    #[must_use]
    pub const fn new(next_position: Position) -> Self {
        Self {
            unacknowledged: VecDeque::new(),
            slots: BTreeMap::new(),
            next_position,
            bytes: 0,
            answers: 0,
        }
    }

    /// Entries that are not acknowledged.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.unacknowledged.len()
    }

    /// Their bytes.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Answers that wait for them.
    #[must_use]
    pub const fn answers(&self) -> usize {
        self.answers
    }

    /// Reserves the next position for bytes that stand for themselves: a claim.
    pub fn send(&mut self, bytes: Bytes) -> Position {
        let position = self.next_position;
        self.next_position = position.next();
        self.slots.insert(position, Slot::Sent(bytes));
        position
    }

    /// Sends an entry, after `sent_us`, whose answers wait for it.
    pub fn send_entry(
        &mut self,
        sequence: u64,
        bytes: Bytes,
        sent_us: u64,
        waiting: Vec<Waiting>,
    ) -> Position {
        let position = self.send(bytes.clone());
        self.bytes += bytes.len();
        self.answers += waiting.len();
        self.unacknowledged.push_back(Sealed { sequence, bytes, position, sent_us, waiting });
        position
    }

    /// Is it known of every position that was sent to what it holds?
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.slots.is_empty()
    }

    /// Position `read` is filled, though nothing was sent there.
    pub fn pass(&mut self, read: Position) {
        self.next_position = self.next_position.max(read.next());
    }

    /// Lets an answer wait for everything that is in flight.
    ///
    /// # Errors
    /// Gives it back when nothing is: it can go at once.
    pub fn wait(&mut self, waiting: Waiting) -> Result<(), Waiting> {
        match self.unacknowledged.back_mut() {
            Some(last) => {
                last.waiting.push(waiting);
                self.answers += 1;
                Ok(())
            }
            None => Err(waiting),
        }
    }

    /// Takes the log's answer about a position, to an append of `sent`. An answer about
    /// one that is known already says nothing new.
    ///
    /// # Errors
    /// The position is [`Trimmed`].
    pub fn answered(
        &mut self,
        position: Position,
        sent: Bytes,
        append: Append,
    ) -> Result<(), Trimmed> {
        let Some(slot) = self.slots.get_mut(&position) else { return Ok(()) };
        match append {
            // Of what was sent then: not of what is in flight now, if that is something else.
            Append::Ok => {
                if let Slot::Sent(_) = slot {
                    *slot = Slot::Holds(sent);
                }
                Ok(())
            }
            Append::Taken(bytes) => {
                *slot = Slot::Holds(bytes);
                Ok(())
            }
            Append::Trimmed => Err(Trimmed),
        }
    }

    /// What was sent to a position that has no answer yet.
    #[must_use]
    pub fn sent(&self, position: Position) -> Option<&Bytes> {
        match self.slots.get(&position)? {
            Slot::Sent(bytes) => Some(bytes),
            Slot::Holds(_) => None,
        }
    }

    /// Takes the bytes of the position that is next to be read, when they are known.
    pub fn take_known(&mut self, position: Position) -> Option<Bytes> {
        let entry = self.slots.first_entry()?;
        let known = matches!(entry.get(), Slot::Holds(_)) || planted!(HolesPassedOver);
        if *entry.key() != position || !known {
            return None;
        }
        match entry.remove() {
            Slot::Holds(bytes) | Slot::Sent(bytes) => Some(bytes),
        }
    }

    /// The first entry in flight counts.
    ///
    /// # Panics
    /// When it is not the first: the reader counts our entries in our order.
    pub fn acknowledge(&mut self, sequence: u64) -> Acknowledged {
        let first = self.unacknowledged.pop_front().expect("only what was sent can count");
        assert_eq!(first.sequence, sequence, "entries count in the order they were sent");
        self.bytes -= first.bytes.len();
        self.answers -= first.waiting.len();
        Acknowledged { sent_us: first.sent_us, waiting: first.waiting }
    }

    /// A position turned out dead. If it was the latest copy of the first entry
    /// in flight, that and all after it go out again; returns where and what.
    pub fn resend_after(&mut self, dead: Position) -> Vec<(Position, Bytes)> {
        if self.unacknowledged.front().is_none_or(|first| first.position != dead) {
            return Vec::new();
        }
        let mut sent = Vec::with_capacity(self.unacknowledged.len());
        for sealed in &mut self.unacknowledged {
            sealed.position = self.next_position;
            self.next_position = self.next_position.next();
            self.slots.insert(sealed.position, Slot::Sent(sealed.bytes.clone()));
            sent.push((sealed.position, sealed.bytes.clone()));
        }
        sent
    }

    /// Gives everything up: what waited is told this.
    pub fn abandon(self, failure: &Failure) -> Vec<Waiting> {
        let waiting = self.unacknowledged.into_iter().flat_map(|sealed| sealed.waiting);
        let told = |answer| if planted!(StepDownSaysDone) { answer } else { Err(failure.clone()) };
        waiting.map(|Waiting { reply, answer }| Waiting { reply, answer: told(answer) }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p6_p7_an_answer_of_a_leadership_before_says_what_is_there_and_not_that_the_claim_is() {
        let at = Position::first();
        let [before, claim] = ["an entry of the leadership before", "a claim"].map(Bytes::from);
        let mut pipeline = Pipeline::new(at);
        assert_eq!(pipeline.send(claim.clone()), at);
        pipeline.answered(at, before.clone(), Append::Ok).unwrap();
        assert_eq!(pipeline.take_known(at), Some(before.clone()));
        let mut pipeline = Pipeline::new(at);
        pipeline.send(claim.clone());
        pipeline.answered(at, claim.clone(), Append::Ok).unwrap();
        pipeline.answered(at, before, Append::Ok).unwrap();
        assert_eq!(pipeline.take_known(at), Some(claim), "what is known stays so");
    }
}
