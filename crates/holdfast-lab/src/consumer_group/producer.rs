//! A producer: appends batches of messages whose keys spread them over all partitions.

use serde_json::{Value, json};

use super::{APPEND, EVENTS};
use crate::{
    random::Random,
    request::{Answer, Request, operation},
    scenario::Lane,
};

/// The most messages in a batch.
const BATCH_MAX: u64 = 10;

/// How many keys there are.
const KEYS: u64 = 100;

/// One producer.
pub(super) struct Producer {
    pub(super) number: u64,
    pub(super) next: u64,
    pub(super) until: u64,
    pub(super) random: Random,
}

impl Lane for Producer {
    fn next(&mut self, _last: Option<&Answer>) -> Option<Request> {
        if self.next == self.until {
            return None;
        }
        let first = self.next;
        self.next = self.until.min(first + 1 + self.random.below(BATCH_MAX));
        let mut messages = Vec::new();
        for number in first..self.next {
            let key = format!("k{}", self.random.below(KEYS));
            messages.push(json!({ "id": format!("m{number}"), "type": "event", "key": key }));
        }
        let args = json!({ "topic": EVENTS, "messages": Value::Array(messages) });
        let key = format!("p{}-{first}", self.number);
        Some(Request::write(key, APPEND, vec![operation("topics.append_batch", args)]))
    }
}
