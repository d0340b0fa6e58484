//! Deadlocks: workers that take several leases each, in whatever order they like.
//!
//! They wait for one another (`wait_for`), and would sooner or later do so in a circle. Who would
//! close one is turned away with the circle named, gives back what it has and begins anew. Judged
//! by a wait-for graph of the lab's own ([`deadlocks`]): no circle lasts beyond two seconds, and
//! whoever was turned away was on the one that it was told.
//!
//! Without protection ([`Deadlock::unprotected`]) workers do not wait in the leases' queues but
//! ask again and again, and give up when their patience is over: what programs do with locks that
//! can only be tried. The server cannot know who waits for whom, and circles must last, or the
//! experiment shows nothing.

mod worker;

use std::time::Duration;

use serde_json::Value;

use self::worker::{Common, Worker};
use crate::{
    check::deadlocks::{self, Event, Step},
    history::{History, Record},
    random::Random,
    request::Request,
    scenario::{Counts, Lane, Look, Scenario, Turns, Wrong, count_of},
};

const ASK: &str = "ask";
const RELEASE: &str = "release";
const GIVE_UP: &str = "give up";

/// How long a circle may last.
const BOUND: Duration = Duration::from_secs(2);

/// Workers and the leases that they want.
#[derive(Clone, Copy, Debug)]
pub struct Deadlock {
    /// How many workers.
    pub workers: u64,
    /// How many leases there are.
    pub leases: u64,
    /// How often each worker sets out.
    pub rounds: u64,
    /// How long it waits before it gives up; after three times it stays away.
    pub patience: Duration,
    /// Decides who wants what.
    pub seed: u64,
    /// Do not wait in the queue: try again.
    pub unprotected: bool,
}

impl Scenario for Deadlock {
    fn name(&self) -> &str {
        if self.unprotected { "deadlock, without protection" } else { "deadlock" }
    }

    fn prepare(&self) -> Vec<Request> {
        Vec::new()
    }

    /// One for each worker.
    fn lanes(&self, _count: usize) -> Vec<Box<dyn Lane>> {
        let Self { leases, rounds, patience, unprotected, .. } = *self;
        let common = Common { leases, rounds, patience, unprotected };
        let lane = |number: u64| -> Box<dyn Lane> {
            Box::new(Turns::of(Worker::new(
                number,
                common,
                Random::new(self.seed ^ ((number + 1) << 32)),
            )))
        };
        (0..self.workers).map(lane).collect()
    }

    fn expected(&self) -> u64 {
        // To ask for three leases, sometimes again, and to give them back.
        self.workers * self.rounds * 8
    }

    fn judge(&self, history: &History, _look: &mut dyn Look) -> Result<Counts, Wrong> {
        let steps: Vec<Step> = history.records().iter().flat_map(steps).collect();
        let found = deadlocks::check(&steps, BOUND).map_err(Wrong::of)?;
        let count =
            |is: fn(&Event) -> bool| count_of(steps.iter().filter(|step| is(&step.event)).count());
        if found.victims == 0 {
            return Wrong::because(
                "nobody would have closed a circle: nothing was put to the test",
            );
        }
        Ok(vec![
            ("workers".to_owned(), count_of(self.workers)),
            ("leases granted".to_owned(), count(|event| matches!(event, Event::Holds(_)))),
            (
                "times somebody waited or looked".to_owned(),
                count(|event| matches!(event, Event::Queues(_))),
            ),
            ("turned away, all on a circle".to_owned(), count_of(found.victims)),
            ("workers on the longest circle".to_owned(), count_of(found.longest_circle)),
            ("longest until told, in ms".to_owned(), count_of(found.longest.as_millis())),
        ])
    }
}

/// What a request and its answer mean for who waits for whom.
fn steps(record: &Record) -> Vec<Step> {
    let worker = record.key.split('-').next().unwrap_or_default();
    let step = |event| {
        let (sent, answered, repeated) = (record.sent, record.answered, record.tries > 1);
        Step { worker: worker.to_owned(), sent, answered, repeated, event }
    };
    let operations = record.operations();
    let lease = |operation: &Value| operation["args"]["id"].as_str().unwrap_or_default().to_owned();
    let mut steps = Vec::new();
    if record.label == ASK {
        steps.push(step(asked(record, lease(&operations[0]))));
        return steps;
    }
    if record.label == GIVE_UP {
        steps.push(step(Event::GivesUp));
    }
    let released = operations.iter().filter(|operation| operation["op"] == "leases.release");
    if record.answer.is_done() {
        steps.extend(released.map(|operation| step(Event::Frees(lease(operation)))));
    }
    steps
}

fn asked(record: &Record, lease: String) -> Event {
    match record.answer.refused.as_deref() {
        None if record.answer.results()[0]["token"].is_u64() => Event::Holds(lease),
        None => Event::Queues(lease),
        Some("lease_deadlock") => {
            let facts = record.answer.json()["facts"]["circle"].take();
            let text =
                |wait: &Value, field: &str| wait[field].as_str().unwrap_or_default().to_owned();
            let waits = facts.as_array().map(Vec::as_slice).unwrap_or_default();
            let circle =
                waits.iter().map(|wait| (text(wait, "owner"), text(wait, "lease"))).collect();
            Event::Victim { lease, circle }
        }
        Some(_) => Event::Tries(lease),
    }
}
