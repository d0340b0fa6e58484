//! What a scenario is.

use anyhow::Result;
use serde_json::Value;

use crate::{
    history::{History, Record},
    request::{Answer, Request},
};

/// A workload and its judge.
pub trait Scenario {
    /// What people call it.
    fn name(&self) -> &str;

    /// What must be there before it begins; asked one after the other.
    fn prepare(&self) -> Vec<Request>;

    /// So many lanes, which together ask everything. Lanes run beside each other.
    fn lanes(&self, count: usize) -> Vec<Box<dyn Lane>>;

    /// About how many writes all lanes ask: kills and the progress bar go by it.
    fn expected(&self) -> u64;

    /// Compares what was answered, and what the state is at the end, with what a model
    /// says; returns what is to be told besides the verdict.
    ///
    /// # Errors
    /// What is wrong.
    fn judge(&self, history: &History, look: &mut dyn Look) -> Result<Counts, Wrong>;
}

/// Counts to tell, in order.
pub type Counts = Vec<(String, i64)>;

/// Why the verdict is fail: one sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Wrong(pub String);

impl Wrong {
    /// The verdict is fail, because of this.
    ///
    /// # Errors
    /// Always.
    pub fn because<T>(what: impl Into<String>) -> Result<T, Self> {
        Err(Self(what.into()))
    }
}

/// Requests that depend on one another: the next is asked when the last was answered.
pub trait Lane: Send {
    /// What is asked next, given how the last was answered; `None` at the end.
    fn next(&mut self, last: Option<&Answer>) -> Option<Request>;
}

/// Looking at the state after the run.
pub trait Look {
    /// The results of these operations, which only read. Many are asked in pieces.
    ///
    /// # Errors
    /// When the server does not answer.
    fn look(&mut self, operations: Vec<Value>) -> Result<Vec<Value>>;
}

/// The label and key of a record, for messages.
#[must_use]
pub fn shown(record: &Record) -> String {
    format!("{} {} at version {}", record.label, record.key, record.answer.version)
}
