//! The workload without any machinery: what each operation must come to when the
//! transactions run one after another, in version order.
//!
//! It shares no code with what it judges, and keeps plain maps. It knows no time: whether a
//! hold lapsed in time and once is for [`crate::check::timers`] to say.

use std::collections::BTreeMap;

use holdfast_engine::{Decision, Outcome};

use super::workload::{HELD, OPENING, Op};
use crate::check::Specification;

/// What happens to the state.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Asked {
    /// Somebody asked for it.
    Do(Op),
    /// A hold lapses.
    Lapse { from: u64, amount: i64 },
    /// Nothing of this: the engine's own work, and what primitives do.
    Nothing,
}

/// What an operation came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Came {
    pub(super) refused: bool,
    pub(super) body: String,
}

impl Came {
    /// What was answered.
    pub(super) fn of(outcome: &Outcome) -> Self {
        let body = String::from_utf8_lossy(&outcome.body).into_owned();
        Self { refused: outcome.decision == Decision::Refused, body }
    }
}

/// The state, naively.
#[derive(Clone, Debug, Default)]
pub(super) struct Naive {
    balances: BTreeMap<u64, i64>,
    counters: BTreeMap<u64, u64>,
    messages: u64,
}

impl Specification for Naive {
    type Asked = Asked;
    type Answer = Came;

    fn ask(&mut self, asked: &Asked) -> Came {
        match asked {
            Asked::Do(op) => self.run(op),
            &Asked::Lapse { from, amount } => {
                *self.balances.entry(HELD).or_insert(0) -= amount;
                *self.balances.entry(from).or_insert(0) += amount;
                Came { refused: false, body: String::new() }
            }
            Asked::Nothing => Came { refused: false, body: String::new() },
        }
    }
}

impl Naive {
    fn run(&mut self, op: &Op) -> Came {
        let done = |body: String| Came { refused: false, body };
        match *op {
            Op::Open { account } => {
                if self.balances.contains_key(&account) {
                    return Came { refused: true, body: "exists".to_owned() };
                }
                self.balances.insert(account, OPENING);
                done("opened".to_owned())
            }
            Op::Transfer { from, to, amount } => self.shift(from, to, amount),
            Op::Hold { from, amount, .. } => self.shift(from, HELD, amount),
            Op::Bump { counter } => {
                let count = self.counters.entry(counter).or_insert(0);
                *count += 1;
                done(count.to_string())
            }
            Op::Say => {
                self.messages += 1;
                done((self.messages - 1).to_string())
            }
            Op::Hush => {
                self.messages = 0;
                done("hushed".to_owned())
            }
            Op::Sum | Op::Look { .. } => done(self.sum()),
            Op::Panic { .. } => done("a panic".to_owned()),
            // These have models of their own.
            Op::Call(_) | Op::Ask { .. } => done(String::new()),
        }
    }

    fn shift(&mut self, from: u64, to: u64, amount: i64) -> Came {
        let left = self.balances.get(&from).copied().unwrap_or(0) - amount;
        if left < 0 {
            return Came { refused: true, body: format!("{from} lacks {}", -left) };
        }
        self.balances.insert(from, left);
        *self.balances.entry(to).or_insert(0) += amount;
        let (left, there) = (self.balances[&from], self.balances[&to]);
        Came { refused: false, body: format!("{from}={left} {to}={there}") }
    }

    fn sum(&self) -> String {
        let balances: i64 = self.balances.values().sum();
        let counts: u64 = self.counters.values().sum();
        format!("{balances}/{counts}")
    }

    /// What an account holds.
    pub(super) fn balance(&self, account: u64) -> i64 {
        self.balances.get(&account).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_comes_back_when_it_lapses_and_what_is_refused_changes_nothing() {
        let mut naive = Naive::default();
        let mut run = |op| naive.ask(&Asked::Do(op));
        assert!(!run(Op::Open { account: 1 }).refused);
        assert!(run(Op::Open { account: 1 }).refused);
        let hold = Op::Hold { from: 1, amount: 30, for_us: 100 };
        assert_eq!(run(hold).body, format!("1=70 {HELD}=30"));
        let much = Op::Transfer { from: 1, to: 2, amount: 71 };
        assert_eq!(run(much), Came { refused: true, body: "1 lacks 1".to_owned() });
        naive.ask(&Asked::Lapse { from: 1, amount: 30 });
        assert_eq!((naive.balance(1), naive.balance(HELD), naive.balance(2)), (100, 0, 0));
        assert_eq!(naive.ask(&Asked::Do(Op::Sum)).body, "100/0");
    }
}
