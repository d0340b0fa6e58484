//! What was answered, in version order, and what must hold of it whatever was asked.
//!
//! A version is a transaction's place in the one order, so the order of the answers
//! is known and needs no search: it is enough to check that it respects real time.

use std::time::Duration;

use bytes::Bytes;
use holdfast_state::Version;
use serde_json::Value;

use crate::{
    check::{
        Place,
        real_time::{self, Span},
    },
    request::Answer,
    scenario::Wrong,
};

/// A write and its answer.
#[derive(Clone, Debug)]
pub struct Record {
    /// The idempotency key.
    pub key: String,
    /// What sort of request it is.
    pub label: &'static str,
    /// What was asked.
    pub request: Bytes,
    /// When it was sent first, since the run began.
    pub sent: Duration,
    /// When its answer came.
    pub answered: Duration,
    /// How often it was sent.
    pub tries: u32,
    /// The answer.
    pub answer: Answer,
}

impl Record {
    /// The operations that were asked for.
    ///
    /// # Panics
    /// When the request is no JSON: nobody sends such.
    #[must_use]
    pub fn operations(&self) -> Vec<Value> {
        let mut request: Value =
            serde_json::from_slice(&self.request).expect("what was sent is JSON");
        match request["operations"].take() {
            Value::Array(operations) => operations,
            _ => Vec::new(),
        }
    }
}

/// All writes and their answers, by version.
#[derive(Debug)]
pub struct History {
    records: Vec<Record>,
}

impl History {
    /// What these records say, in version order.
    ///
    /// # Errors
    /// [`Wrong`] when two writes have one version, or when a write has a lower version than
    /// another that was answered before it was sent.
    pub fn of(mut records: Vec<Record>) -> Result<Self, Wrong> {
        let mut spans: Vec<Span<'_>> = records.iter().map(span).collect();
        real_time::check(&mut spans).map_err(|violation| Wrong(violation.to_string()))?;
        records.sort_by_key(|record| record.answer.version);
        Ok(Self { records })
    }

    /// The writes, by version.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }
}

fn span(record: &Record) -> Span<'_> {
    let place = Place::Is(Version::new(record.answer.version));
    Span { name: &record.key, place, sent: record.sent, answered: Some(record.answered) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(version: u64, sent: u64, answered: u64) -> Record {
        Record {
            key: format!("k-{version}"),
            label: "test",
            request: Bytes::new(),
            sent: Duration::from_millis(sent),
            answered: Duration::from_millis(answered),
            tries: 1,
            answer: Answer { version, replayed: false, refused: None, body: Bytes::new() },
        }
    }

    #[test]
    fn versions_respect_real_time() {
        let overlapping = vec![record(2, 0, 30), record(1, 10, 20), record(3, 25, 40)];
        let versions = History::of(overlapping).unwrap();
        let versions: Vec<_> = versions.records.iter().map(|found| found.answer.version).collect();
        assert_eq!(versions, [1, 2, 3]);
        // The write of version 1 began after that of version 2 was answered.
        let stale = History::of(vec![record(2, 0, 5), record(1, 10, 20)]).unwrap_err();
        assert!(stale.0.contains("came before"), "{stale}");
        // Also when a write that overlaps both lies between.
        let hidden = vec![record(1, 100, 200), record(2, 0, 300), record(3, 10, 50)];
        assert!(History::of(hidden).is_err());
    }

    #[test]
    fn a_version_is_one_writes_own() {
        let twice = History::of(vec![record(1, 0, 5), record(1, 0, 5)]).unwrap_err();
        assert!(twice.0.contains("one version"), "{twice}");
    }
}
