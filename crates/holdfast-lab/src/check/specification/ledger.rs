//! Accounts that are opened with a balance and transfer to each other, and never go
//! below zero.

use std::collections::BTreeMap;

use super::Specification;

/// Balances by account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger(BTreeMap<u64, i64>);

/// What a ledger is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A new account with this balance.
    Open {
        /// The account.
        account: u64,
        /// What it has.
        balance: i64,
    },
    /// To move an amount.
    Transfer {
        /// Who gives.
        from: u64,
        /// Who gets.
        to: u64,
        /// How much.
        amount: i64,
    },
    /// What an account has.
    Balance {
        /// The account.
        account: u64,
    },
    /// What all accounts have together.
    Total,
}

/// What a ledger answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was done.
    Done,
    /// The account is there already.
    Exists,
    /// There is no such account.
    NoAccount,
    /// Who gives has less.
    Lacks,
    /// To a question.
    Amount(i64),
}

impl Ledger {
    fn transfer(&mut self, from: u64, to: u64, amount: i64) -> Answer {
        let (Some(gives), true) = (self.0.get(&from), self.0.contains_key(&to)) else {
            return Answer::NoAccount;
        };
        if *gives < amount {
            return Answer::Lacks;
        }
        *self.0.entry(from).or_default() -= amount;
        *self.0.entry(to).or_default() += amount;
        Answer::Done
    }
}

impl Specification for Ledger {
    type Asked = Asked;
    type Answer = Answer;

    fn ask(&mut self, asked: &Asked) -> Answer {
        match *asked {
            Asked::Open { account, .. } if self.0.contains_key(&account) => Answer::Exists,
            Asked::Open { account, balance } => {
                self.0.insert(account, balance);
                Answer::Done
            }
            Asked::Transfer { from, to, amount } => self.transfer(from, to, amount),
            Asked::Balance { account } => {
                self.0.get(&account).map_or(Answer::NoAccount, |balance| Answer::Amount(*balance))
            }
            Asked::Total => Answer::Amount(self.0.values().sum()),
        }
    }
}
