//! Who is evaluated next (P22).
//!
//! Requests wait in a queue per namespace; deficit round robin takes turns
//! between namespaces, charged by the work their transactions did, so a busy
//! tenant slows itself and not the others. Everything is bounded: a full
//! partition refuses at once.
//!
//! Requests are taken out some before they are evaluated, so what one costs is not
//! known yet: it is charged as much as the last one of its namespace cost, and the
//! difference when it is known. The first is charged a whole turn.

use std::collections::{BTreeMap, VecDeque};

use holdfast_state::Namespace;

use crate::request::Request;

/// What a turn is worth, in the units of [`Admission::charge`].
const QUANTUM: i64 = 256;

/// Requests that wait for evaluation.
#[derive(Debug)]
pub struct Admission {
    /// Only namespaces with something waiting or taken out, or in debt.
    queues: BTreeMap<Namespace, Queue>,
    /// Namespaces with something waiting, in the order of their turns.
    turns: VecDeque<Namespace>,
    waiting: usize,
    waiting_max: usize,
}

#[derive(Debug)]
struct Queue {
    requests: VecDeque<Request>,
    /// What is left of the turn; negative after a transaction that cost more.
    credit: i64,
    /// What the next one taken out is charged.
    expected: i64,
    /// What those were charged that are out and whose cost is not known.
    out: VecDeque<i64>,
}

impl Default for Queue {
    fn default() -> Self {
        Self { requests: VecDeque::new(), credit: 0, expected: QUANTUM, out: VecDeque::new() }
    }
}

impl Admission {
    /// Room for `waiting_max` requests.
    #[must_use]
    pub const fn new(waiting_max: usize) -> Self {
        Self { queues: BTreeMap::new(), turns: VecDeque::new(), waiting: 0, waiting_max }
    }

    /// Takes a request in.
    ///
    /// # Errors
    /// Gives it back when there is no room.
    pub fn push(&mut self, request: Request) -> Result<(), Request> {
        if self.waiting >= self.waiting_max {
            return Err(request);
        }
        self.waiting += 1;
        let namespace = request.namespace;
        let queue = self.queues.entry(namespace).or_default();
        if queue.requests.is_empty() {
            self.turns.push_back(namespace);
        }
        queue.requests.push_back(request);
        Ok(())
    }

    /// The request whose turn it is.
    pub fn pop(&mut self) -> Option<Request> {
        loop {
            let namespace = *self.turns.front()?;
            let queue = self.queues.get_mut(&namespace).expect("turns name queues");
            if queue.credit <= 0 {
                queue.credit += QUANTUM;
                if self.turns.len() > 1 || queue.credit <= 0 {
                    self.turns.rotate_left(1);
                    continue;
                }
            }
            let request = queue.requests.pop_front().expect("a turn has something waiting");
            self.waiting -= 1;
            queue.credit -= queue.expected;
            queue.out.push_back(queue.expected);
            if queue.requests.is_empty() {
                self.turns.pop_front();
            }
            return Some(request);
        }
    }

    /// Accounts for what a namespace's transaction did: the first of those that are
    /// out. Whatever is taken out is charged once.
    pub fn charge(&mut self, namespace: Namespace, cost: i64) {
        let Some(queue) = self.queues.get_mut(&namespace) else { return };
        queue.credit += queue.out.pop_front().unwrap_or(0) - cost;
        queue.expected = cost;
        if queue.requests.is_empty() && queue.out.is_empty() {
            // Nobody saves credit for later, or flees a debt by waiting one turn.
            queue.credit = queue.credit.min(0);
            if queue.credit == 0 || self.turns.is_empty() {
                self.queues.remove(&namespace);
            }
        }
    }

    /// How many wait.
    #[must_use]
    pub const fn waiting(&self) -> usize {
        self.waiting
    }

    /// Takes everything out, in no particular order.
    pub fn drain(&mut self) -> Vec<Request> {
        self.turns.clear();
        self.waiting = 0;
        std::mem::take(&mut self.queues).into_values().flat_map(|queue| queue.requests).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(namespace: u32) -> Request {
        Request {
            namespace: Namespace::new(namespace),
            asked: None,
            deadline_us: None,
            work: Box::new(|_| Ok(Vec::new())),
            reply: Box::new(|_| {}),
        }
    }

    #[test]
    fn p22_a_busy_namespace_does_not_hold_up_another() {
        let mut admission = Admission::new(10_000);
        for _ in 0..5_000 {
            admission.push(request(1)).unwrap();
        }
        for _ in 0..100 {
            admission.push(request(2)).unwrap();
        }
        let mut taken = [0; 3];
        while taken[2] < 100 {
            let namespace = admission.pop().unwrap().namespace;
            taken[namespace.get() as usize] += 1;
            admission.charge(namespace, 16);
        }
        assert!(taken[1] <= 150, "{} of the busy one while 100 of the other", taken[1]);
    }

    #[test]
    fn p22_turns_are_charged_by_work_not_by_number() {
        let mut admission = Admission::new(100_000);
        for _ in 0..20_000 {
            admission.push(request(1)).unwrap();
            admission.push(request(2)).unwrap();
        }
        let mut taken = [0i64; 3];
        for _ in 0..11_000 {
            let namespace = admission.pop().unwrap().namespace;
            taken[namespace.get() as usize] += 1;
            admission.charge(namespace, if namespace.get() == 1 { 1_000 } else { 100 });
        }
        let ratio = taken[2] / taken[1];
        assert!((8..=12).contains(&ratio), "{taken:?}");
    }

    #[test]
    fn p22_taking_out_ahead_of_evaluation_makes_no_turn_longer() {
        let mut admission = Admission::new(10_000);
        for _ in 0..200 {
            admission.push(request(1)).unwrap();
            admission.push(request(2)).unwrap();
        }
        let mut taken = [0; 3];
        while admission.waiting() > 200 {
            let group: Vec<_> = (0..16).map(|_| admission.pop().unwrap().namespace).collect();
            for namespace in group {
                taken[namespace.get() as usize] += 1;
                admission.charge(namespace, if namespace.get() == 1 { 5_000 } else { 10 });
            }
        }
        assert!(taken[1] <= 10, "{taken:?}");
    }

    #[test]
    fn a_full_queue_gives_the_request_back_and_order_is_kept() {
        let mut admission = Admission::new(2);
        for deadline in 0..2 {
            let request = Request { deadline_us: Some(deadline), ..request(1) };
            admission.push(request).unwrap();
        }
        assert!(admission.push(request(1)).is_err());
        for deadline in 0..2 {
            assert_eq!(admission.pop().unwrap().deadline_us, Some(deadline));
            admission.charge(Namespace::new(1), 5_000);
        }
        assert!(admission.pop().is_none());
        assert_eq!(admission.waiting(), 0);
    }
}
