//! A consumer group: each partition of a topic is read by one member at a time, and what was
//! dealt with was dealt with once.
//!
//! Members read pages, and commit how far they are in the transaction that does the work. They
//! hang between reading and committing for longer than their membership lasts, die, and leave; each
//! time the partitions are shared out anew, in a new generation. Who comes back is refused: its
//! commit names a generation that is over. Judged by what the topic holds, what was polled, and
//! the work in the order of versions ([`consumption`]).
//!
//! Without protection ([`ConsumerGroup::unprotected`]) members keep their places in documents of
//! their own and name no generation, as consumers do that store offsets beside their results.
//! Those who come back must deal with things again and set places back, or the experiment shows
//! nothing.

mod member;
mod producer;
mod progress;

use std::{sync::Arc, time::Duration};

use holdfast_state::Version;
use serde_json::{Value, json};

use self::{member::Member, producer::Producer, progress::Progress};
use crate::{
    check::{
        consumption::{self, Message, Poll, Work},
        zombies::{self, Attempt, Token, Zombies},
    },
    history::{History, Record},
    random::Random,
    request::{Request, operation},
    scenario::{Counts, Lane, Look, Scenario, Turns, Wrong, count_of, pages},
};

const EVENTS: &str = "events";
const GROUP: &str = "group";
const DONE: &str = "done";

/// Where members without protection keep their places.
const OFFSETS: &str = "offsets";

const APPEND: &str = "append";
const JOIN: &str = "join";
const LEAVE: &str = "leave";
const POLL: &str = "poll";
const COMMIT: &str = "commits";
const COMMIT_AFTER_A_PAUSE: &str = "commits after a pause";

const PRODUCERS: u64 = 4;

/// The most messages in a page.
const PAGE: usize = 20;

/// A topic, and a group that reads it.
#[derive(Clone, Copy, Debug)]
pub struct ConsumerGroup {
    /// How many messages are appended.
    pub messages: u64,
    /// How many partitions the topic has.
    pub partitions: u64,
    /// How many members the group has.
    pub members: u64,
    /// How long a membership lasts.
    pub ttl: Duration,
    /// Of a hundred pages, behind how many something befalls the member.
    pub faults_percent: u64,
    /// Decides what befalls whom.
    pub seed: u64,
    /// Places are kept without generations.
    pub unprotected: bool,
}

/// What members have in common.
#[derive(Clone, Debug)]
struct Common {
    ttl: Duration,
    faults_percent: u64,
    unprotected: bool,
    progress: Arc<Progress>,
}

impl Scenario for ConsumerGroup {
    fn name(&self) -> &str {
        if self.unprotected { "consumer-group, without protection" } else { "consumer-group" }
    }

    fn prepare(&self) -> Vec<Request> {
        let operations = vec![
            operation("topics.create", json!({ "id": EVENTS, "partitions": self.partitions })),
            operation("topics.create", json!({ "id": DONE })),
        ];
        let mut requests = vec![Request::write("prepare".to_owned(), "prepare", operations)];
        let places = (0..self.partitions).map(|partition| {
            let value = json!({ "offset": 0 });
            let place =
                json!({ "collection": OFFSETS, "id": format!("p{partition}"), "value": value });
            operation("documents.put", place)
        });
        requests.push(Request::write("places".to_owned(), "prepare", places.collect()));
        requests
    }

    /// Producers and members.
    fn lanes(&self, _count: usize) -> Vec<Box<dyn Lane>> {
        let common = Common {
            ttl: self.ttl,
            faults_percent: self.faults_percent,
            unprotected: self.unprotected,
            progress: Arc::new(Progress::new(self.messages, self.partitions)),
        };
        let random = |lane: u64| Random::new(self.seed ^ ((lane + 1) << 32));
        let mut lanes: Vec<Box<dyn Lane>> = Vec::new();
        for number in 0..PRODUCERS {
            let share = |number: u64| self.messages * number / PRODUCERS;
            let (next, until, random) = (share(number), share(number + 1), random(number));
            lanes.push(Box::new(Producer { number, next, until, random }));
        }
        for number in 0..self.members {
            let random = random(PRODUCERS + number);
            lanes.push(Box::new(Turns::of(Member::new(number, common.clone(), random))));
        }
        lanes
    }

    fn expected(&self) -> u64 {
        // Appended in batches; polled and committed in pages that are seldom full.
        self.messages
    }

    fn judge(&self, history: &History, look: &mut dyn Look) -> Result<Counts, Wrong> {
        let topic = topic(look, self.partitions)?;
        let done = |label| {
            let records = history.records().iter();
            records.filter(move |record| record.label == label && record.answer.is_done())
        };
        let acknowledged: Vec<String> = done(APPEND).flat_map(appended).collect();
        let polls: Vec<Poll> = done(POLL).map(poll).collect();
        let found = consumption::check(&topic, &acknowledged, &polls, &worked(look)?);
        let found = found.map_err(Wrong::of)?;
        let zombies = zombies::check(attempts(history)).and_then(Zombies::proven);
        let zombies = zombies.map_err(Wrong::of)?;
        if found.worked != self.messages {
            let worked = found.worked;
            return Wrong::because(format!(
                "{worked} of {} messages were dealt with",
                self.messages
            ));
        }
        let generations =
            done(JOIN).filter_map(|record| generation_of(&record.answer.results()[0]));
        Ok(vec![
            ("messages appended".to_owned(), count_of(found.messages)),
            ("polled by somebody".to_owned(), count_of(found.polled)),
            ("dealt with, each once".to_owned(), count_of(found.worked)),
            ("polls".to_owned(), count_of(polls.len())),
            ("generations".to_owned(), count_of(generations.max().unwrap_or(0))),
            ("left".to_owned(), count_of(done(LEAVE).count())),
            (
                "commits after a pause, accepted".to_owned(),
                count_of(done(COMMIT_AFTER_A_PAUSE).count()),
            ),
            ("late commits, all refused".to_owned(), count_of(zombies.attempted)),
        ])
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn generation_of(value: &Value) -> Option<u64> {
    value["generation"].as_u64()
}

/// What the topic holds, partition by partition.
fn topic(look: &mut dyn Look, partitions: u64) -> Result<Vec<Vec<Message>>, Wrong> {
    let partition = |partition| Ok(pages(look, EVENTS, partition)?.iter().map(message).collect());
    (0..partitions).map(partition).collect()
}

fn message(message: &Value) -> Message {
    Message {
        offset: message["offset"].as_u64().unwrap_or_default(),
        id: text(&message["id"]),
        version: Version::new(message["version"].as_u64().unwrap_or_default()),
    }
}

/// The ids that a batch appended.
fn appended(record: &Record) -> Vec<String> {
    let messages = record.operations()[0]["args"]["messages"].take();
    messages.as_array().into_iter().flatten().map(|message| text(&message["id"])).collect()
}

fn poll(record: &Record) -> Poll {
    let args = record.operations()[0]["args"].take();
    let number = |field: &str| args[field].as_u64().expect("polls say what they are of");
    let page = record.answer.results().into_iter().next().unwrap_or_default();
    Poll {
        version: Version::new(record.answer.version),
        partition: usize::try_from(number("partition")).expect("partitions are few"),
        after: number("after"),
        limit: PAGE,
        messages: page["messages"].as_array().into_iter().flatten().map(message).collect(),
    }
}

/// What was dealt with, in the order in which it was.
fn worked(look: &mut dyn Look) -> Result<Vec<Work>, Wrong> {
    let work = |message: &Value| {
        let data = &message["data"];
        Some(Work {
            version: Version::new(message["version"].as_u64()?),
            generation: generation_of(data)?,
            partition: usize::try_from(data["partition"].as_u64()?).ok()?,
            after: data["after"].as_u64()?,
            to: data["to"].as_u64()?,
        })
    };
    let work: Option<Vec<Work>> = pages(look, DONE, 0)?.iter().map(work).collect();
    work.ok_or_else(|| Wrong("something was done that is no work".to_owned()))
}

/// Commits of a generation when there was a newer one.
fn attempts(history: &History) -> Vec<Attempt> {
    let mut newest = 0;
    let mut attempts = Vec::new();
    for record in history.records() {
        match record.label {
            JOIN => {
                let joined = record.answer.results().first().and_then(generation_of);
                newest = joined.unwrap_or(0).max(newest);
            }
            COMMIT | COMMIT_AFTER_A_PAUSE => {
                let operations = record.operations();
                let generation = generation_of(&operations[1]["args"]["data"]).unwrap_or_default();
                if generation < newest {
                    attempts.push(Attempt {
                        what: format!("a commit at version {}", record.answer.version),
                        token: Token::Generation(generation),
                        newest: Token::Generation(newest),
                        accepted: record.answer.is_done(),
                    });
                }
            }
            _ => {}
        }
    }
    attempts
}
