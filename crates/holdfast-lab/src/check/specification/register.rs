//! A register: read, write, compare and set.

use super::Specification;

/// Holds one number, or none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Register(Option<i64>);

/// What a register is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// What it holds.
    Read,
    /// To hold this.
    Write(i64),
    /// To hold `to` if it holds `from`.
    CompareAndSet {
        /// What it must hold.
        from: i64,
        /// What it then holds.
        to: i64,
    },
}

/// What a register answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To a read.
    Holds(Option<i64>),
    /// To a write.
    Written,
    /// To a compare and set: whether it held what it must.
    Matched(bool),
}

impl Specification for Register {
    type Asked = Asked;
    type Answer = Answer;

    fn ask(&mut self, asked: &Asked) -> Answer {
        match *asked {
            Asked::Read => Answer::Holds(self.0),
            Asked::Write(value) => {
                self.0 = Some(value);
                Answer::Written
            }
            Asked::CompareAndSet { from, to } => {
                let matched = self.0 == Some(from);
                if matched {
                    self.0 = Some(to);
                }
                Answer::Matched(matched)
            }
        }
    }
}
