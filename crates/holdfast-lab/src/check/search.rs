//! Linearizability of histories whose answers carry no versions: a search for an order.
//!
//! The order must respect real time (an operation takes effect between being sent and being
//! answered) and give every answer that was heard. Wing and Gong search it depth first:
//! of the operations that may come next, one is taken, and given back if nothing follows
//! from it. Lowe adds that a set of operations that came to a state need not be tried from
//! twice, which makes it fast enough; Horn and Kroening add that keys which do not touch each
//! other are searched one by one ([`each`]).
//!
//! * J. M. Wing, C. Gong: Testing and verifying concurrent objects. JPDC 17 (1993).
//! * G. Lowe: Testing for linearizability. Concurrency and Computation 29 (2017).
//! * A. Horn, D. Kroening: Faster linearizability checking via P-compositionality. FORTE 2015.
//!
//! An operation that nobody heard of may take effect at any time after it was sent, or
//! never; it is enough that every operation that *was* answered finds a place. The problem
//! is NP-complete, so the search has a budget: beyond it the verdict is
//! [`Verdict::Undecided`], never a wrong one.

mod pending;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    time::Duration,
};

use super::{
    call::{Call, Heard},
    specification::Specification,
};
use pending::Pending;

/// How many states a search may remember, unless told otherwise: some hundred megabytes.
pub const STATES_MAX: usize = 2_000_000;

/// What came of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There is an order.
    Linearizable {
        /// States that were remembered.
        states: usize,
    },
    /// There is none.
    NotLinearizable(Unexplained),
    /// The budget was used up.
    Undecided {
        /// States that were remembered.
        states: usize,
    },
}

/// How far orders go: one explains everything that was answered before this answer, and
/// none goes on past it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{key}: {asked}, sent at {sent:?}, was answered {answer} at {answered:?}; an order explains the \
     {explained} answers before it, and none goes on past it"
)]
pub struct Unexplained {
    /// The key under which it was searched, or the call's own.
    pub key: String,
    /// What was asked.
    pub asked: String,
    /// When it was sent.
    pub sent: Duration,
    /// What was answered.
    pub answer: String,
    /// When it was answered.
    pub answered: Duration,
    /// Answers before it.
    pub explained: usize,
}

/// Searches an order of calls of one object that begins as `S::default()`. Calls of which
/// it was told that they did nothing are left out.
#[must_use]
pub fn check<S>(calls: &[Call<S::Asked, S::Answer>], states_max: usize) -> Verdict
where
    S: Specification + Clone + Default + PartialEq,
{
    let calls: Calls<'_, S> = calls.iter().collect();
    Search::<S>::over(&calls, states_max).run()
}

/// Searches the calls of each key by themselves: right where keys do not touch each other.
/// The first verdict that is not [`Verdict::Linearizable`] stands for all; one that is not
/// linearizable goes before one that is undecided.
#[must_use]
pub fn each<S, K>(
    calls: &[Call<S::Asked, S::Answer>],
    key: impl Fn(&Call<S::Asked, S::Answer>) -> K,
    states_max: usize,
) -> Verdict
where
    S: Specification + Clone + Default + PartialEq,
    K: Ord + fmt::Display,
{
    let mut parts: BTreeMap<K, Calls<'_, S>> = BTreeMap::new();
    for call in calls {
        parts.entry(key(call)).or_default().push(call);
    }
    let (mut remembered, mut undecided) = (0, false);
    for (key, calls) in parts {
        match Search::<S>::over(&calls, states_max).run() {
            Verdict::Linearizable { states } => remembered += states,
            Verdict::Undecided { states } => {
                remembered += states;
                undecided = true;
            }
            Verdict::NotLinearizable(why) => {
                return Verdict::NotLinearizable(Unexplained { key: key.to_string(), ..why });
            }
        }
    }
    let states = remembered;
    if undecided { Verdict::Undecided { states } } else { Verdict::Linearizable { states } }
}

/// What is asked of an object by a specification, and what was heard.
type Calls<'a, S> = Vec<&'a Call<<S as Specification>::Asked, <S as Specification>::Answer>>;

/// A search under way.
struct Search<'a, S: Specification> {
    calls: Calls<'a, S>,
    /// Operations that have no place yet, in the order of time.
    pending: Pending,
    /// Operations that have one, as bits.
    placed: Vec<u64>,
    /// From which states it went on, by the operations that had a place.
    tried: HashMap<Box<[u64]>, Vec<S>>,
    states: usize,
    states_max: usize,
    /// The latest answer that could not be passed.
    stuck: Option<usize>,
}

impl<'a, S> Search<'a, S>
where
    S: Specification + Clone + Default + PartialEq,
{
    fn over(calls: &[&'a Call<S::Asked, S::Answer>], states_max: usize) -> Self {
        let happened = |call: &&&Call<_, _>| !matches!(call.heard, Heard::Nothing);
        let calls: Vec<_> = calls.iter().filter(happened).copied().collect();
        let times = calls.iter().map(|call| (call.sent, answered(call)));
        Self {
            pending: Pending::new(times),
            placed: vec![0; calls.len().div_ceil(64)],
            calls,
            tried: HashMap::new(),
            states: 0,
            states_max,
            stuck: None,
        }
    }

    fn run(mut self) -> Verdict {
        let mut state = S::default();
        // What was taken, and the state before it.
        let mut taken: Vec<(usize, S)> = Vec::new();
        let mut next = self.pending.first();
        while self.pending.unanswered() > 0 {
            match next {
                Some(event) if event.is_call() => {
                    let operation = event.operation();
                    match self.after(&state, operation) {
                        Some(_) if self.states >= self.states_max => {
                            return Verdict::Undecided { states: self.states };
                        }
                        Some(after) => {
                            taken.push((operation, std::mem::replace(&mut state, after)));
                            self.pending.take(operation);
                            next = self.pending.first();
                        }
                        None => next = self.pending.following(event),
                    }
                }
                Some(_) | None => {
                    self.note_stuck(next.map(pending::Event::operation));
                    let Some((operation, before)) = taken.pop() else {
                        return self.unexplained();
                    };
                    state = before;
                    self.placed[operation / 64] &= !(1 << (operation % 64));
                    self.pending.give_back(operation);
                    next = self.pending.following(pending::Event::call(operation));
                }
            }
        }
        Verdict::Linearizable { states: self.states }
    }

    /// The state after an operation, if its answer fits and nothing like it was tried. It
    /// is then noted as tried, and the operation as placed.
    fn after(&mut self, state: &S, operation: usize) -> Option<S> {
        let call = self.calls[operation];
        let mut after = state.clone();
        let answer = after.ask(&call.asked);
        if let Heard::Answered { answer: heard, .. } = &call.heard
            && *heard != answer
        {
            return None;
        }
        let (word, bit) = (operation / 64, 1 << (operation % 64));
        self.placed[word] |= bit;
        let tried = match self.tried.get_mut(&self.placed[..]) {
            Some(tried) => tried,
            None => self.tried.entry(self.placed.clone().into()).or_default(),
        };
        if tried.contains(&after) {
            self.placed[word] &= !bit;
            return None;
        }
        tried.push(after.clone());
        self.states += 1;
        Some(after)
    }

    fn note_stuck(&mut self, operation: Option<usize>) {
        let at = |operation: usize| answered(self.calls[operation]);
        if let Some(operation) = operation
            && self.stuck.is_none_or(|before| at(before) < at(operation))
        {
            self.stuck = Some(operation);
        }
    }

    fn unexplained(&self) -> Verdict {
        let stuck = self.calls[self.stuck.expect("it gave up at an answer")];
        let Heard::Answered { at, answer } = &stuck.heard else {
            unreachable!("only answers cannot be passed")
        };
        let before = |call: &&&Call<_, _>| answered(call).is_some_and(|before| before < *at);
        Verdict::NotLinearizable(Unexplained {
            key: stuck.key.clone().unwrap_or_else(|| "the object".to_owned()),
            asked: format!("{:?}", stuck.asked),
            sent: stuck.sent,
            answer: format!("{answer:?}"),
            answered: *at,
            explained: self.calls.iter().filter(before).count(),
        })
    }
}

const fn answered<Q, A>(call: &Call<Q, A>) -> Option<Duration> {
    match &call.heard {
        Heard::Answered { at, .. } => Some(*at),
        Heard::Nothing | Heard::Unknown => None,
    }
}

#[cfg(test)]
mod tests;
