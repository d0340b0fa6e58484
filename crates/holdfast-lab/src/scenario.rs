//! What a scenario is.

use std::fmt::Display;

use anyhow::Result;
use serde_json::{Value, json};

use crate::{
    history::{History, Record},
    request::{Answer, Request, operation},
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
    /// The verdict is fail, because a check found this.
    #[must_use]
    pub fn of(violation: impl Display) -> Self {
        Self(violation.to_string())
    }

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

/// Somebody who makes something of each answer before it chooses what to ask next: a lane by way
/// of [`Turns`].
pub(crate) trait Asker: Send {
    /// What it has to know of a request when its answer comes.
    type Asked: Send;

    /// What it asks next; `None` at the end.
    fn choose(&mut self) -> Option<(Self::Asked, Request)>;

    /// It hears what came of it.
    fn hear(&mut self, asked: Self::Asked, answer: &Answer);
}

/// An [`Asker`] as a lane: what was asked is remembered until it is answered.
pub(crate) struct Turns<A: Asker> {
    asker: A,
    asked: Option<A::Asked>,
}

impl<A: Asker> Turns<A> {
    /// Nothing was asked yet.
    pub(crate) const fn of(asker: A) -> Self {
        Self { asker, asked: None }
    }
}

impl<A: Asker> Lane for Turns<A> {
    fn next(&mut self, last: Option<&Answer>) -> Option<Request> {
        if let Some((asked, answer)) = self.asked.take().zip(last) {
            self.asker.hear(asked, answer);
        }
        let (asked, request) = self.asker.choose()?;
        self.asked = Some(asked);
        Some(request)
    }
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

/// A count as it is told.
#[must_use]
pub fn count_of<N: TryInto<i64>>(count: N) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}

/// All messages of a topic's partition, as they stand.
///
/// # Errors
/// [`Wrong`] when the server does not answer.
pub fn pages(look: &mut dyn Look, topic: &str, partition: u64) -> Result<Vec<Value>, Wrong> {
    let mut messages = Vec::new();
    loop {
        let args = json!({
            "topic": topic, "partition": partition, "after": messages.len(), "limit": 1_000
        });
        let looked = look.look(vec![operation("topics.read", args)]);
        let mut page =
            looked.map_err(|error| Wrong(format!("{topic} cannot be read: {error:#}")))?;
        match page.first_mut().map(|page| page["messages"].take()) {
            Some(Value::Array(more)) if !more.is_empty() => messages.extend(more),
            _ => return Ok(messages),
        }
    }
}
