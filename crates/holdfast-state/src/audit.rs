//! Audits: what a primitive's rows say, derived again from the log.
//!
//! A primitive that keeps accounts of anything offers an [`AuditEntry`]. Whoever has
//! a log and a state (a node that is stopped, a test) begins an audit before the
//! first transaction or with an older state, shows it every batch in order, and ends
//! it with the state that all of this is said to come to.

use std::fmt;

use crate::{fact::Batch, table::Namespace, tx::Abort, view::View};

/// The most differences that are listed.
pub const DIFFERENCES_MAX: usize = 1000;

/// What is not as it must be: the first [`DIFFERENCES_MAX`], each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differences<D> {
    /// They.
    pub listed: Vec<D>,
    /// How many there were beyond those.
    pub more: u64,
}

impl<D> Default for Differences<D> {
    fn default() -> Self {
        Self { listed: Vec::new(), more: 0 }
    }
}

impl<D: PartialEq> Differences<D> {
    /// Is everything as it must be?
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.listed.is_empty()
    }

    /// Notes one.
    pub fn add(&mut self, difference: D) {
        if self.listed.contains(&difference) {
            return;
        }
        if self.listed.len() < DIFFERENCES_MAX {
            self.listed.push(difference);
        } else {
            self.more += 1;
        }
    }
}

impl<D: fmt::Display> Differences<D> {
    /// The same in words.
    #[must_use]
    pub fn in_words(&self) -> Differences<String> {
        let listed = self.listed.iter().map(ToString::to_string).collect();
        Differences { listed, more: self.more }
    }
}

/// What an audit came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    /// Transactions of the log that it was shown.
    pub transactions: u64,
    /// How many of what it has seen: `("accounts", 12)`.
    pub counts: Vec<(&'static str, u64)>,
    /// What is not as it must be.
    pub differences: Differences<String>,
}

/// An audit under way.
pub trait Audit: fmt::Debug {
    /// Goes on with the transactions of a batch.
    fn batch(&mut self, batch: &Batch);

    /// Ends: compares what was derived with the state that there is.
    ///
    /// # Errors
    /// [`Abort`]: the state cannot be read.
    fn finish(self: Box<Self>, state: &View) -> Result<Findings, Abort>;
}

/// An audit that has begun with a state.
type Begun = Result<Box<dyn Audit>, Abort>;

/// How the audit of a primitive begins.
#[derive(Clone, Copy, Debug)]
pub struct AuditEntry {
    /// The primitive.
    pub name: &'static str,
    /// Before the first transaction.
    pub from_nothing: fn(Namespace) -> Box<dyn Audit>,
    /// With a state, whose rows are checked against one another.
    pub from_state: fn(&View) -> Begun,
}
