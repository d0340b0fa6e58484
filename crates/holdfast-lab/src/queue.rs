//! A queue: every message is done once or is a dead letter, whatever befalls consumers.
//!
//! Producers append; consumers receive, do what a message asks for in the transaction that
//! acknowledges it, hang beyond its visibility, and die. Some messages nobody can deal with:
//! they become dead letters, and two operators mend half of them and put them back. In the end
//! what is done, waits, is out, and is dead is what was appended; what was done was done once; and
//! no receipt was taken that was not the message's last.
//!
//! Without protection ([`Queue::unprotected`]) consumers acknowledge what they receive at once and
//! work then, as with queues that hand messages over and forget them. Who dies in between takes
//! messages along, or the experiment shows nothing.

mod consumer;
mod operator;
mod producer;
mod progress;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use holdfast_state::Version;
use serde_json::{Value, json};

use self::{consumer::Consumer, operator::Operator, producer::Producer, progress::Progress};
use crate::{
    check::deliveries::{self, End, Event, Step},
    history::{History, Record},
    random::Random,
    request::{Request, operation},
    scenario::{Counts, Lane, Look, Scenario, Wrong, count_of, pages},
};

const JOBS: &str = "jobs";
const QUEUE: &str = "work";
const DONE: &str = "done";

const APPEND: &str = "append";
const RECEIVE: &str = "receive";
const ACK: &str = "acks";
const ACK_AFTER_A_PAUSE: &str = "acks after a pause";
const ACK_AT_ONCE: &str = "acks at once";
const NACK: &str = "given back";
const REDRIVE: &str = "put back";
const WORK: &str = "work";

const PRODUCERS: u64 = 4;
const OPERATORS: u64 = 2;

/// How often a message is given out.
const DELIVERIES_MAX: u32 = 3;

/// A queue and those around it.
#[derive(Clone, Copy, Debug)]
pub struct Queue {
    /// How many messages are appended.
    pub messages: u64,
    /// How many consumers there are.
    pub consumers: u64,
    /// How long a message stays out of sight.
    pub visibility: Duration,
    /// Of a hundred messages, with how many nobody can deal.
    pub poison_percent: u64,
    /// Of a hundred times that a consumer has something in its hands, how often something
    /// befalls it.
    pub faults_percent: u64,
    /// Decides what befalls whom.
    pub seed: u64,
    /// Acknowledge first.
    pub unprotected: bool,
}

/// What consumers and operators have in common.
#[derive(Clone, Debug)]
struct Common {
    visibility: Duration,
    faults_percent: u64,
    unprotected: bool,
    progress: Arc<Progress>,
}

/// Can nobody deal with it?
const fn is_poison(number: u64, percent: u64) -> bool {
    // Spread over all numbers, even and odd.
    number.wrapping_mul(7_919) % 100 < percent
}

/// Of those that nobody can deal with, every other one is left for dead.
const fn is_left(number: u64) -> bool {
    number.is_multiple_of(2)
}

impl Scenario for Queue {
    fn name(&self) -> &str {
        if self.unprotected { "queue, without protection" } else { "queue" }
    }

    fn prepare(&self) -> Vec<Request> {
        let visibility = format!("PT{}S", self.visibility.as_secs_f64());
        let queue = json!({
            "topic": JOBS, "id": QUEUE, "visibility": visibility, "max_deliveries": DELIVERIES_MAX
        });
        let operations = vec![
            operation("topics.create", json!({ "id": JOBS })),
            operation("topics.create", json!({ "id": DONE })),
            operation("queues.create", queue),
        ];
        vec![Request::write("prepare".to_owned(), "prepare", operations)]
    }

    /// Producers, consumers, and operators.
    fn lanes(&self, _count: usize) -> Vec<Box<dyn Lane>> {
        let can_be_done =
            |number: &u64| !(is_poison(*number, self.poison_percent) && is_left(*number));
        let expected = (0..self.messages).filter(can_be_done).count() as u64;
        let common = Common {
            visibility: self.visibility,
            faults_percent: self.faults_percent,
            unprotected: self.unprotected,
            progress: Arc::new(Progress::new(expected, self.consumers)),
        };
        let random = |lane: u64| Random::new(self.seed ^ ((lane + 1) << 32));
        let mut lanes: Vec<Box<dyn Lane>> = Vec::new();
        for number in 0..PRODUCERS {
            let share = |number: u64| self.messages * number / PRODUCERS;
            let (next, until) = (share(number), share(number + 1));
            let (poison_percent, random) = (self.poison_percent, random(number));
            lanes.push(Box::new(Producer { number, next, until, poison_percent, random }));
        }
        for number in 0..self.consumers {
            let random = random(PRODUCERS + number);
            lanes.push(Box::new(Consumer::new(number, common.clone(), random)));
        }
        for number in 0..OPERATORS {
            lanes.push(Box::new(Operator::new(number, common.clone())));
        }
        lanes
    }

    fn expected(&self) -> u64 {
        // Appended, received and acknowledged.
        self.messages * 3 / 2
    }

    fn judge(&self, history: &History, look: &mut dyn Look) -> Result<Counts, Wrong> {
        let steps = steps(history);
        let end = end(look)?;
        let found = deliveries::check(&steps, &end, DELIVERIES_MAX).map_err(Wrong::of)?;
        let of = |label: &str| {
            count_of(history.records().iter().filter(|record| record.label == label).count())
        };
        let refused = history.records().iter().filter(|record| record.label == REDRIVE);
        let refused = refused.filter(|record| !record.answer.is_done()).count();
        let counts = vec![
            ("messages".to_owned(), count_of(end.messages.len())),
            ("given out".to_owned(), count_of(found.received)),
            ("given out again".to_owned(), count_of(found.again)),
            (ACK.to_owned(), of(ACK)),
            (ACK_AFTER_A_PAUSE.to_owned(), of(ACK_AFTER_A_PAUSE)),
            ("stale receipts, all refused".to_owned(), count_of(found.stale)),
            (NACK.to_owned(), of(NACK)),
            ("put back from the dead".to_owned(), count_of(found.redriven)),
            ("and refused to put back again".to_owned(), count_of(refused)),
            ("done, each once".to_owned(), count_of(end.effects.len())),
            ("dead letters".to_owned(), count_of(end.dead.len())),
            ("waiting or out".to_owned(), count_of(end.waiting + end.out)),
        ];
        let missing = counts[..counts.len() - 1].iter().find(|(_, count)| *count == 0);
        match missing {
            Some((what, _)) => Wrong::because(format!("{what}: none; nothing was put to the test")),
            None => Ok(counts),
        }
    }
}

/// What happened to messages, in the order of versions.
fn steps(history: &History) -> Vec<Step> {
    let mut offsets: BTreeMap<String, u64> = BTreeMap::new();
    let mut steps = Vec::new();
    for record in history.records() {
        let mut add = |message, event| {
            let (version, time_us) = (Version::new(record.answer.version), time_us(record));
            steps.push(Step { version, time_us, message, event });
        };
        match record.label {
            RECEIVE => {
                for (message, receipt, event) in received(record) {
                    offsets.insert(receipt, message);
                    add(message, event);
                }
            }
            ACK | ACK_AFTER_A_PAUSE | ACK_AT_ONCE | NACK => {
                for receipt in receipts(record) {
                    let message = *offsets.get(&receipt).expect("nobody makes receipts up");
                    add(
                        message,
                        match (record.answer.is_done(), record.label) {
                            (false, _) => Event::Refused(receipt),
                            (true, NACK) => Event::Returned(receipt),
                            (true, _) => Event::Acked(receipt),
                        },
                    );
                }
            }
            REDRIVE if record.answer.is_done() => {
                let letters = record.operations()[1]["args"]["letters"].take();
                for letter in letters.as_array().into_iter().flatten() {
                    add(offset_of(letter), Event::Redriven);
                }
            }
            _ => {}
        }
    }
    steps
}

/// The messages that a request was given, with their receipts.
fn received(record: &Record) -> Vec<(u64, String, Event)> {
    let result = record.answer.results().into_iter().next().unwrap_or_default();
    let until_us = micros(&result["visible_at"]);
    let message = |message: &Value| {
        let receipt = message["receipt"].as_str()?.to_owned();
        let attempt = u32::try_from(message["attempt"].as_u64()?).ok()?;
        let event = Event::Received { receipt: receipt.clone(), attempt, until_us };
        Some((message["offset"].as_u64()?, receipt, event))
    };
    result["messages"].as_array().into_iter().flatten().filter_map(message).collect()
}

fn receipts(record: &Record) -> Vec<String> {
    let receipts = record.operations()[0]["args"]["receipts"].take();
    let receipts = receipts.as_array().into_iter().flatten();
    receipts.filter_map(|receipt| receipt.as_str().map(str::to_owned)).collect()
}

/// The offset in a letter's name: the topic has one partition.
fn offset_of(letter: &Value) -> u64 {
    let offset = letter.as_str().and_then(|name| name.split('-').nth(1)?.parse().ok());
    offset.expect("letters are named by partition and offset")
}

/// Log time in an answer; zero where there is none.
fn micros(time: &Value) -> u64 {
    let time = time.as_str().and_then(|time| time.parse::<jiff::Timestamp>().ok());
    time.map_or(0, |time| u64::try_from(time.as_microsecond()).unwrap_or(0))
}

fn time_us(record: &Record) -> u64 {
    micros(&record.answer.json()["time"])
}

/// What the server holds when all is over.
fn end(look: &mut dyn Look) -> Result<End, Wrong> {
    let offset = |message: &Value| message["offset"].as_u64();
    let jobs = pages(look, JOBS, 0)?;
    let numbers: BTreeMap<u64, u64> = jobs
        .iter()
        .filter_map(|job| Some((job["data"]["number"].as_u64()?, offset(job)?)))
        .collect();
    if numbers.len() != jobs.len() {
        return Wrong::because("a message was appended twice");
    }
    let done = pages(look, DONE, 0)?;
    let effect = |message: &Value| numbers.get(&message["data"]["number"].as_u64()?).copied();
    let names = json!({ "topic": JOBS, "queue": QUEUE, "limit": 1_000 });
    let looked = look.look(vec![
        operation("queues.dead_letters", names),
        operation("queues.get", json!({ "topic": JOBS, "queue": QUEUE })),
    ]);
    let looked = looked.map_err(|error| Wrong(format!("the queue cannot be seen: {error:#}")))?;
    if looked[0]["next"].is_string() {
        return Wrong::because(
            "there are more dead letters than one look shows: run fewer messages",
        );
    }
    let letters = looked[0]["letters"].as_array().into_iter().flatten();
    Ok(End {
        messages: jobs.iter().filter_map(offset).collect(),
        effects: done.iter().filter_map(effect).collect(),
        dead: letters.filter_map(offset).collect(),
        waiting: looked[1]["waiting"].as_u64().unwrap_or_default(),
        out: looked[1]["out"].as_u64().unwrap_or_default(),
    })
}
