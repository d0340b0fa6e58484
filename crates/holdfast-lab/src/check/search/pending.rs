//! The calls and answers of operations that have no place yet, in the order of time.
//!
//! A list linked both ways over two arrays, so that taking an operation out, and giving it
//! back just where it was, costs nothing; as in Knuth's dancing links. Operations that were
//! never answered have a call and no answer.

use std::time::Duration;

/// A call, or an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Event(usize);

impl Event {
    pub(super) const fn call(operation: usize) -> Self {
        Self(operation * 2)
    }

    const fn answer(operation: usize) -> Self {
        Self(operation * 2 + 1)
    }

    pub(super) const fn is_call(self) -> bool {
        self.0.is_multiple_of(2)
    }

    pub(super) const fn operation(self) -> usize {
        self.0 / 2
    }
}

/// Events that are left.
#[derive(Debug)]
pub(super) struct Pending {
    /// The event after each; the last entry is the list's head. Events that are out keep
    /// their neighbours, which is how they find back.
    after: Vec<usize>,
    before: Vec<usize>,
    /// Whether an operation was answered.
    answered: Vec<bool>,
    /// Answers in the list.
    unanswered: usize,
}

impl Pending {
    /// All of them: when each was sent, and answered.
    pub(super) fn new(times: impl Iterator<Item = (Duration, Option<Duration>)>) -> Self {
        let mut events = Vec::new();
        let mut answered = Vec::new();
        for (operation, (sent, at)) in times.enumerate() {
            // Of one moment calls come first: meeting is overlapping.
            events.push((sent, false, Event::call(operation)));
            events.extend(at.map(|at| (at, true, Event::answer(operation))));
            answered.push(at.is_some());
        }
        events.sort_by_key(|(at, is_answer, event)| (*at, *is_answer, event.0));
        let head = answered.len() * 2;
        let (mut after, mut before) = (vec![head; head + 1], vec![head; head + 1]);
        let mut last = head;
        for (_, _, event) in events {
            after[last] = event.0;
            before[event.0] = last;
            last = event.0;
        }
        after[last] = head;
        before[head] = last;
        let unanswered = answered.iter().filter(|answered| **answered).count();
        Self { after, before, answered, unanswered }
    }

    /// Answered operations without a place.
    pub(super) const fn unanswered(&self) -> usize {
        self.unanswered
    }

    /// The earliest event.
    pub(super) fn first(&self) -> Option<Event> {
        self.following(Event(self.head()))
    }

    /// The event after this one, which is in the list.
    pub(super) fn following(&self, event: Event) -> Option<Event> {
        Some(Event(self.after[event.0])).filter(|next| next.0 != self.head())
    }

    fn head(&self) -> usize {
        self.answered.len() * 2
    }

    /// Takes an operation's events out.
    pub(super) fn take(&mut self, operation: usize) {
        self.unlink(Event::call(operation));
        if self.answered[operation] {
            self.unlink(Event::answer(operation));
            self.unanswered -= 1;
        }
    }

    /// Gives back what was taken last.
    pub(super) fn give_back(&mut self, operation: usize) {
        if self.answered[operation] {
            self.link(Event::answer(operation));
            self.unanswered += 1;
        }
        self.link(Event::call(operation));
    }

    fn unlink(&mut self, Event(event): Event) {
        let (before, after) = (self.before[event], self.after[event]);
        self.after[before] = after;
        self.before[after] = before;
    }

    fn link(&mut self, Event(event): Event) {
        let (before, after) = (self.before[event], self.after[event]);
        self.after[before] = event;
        self.before[after] = event;
    }
}
