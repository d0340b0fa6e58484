//! A member of the group: reads its partitions, a page after the other, deals with each page and
//! commits how far it is, in one transaction.
//!
//! Now and then it hangs between reading and committing, longer than its membership lasts; dies
//! and comes back under another name; or leaves, so that all partitions are shared out anew.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    COMMIT, COMMIT_AFTER_A_PAUSE, Common, DONE, EVENTS, GROUP, JOIN, LEAVE, OFFSETS, PAGE, POLL,
};
use crate::{
    random::Random,
    request::{Answer, Request, operation},
    scenario::Asker,
};

/// Rest when a partition had nothing new.
const REST: Duration = Duration::from_millis(10);

#[derive(Clone, Copy, Debug)]
pub(super) enum Asked {
    Join,
    /// Where a partition goes on: only of those that keep their places by themselves.
    Place(u64),
    Page(u64),
    Commit {
        partition: u64,
        next: u64,
    },
    Leave,
}

/// One member.
pub(super) struct Member {
    number: u64,
    /// One more whenever it died or left: it comes back under another name.
    life: u64,
    common: Common,
    random: Random,
    generation: u64,
    /// Its partitions, and behind which offset each goes on; `None` until it is known.
    places: BTreeMap<u64, Option<u64>>,
    /// The partition whose turn it is.
    turn: u64,
    join_at: Instant,
    /// A page that is to be dealt with: partition and its last offset.
    page: Option<(u64, u64)>,
    requests: u64,
    rests: Duration,
}

impl Member {
    pub(super) fn new(number: u64, common: Common, random: Random) -> Self {
        Self {
            number,
            life: 0,
            common,
            random,
            generation: 0,
            places: BTreeMap::new(),
            turn: 0,
            join_at: Instant::now(),
            page: None,
            requests: 0,
            rests: Duration::ZERO,
        }
    }

    fn write(&mut self, label: &'static str, operations: Vec<Value>) -> Request {
        self.requests += 1;
        let rests = std::mem::take(&mut self.rests);
        Request::write(format!("c{}-{}", self.number, self.requests), label, operations)
            .held_back(rests)
    }

    fn name(&self) -> String {
        format!("c{}.{}", self.number, self.life)
    }

    fn joined(&mut self, result: &Value) {
        let generation = result["generation"].as_u64().unwrap_or_default();
        if generation == self.generation {
            return;
        }
        self.generation = generation;
        self.page = None;
        let partitions = result["partitions"].as_array().into_iter().flatten();
        let place = |place: &Value| {
            let committed = place["offset"].as_u64().filter(|_| !self.common.unprotected);
            Some((place["partition"].as_u64()?, committed))
        };
        self.places = partitions.filter_map(place).collect();
    }

    fn join(&mut self) -> (Asked, Request) {
        self.join_at = Instant::now() + self.rests + self.common.ttl / 3;
        let ttl = format!("PT{}S", self.common.ttl.as_secs_f64());
        let args = json!({ "topic": EVENTS, "group": GROUP, "member": self.name(), "ttl": ttl });
        (Asked::Join, self.write(JOIN, vec![operation("groups.join", args)]))
    }

    /// The page, and how far that is, as one.
    fn commit(&mut self, label: &'static str, partition: u64, next: u64) -> (Asked, Request) {
        let after = self.places.get(&partition).copied().flatten().unwrap_or(0);
        let (generation, offset) = (self.generation, next);
        let offsets = json!([{ "partition": partition, "offset": offset }]);
        let commit = if self.common.unprotected {
            let value = json!({ "offset": offset });
            let args =
                json!({ "collection": OFFSETS, "id": format!("p{partition}"), "value": value });
            operation("documents.put", args)
        } else {
            let args = json!({
                "topic": EVENTS, "group": GROUP, "member": self.name(), "generation": generation,
                "offsets": offsets,
            });
            operation("groups.commit", args)
        };
        let data = json!({
            "partition": partition, "after": after, "to": next, "generation": generation
        });
        let work =
            operation("topics.append", json!({ "topic": DONE, "type": "done", "data": data }));
        (Asked::Commit { partition, next }, self.write(label, vec![commit, work]))
    }

    fn befall(&mut self, partition: u64, next: u64) -> (Asked, Request) {
        match self.random.below(3) {
            0 => {
                let tenths = u32::try_from(11 + self.random.below(15)).expect("a few");
                self.rests = self.common.ttl * tenths / 10;
                self.commit(COMMIT_AFTER_A_PAUSE, partition, next)
            }
            1 => {
                self.begin_anew();
                self.rests = self.common.ttl / 2;
                self.join()
            }
            _ => {
                let args = json!({ "topic": EVENTS, "group": GROUP, "member": self.name() });
                self.begin_anew();
                (Asked::Leave, self.write(LEAVE, vec![operation("groups.leave", args)]))
            }
        }
    }

    fn begin_anew(&mut self) {
        self.life += 1;
        self.generation = 0;
        self.places.clear();
        self.join_at = Instant::now();
    }
}

impl Asker for Member {
    type Asked = Asked;

    fn choose(&mut self) -> Option<(Asked, Request)> {
        // What was resolved on is done, however long it took.
        if let Some((partition, next)) = self.page.take() {
            if self.random.percent(self.common.faults_percent) {
                return Some(self.befall(partition, next));
            }
            return Some(self.commit(COMMIT, partition, next));
        }
        if self.common.progress.is_over() {
            return None;
        }
        if Instant::now() >= self.join_at {
            return Some(self.join());
        }
        let next = self.places.range(self.turn..).next().or_else(|| self.places.iter().next());
        let Some((&partition, &place)) = next else {
            // There are more members than partitions.
            self.rests = self.common.ttl / 6;
            return Some(self.join());
        };
        let Some(place) = place else {
            let args = json!({ "collection": OFFSETS, "id": format!("p{partition}") });
            let look = vec![operation("documents.get", args)];
            return Some((Asked::Place(partition), Request::look("look where to go on", look)));
        };
        self.turn = partition + 1;
        let args =
            json!({ "topic": EVENTS, "partition": partition, "after": place, "limit": PAGE });
        let request = self.write(POLL, vec![operation("topics.read", args)]);
        Some((Asked::Page(partition), request))
    }

    fn hear(&mut self, asked: Asked, answer: &Answer) {
        let result = answer.results().into_iter().next().unwrap_or_default();
        match asked {
            Asked::Join => self.joined(&result),
            Asked::Place(partition) => {
                let place = result["value"]["offset"].as_u64().unwrap_or(0);
                self.places.insert(partition, Some(place));
            }
            Asked::Page(partition) => match result["messages"].as_array() {
                Some(messages) if !messages.is_empty() => {
                    self.page = result["next"].as_u64().map(|next| (partition, next));
                }
                _ => self.rests = REST,
            },
            Asked::Commit { partition, next } if answer.is_done() => {
                self.places.insert(partition, Some(next));
                self.common.progress.reached(partition, next);
            }
            // Somebody else reads there now, perhaps.
            Asked::Commit { .. } => self.join_at = Instant::now(),
            Asked::Leave => {}
        }
    }
}
