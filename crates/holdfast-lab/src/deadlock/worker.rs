//! A worker: takes a few leases one after the other, in an order of its own, and gives them back.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{ASK, GIVE_UP, RELEASE};
use crate::{
    random::Random,
    request::{Answer, Request, operation},
    scenario::Asker,
};

/// Rest between two looks whether the lease is its own now.
const POLL: Duration = Duration::from_millis(20);

/// How long it has what it took, at most.
const WORKS_MS: u64 = 10;

/// Who gave up so often stays away.
const GIVES_UP_MAX: u64 = 3;

/// What all workers have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Common {
    pub(super) leases: u64,
    pub(super) rounds: u64,
    pub(super) patience: Duration,
    pub(super) unprotected: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Asked {
    Lease,
    Release,
}

/// One worker.
pub(super) struct Worker {
    number: u64,
    common: Common,
    random: Random,
    rounds: u64,
    gave_up: u64,
    /// What it wants still, the next last.
    wants: Vec<u64>,
    /// What it has, with its tokens.
    has: Vec<(u64, u64)>,
    /// Since when it waits for the next.
    waits_since: Option<Instant>,
    requests: u64,
}

impl Worker {
    pub(super) fn new(number: u64, common: Common, random: Random) -> Self {
        let (rounds, gave_up, wants, has) = (0, 0, Vec::new(), Vec::new());
        let (waits_since, requests) = (None, 0);
        Self { number, common, random, rounds, gave_up, wants, has, waits_since, requests }
    }

    fn key(&mut self) -> String {
        self.requests += 1;
        format!("w{}-{}", self.number, self.requests)
    }

    fn wait(&mut self) {
        self.waits_since.get_or_insert_with(Instant::now);
    }

    /// Two to four leases, in any order.
    fn want(&mut self) {
        let many = 2 + self.random.below(3);
        while (self.wants.len() as u64) < many.min(self.common.leases) {
            let lease = self.random.below(self.common.leases);
            if !self.wants.contains(&lease) {
                self.wants.push(lease);
            }
        }
    }

    fn releasing(&self) -> Vec<Value> {
        let release = |(lease, token): &(u64, u64)| {
            operation("leases.release", json!({ "id": name(*lease), "token": token }))
        };
        self.has.iter().map(release).collect()
    }

    fn give_up(&mut self) -> (Asked, Request) {
        let mut operations = self.releasing();
        if !self.common.unprotected {
            let lease = name(*self.wants.last().expect("it waits for something"));
            let args = json!({ "id": lease, "owner": format!("w{}", self.number) });
            operations.push(operation("leases.withdraw", args));
        }
        self.wants.clear();
        self.waits_since = None;
        self.gave_up += 1;
        (Asked::Release, Request::write(self.key(), GIVE_UP, operations))
    }
}

fn name(lease: u64) -> String {
    format!("l{lease}")
}

impl Asker for Worker {
    type Asked = Asked;

    fn choose(&mut self) -> Option<(Asked, Request)> {
        let waited = self.waits_since.map_or(Duration::ZERO, |since| since.elapsed());
        if waited > self.common.patience && !self.has.is_empty() {
            return Some(self.give_up());
        }
        if self.wants.is_empty() && !self.has.is_empty() {
            let works = Duration::from_millis(self.random.below(WORKS_MS));
            let release = self.releasing();
            let request = Request::write(self.key(), RELEASE, release).held_back(works);
            return Some((Asked::Release, request));
        }
        if self.wants.is_empty() {
            if self.rounds == self.common.rounds || self.gave_up == GIVES_UP_MAX {
                return None;
            }
            self.rounds += 1;
            self.want();
        }
        let next = *self.wants.last().expect("it wants something");
        let mut args =
            json!({ "id": name(next), "owner": format!("w{}", self.number), "ttl": "PT1H" });
        if !self.common.unprotected {
            args["wait_for"] = "PT1H".into();
        }
        let rest = if self.waits_since.is_some() { POLL } else { Duration::ZERO };
        let operations = vec![operation("leases.acquire", args)];
        Some((Asked::Lease, Request::write(self.key(), ASK, operations).held_back(rest)))
    }

    fn hear(&mut self, asked: Asked, answer: &Answer) {
        match (asked, answer.refused.as_deref()) {
            (Asked::Release, _) => self.has.clear(),
            (Asked::Lease, None) => {
                match answer.results().first().and_then(|result| result["token"].as_u64()) {
                    Some(token) => {
                        let lease = self.wants.pop().expect("it asked for the last of them");
                        self.has.push((lease, token));
                        self.waits_since = None;
                    }
                    None => self.wait(),
                }
            }
            (Asked::Lease, Some("lease_held")) => self.wait(),
            // A victim gives back what it has, and begins anew.
            (Asked::Lease, Some(_)) => {
                self.wants.clear();
                self.waits_since = None;
            }
        }
    }
}
