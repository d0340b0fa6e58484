//! The workload without any machinery: what each operation must come to when the
//! transactions run one after another, in version order.
//!
//! It shares no code with what it judges, and keeps plain maps.

use std::collections::BTreeMap;

use super::workload::{HELD, OPENING, Op};

/// An amount set aside.
#[derive(Clone, Copy, Debug)]
struct Hold {
    due_us: u64,
    from: u64,
    amount: i64,
}

/// What an operation came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Came {
    pub(super) refused: bool,
    pub(super) body: String,
}

/// The state, naively.
#[derive(Clone, Debug, Default)]
pub(super) struct Naive {
    balances: BTreeMap<u64, i64>,
    counters: BTreeMap<u64, u64>,
    messages: u64,
    holds: BTreeMap<u64, Hold>,
    opened: i64,
}

impl Naive {
    /// Does the operation as this version, at this log time.
    pub(super) fn run(&mut self, op: Op, version: u64, time_us: u64) -> Came {
        let done = |body: String| Came { refused: false, body };
        match op {
            Op::Open { account } => {
                if self.balances.contains_key(&account) {
                    return Came { refused: true, body: "exists".to_owned() };
                }
                self.balances.insert(account, OPENING);
                self.opened += 1;
                done("opened".to_owned())
            }
            Op::Transfer { from, to, amount } => self.shift(from, to, amount),
            Op::Hold { from, amount, for_us } => {
                let came = self.shift(from, HELD, amount);
                if !came.refused {
                    let due_us = time_us + for_us;
                    self.holds.insert(version, Hold { due_us, from, amount });
                }
                came
            }
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

    /// The hold that this version armed lapses at this log time.
    pub(super) fn lapse(&mut self, armed: u64, time_us: u64) -> Result<(), String> {
        let hold = self.holds.remove(&armed).ok_or("it was not armed, or has fired before")?;
        if time_us < hold.due_us {
            return Err(format!("{} us before it was due", hold.due_us - time_us));
        }
        *self.balances.entry(HELD).or_insert(0) -= hold.amount;
        *self.balances.entry(hold.from).or_insert(0) += hold.amount;
        Ok(())
    }

    /// What [`Op::Sum`] tells.
    pub(super) fn sum(&self) -> String {
        let balances: i64 = self.balances.values().sum();
        let counts: u64 = self.counters.values().sum();
        format!("{balances}/{counts}")
    }

    /// Every account and what it holds.
    pub(super) const fn balances(&self) -> &BTreeMap<u64, i64> {
        &self.balances
    }

    /// Nothing was made or lost: all balances are what accounts were opened with.
    pub(super) fn is_conserved(&self) -> bool {
        self.balances.values().sum::<i64>() == self.opened * OPENING
    }

    /// Holds that have not lapsed.
    pub(super) fn holds(&self) -> usize {
        self.holds.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_lapse_once_and_not_before_their_time() {
        let mut naive = Naive::default();
        assert!(!naive.run(Op::Open { account: 1 }, 1, 0).refused);
        assert!(naive.run(Op::Open { account: 1 }, 2, 0).refused);
        let hold = Op::Hold { from: 1, amount: 30, for_us: 100 };
        assert_eq!(naive.run(hold, 3, 1_000).body, format!("1=70 {HELD}=30"));
        assert!(naive.clone().lapse(3, 1_099).unwrap_err().contains("1 us before"));
        assert!(naive.is_conserved());
        naive.lapse(3, 1_100).unwrap();
        assert!(naive.lapse(3, 1_100).is_err());
        assert!(naive.is_conserved() && naive.holds() == 0);
        let much = Op::Transfer { from: 1, to: 2, amount: 101 };
        assert_eq!(naive.run(much, 4, 0), Came { refused: true, body: "1 lacks 1".to_owned() });
    }
}
