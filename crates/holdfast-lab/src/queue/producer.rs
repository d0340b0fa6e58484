//! A producer: appends its messages in batches. Some of them no consumer can deal with.

use serde_json::{Value, json};

use super::{APPEND, JOBS, is_poison};
use crate::{
    random::Random,
    request::{Answer, Request, operation},
    scenario::Lane,
};

/// The most messages in a batch.
const BATCH_MAX: u64 = 10;

/// One producer.
pub(super) struct Producer {
    pub(super) number: u64,
    pub(super) next: u64,
    pub(super) until: u64,
    pub(super) poison_percent: u64,
    pub(super) random: Random,
}

impl Lane for Producer {
    fn next(&mut self, _last: Option<&Answer>) -> Option<Request> {
        if self.next == self.until {
            return None;
        }
        let first = self.next;
        self.next = self.until.min(first + 1 + self.random.below(BATCH_MAX));
        let message = |number: u64| {
            let poison = is_poison(number, self.poison_percent);
            json!({ "id": format!("m{number}"), "type": "job", "data": { "number": number, "poison": poison } })
        };
        let messages: Vec<Value> = (first..self.next).map(message).collect();
        let args = json!({ "topic": JOBS, "messages": messages });
        let key = format!("p{}-{first}", self.number);
        Some(Request::write(key, APPEND, vec![operation("topics.append_batch", args)]))
    }
}
