//! A consumer: receives some messages and does what they ask for, one after the other.
//!
//! What a message asks for is one more message elsewhere, appended in the transaction that
//! acknowledges. Now and then the consumer hangs for longer than messages stay out of sight, or
//! dies with what it has in its hands and comes back with nothing.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{ACK, ACK_AFTER_A_PAUSE, ACK_AT_ONCE, Common, DONE, JOBS, NACK, QUEUE, RECEIVE, WORK};
use crate::{
    random::Random,
    request::{Answer, Request, operation},
    scenario::Lane,
};

/// Rest when there is nothing to receive.
const REST: Duration = Duration::from_millis(50);

/// The most messages that it takes at once.
const RECEIVES_MAX: u64 = 10;

/// Messages that stay out of sight so often in a row without one being received are none.
const IDLE_VISIBILITIES: u32 = 4;

#[derive(Clone, Debug)]
struct Message {
    receipt: String,
    number: u64,
    is_poison: bool,
}

#[derive(Clone, Copy, Debug)]
enum Asked {
    Messages,
    /// What a message asks for.
    Done,
    Other,
}

/// One consumer.
pub(super) struct Consumer {
    number: u64,
    common: Common,
    random: Random,
    hands: VecDeque<Message>,
    asked: Option<Asked>,
    requests: u64,
    rests: Duration,
    /// When it last received something.
    received: Instant,
}

impl Consumer {
    pub(super) fn new(number: u64, common: Common, random: Random) -> Self {
        let (hands, asked, requests) = (VecDeque::new(), None, 0);
        let (rests, received) = (Duration::ZERO, Instant::now());
        Self { number, common, random, hands, asked, requests, rests, received }
    }

    fn write(&mut self, label: &'static str, operations: Vec<Value>) -> Request {
        self.requests += 1;
        let rests = std::mem::take(&mut self.rests);
        Request::write(format!("c{}-{}", self.number, self.requests), label, operations)
            .held_back(rests)
    }

    fn hear(&mut self, asked: Asked, answer: &Answer) {
        match asked {
            Asked::Messages => {
                let result = answer.results().into_iter().next().unwrap_or_default();
                let messages = result["messages"].as_array().into_iter().flatten();
                self.hands = messages.filter_map(message).collect();
                if self.common.unprotected {
                    // It looks before it acknowledges, as far as looking helps.
                    self.hands.retain(|message| !message.is_poison);
                }
                if self.hands.is_empty() {
                    self.rests = REST;
                } else {
                    self.received = Instant::now();
                }
            }
            Asked::Done if answer.is_done() => self.common.progress.done(),
            Asked::Done | Asked::Other => {}
        }
    }

    fn choose(&mut self) -> Option<(Asked, Request)> {
        let is_new = matches!(self.asked, Some(Asked::Messages));
        if self.common.unprotected && is_new && !self.hands.is_empty() {
            let receipts: Vec<&str> = self.hands.iter().map(|message| &*message.receipt).collect();
            let operations = vec![settle("queues.ack", &receipts)];
            return Some((Asked::Other, self.write(ACK_AT_ONCE, operations)));
        }
        if !self.hands.is_empty() && self.random.percent(self.common.faults_percent) {
            if self.random.percent(50) {
                self.hands.clear();
                self.rests = self.common.visibility / 4;
            } else {
                self.rests = self.common.visibility * (11 + self.below(10)) / 10;
            }
        }
        match self.hands.pop_front() {
            Some(message) => Some(self.deal_with(&message)),
            None if self.is_over() => None,
            None => {
                let limit = 1 + self.random.below(RECEIVES_MAX);
                let args = json!({ "topic": JOBS, "queue": QUEUE, "limit": limit });
                let request = self.write(RECEIVE, vec![operation("queues.receive", args)]);
                Some((Asked::Messages, request))
            }
        }
    }

    fn below(&mut self, bound: u64) -> u32 {
        u32::try_from(self.random.below(bound)).expect("a few")
    }

    fn is_over(&self) -> bool {
        let idle = self.received.elapsed() > self.common.visibility * IDLE_VISIBILITIES;
        self.common.progress.is_done() || idle
    }

    fn deal_with(&mut self, message: &Message) -> (Asked, Request) {
        let receipts = [&*message.receipt];
        let effect = json!({ "topic": DONE, "type": "done", "data": { "number": message.number } });
        let effect = operation("topics.append", effect);
        if self.common.unprotected {
            return (Asked::Done, self.write(WORK, vec![effect]));
        }
        if message.is_poison {
            return (Asked::Other, self.write(NACK, vec![settle("queues.nack", &receipts)]));
        }
        let label = if self.rests.is_zero() { ACK } else { ACK_AFTER_A_PAUSE };
        (Asked::Done, self.write(label, vec![settle("queues.ack", &receipts), effect]))
    }
}

fn settle(op: &str, receipts: &[&str]) -> Value {
    operation(op, json!({ "topic": JOBS, "queue": QUEUE, "receipts": receipts }))
}

fn message(message: &Value) -> Option<Message> {
    Some(Message {
        receipt: message["receipt"].as_str()?.to_owned(),
        number: message["data"]["number"].as_u64()?,
        is_poison: message["data"]["poison"].as_bool()?,
    })
}

impl Lane for Consumer {
    fn next(&mut self, last: Option<&Answer>) -> Option<Request> {
        if let Some((asked, answer)) = self.asked.zip(last) {
            self.hear(asked, answer);
        }
        let Some((asked, request)) = self.choose() else {
            self.common.progress.left();
            return None;
        };
        self.asked = Some(asked);
        Some(request)
    }
}
