//! A candidate: waits for the lease, leads, and has what can befall a process happen to it.
//!
//! While it leads it knows only what a program knows: the number of the last tick, which it read
//! when its reign began and counts on from; and, by its own clock, until when the lease is its
//! own. A tick on which it has resolved is sent, however long it hung in between.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    AFTER_A_PAUSE, ASK, CLOCK_PUT_BACK, CUT_OFF, HEAD, JOURNAL, LEASE, OF_THE_DEAD, ON_TIME, RENEW,
};
use crate::{
    random::Random,
    request::{Answer, Request, operation},
    scenario::Asker,
};

/// A leader's ticks in the lease's time.
const TICKS_IN_TTL: u32 = 40;

/// What all candidates have in common.
#[derive(Clone, Debug)]
pub(super) struct Common {
    pub(super) ttl: Duration,
    pub(super) ticks: u64,
    pub(super) faults_percent: u64,
    pub(super) unprotected: bool,
    /// The greatest number that anybody knows to be written.
    pub(super) written: Arc<AtomicU64>,
    /// How often something befell anybody: each time something else does.
    pub(super) faults: Arc<AtomicU64>,
}

#[derive(Clone, Copy, Debug)]
enum Standing {
    /// It wants the lease, or waits for it.
    Out,
    /// It was told that the lease is its own.
    Leads(Reign),
}

#[derive(Clone, Copy, Debug)]
struct Reign {
    token: u64,
    /// The last tick that it knows of; `None` until it has read it.
    last: Option<u64>,
    /// By its own clock: when to renew, and until when it believes that it leads.
    renew_at: Duration,
    until: Duration,
    /// Its clock was put back since.
    put_back: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Asked {
    Lease,
    Renewal {
        at: Duration,
    },
    LastTick,
    Tick {
        number: u64,
    },
    /// A message of former times that nobody waits for.
    Late,
}

/// One candidate.
pub(super) struct Candidate {
    number: u64,
    /// One more whenever it went away: it comes back under another name.
    life: u64,
    common: Common,
    random: Random,
    begun: Instant,
    /// How far its clock was put back.
    put_back: Duration,
    standing: Standing,
    requests: u64,
    /// How long it is gone before it asks again.
    gone: Duration,
    /// Messages in the network, and when they arrive.
    held: VecDeque<(Instant, Request)>,
}

impl Candidate {
    pub(super) fn new(number: u64, common: Common, random: Random) -> Self {
        Self {
            number,
            life: 0,
            common,
            random,
            begun: Instant::now(),
            put_back: Duration::ZERO,
            standing: Standing::Out,
            requests: 0,
            gone: Duration::ZERO,
            held: VecDeque::new(),
        }
    }

    fn name(&self) -> String {
        format!("c{}.{}", self.number, self.life)
    }

    fn key(&mut self) -> String {
        self.requests += 1;
        format!("c{}-{}", self.number, self.requests)
    }

    /// What its own clock says.
    fn clock(&self) -> Duration {
        // It said so much to begin with that it is never put back to before zero.
        const FIRST: Duration = Duration::from_secs(3_600);
        (FIRST + self.begun.elapsed()).saturating_sub(self.put_back)
    }

    /// A share of the lease's time, from so many tenths to so many.
    fn tenths_of_ttl(&mut self, from: u64, to: u64) -> Duration {
        let tenths = from + self.random.below(to - from + 1);
        self.common.ttl * u32::try_from(tenths).expect("a few") / 10
    }

    fn acquire(&mut self) -> (Asked, Request) {
        let ttl = format!("PT{}S", self.common.ttl.as_secs_f64());
        let args = json!({ "id": LEASE, "owner": self.name(), "ttl": ttl, "wait_for": "PT1H" });
        let request = Request::write(self.key(), ASK, vec![operation("leases.acquire", args)]);
        let rest = self.common.ttl / 20 + std::mem::take(&mut self.gone);
        (Asked::Lease, request.held_back(rest))
    }

    fn lead(&mut self, reign: Reign) -> (Asked, Request) {
        let (now, token) = (self.clock(), reign.token);
        if now >= reign.until {
            self.standing = Standing::Out;
            return self.acquire();
        }
        if now >= reign.renew_at {
            let operations =
                vec![operation("leases.renew", json!({ "id": LEASE, "token": token }))];
            return (Asked::Renewal { at: now }, Request::write(self.key(), RENEW, operations));
        }
        let Some(last) = reign.last else {
            let head = json!({ "collection": JOURNAL, "id": HEAD });
            let operations = vec![operation("documents.get", head)];
            return (Asked::LastTick, Request::look("read the last tick", operations));
        };
        let number = last + 1;
        // By a wrong clock it leads until somebody else does.
        if !reign.put_back && self.random.percent(self.common.faults_percent) {
            return self.befall(number, token);
        }
        let label = if reign.put_back { CLOCK_PUT_BACK } else { ON_TIME };
        let tick = self.tick(label, number, token).held_back(self.common.ttl / TICKS_IN_TTL);
        (Asked::Tick { number }, tick)
    }

    /// Something happens between its resolving on this tick and the tick's arrival.
    fn befall(&mut self, number: u64, token: u64) -> (Asked, Request) {
        match self.common.faults.fetch_add(1, Ordering::Relaxed) % 4 {
            0 => {
                let pause = self.tenths_of_ttl(12, 30);
                let tick = self.tick(AFTER_A_PAUSE, number, token).held_back(pause);
                (Asked::Tick { number }, tick)
            }
            1 => self.go_away(OF_THE_DEAD, number, token),
            2 => self.go_away(CUT_OFF, number, token),
            _ => {
                let by = self.tenths_of_ttl(15, 30);
                self.put_back += by;
                if let Standing::Leads(reign) = &mut self.standing {
                    reign.put_back = true;
                }
                let tick = self
                    .tick(CLOCK_PUT_BACK, number, token)
                    .held_back(self.common.ttl / TICKS_IN_TTL);
                (Asked::Tick { number }, tick)
            }
        }
    }

    /// The tick is in the network for long. Who sent it is dead, or hears nothing more of anybody,
    /// and comes back some time under another name: its own token does not fence its own messages
    /// of before.
    fn go_away(&mut self, label: &'static str, number: u64, token: u64) -> (Asked, Request) {
        let arrives = Instant::now() + self.tenths_of_ttl(12, 35);
        let tick = self.tick(label, number, token);
        self.held.push_back((arrives, tick));
        self.standing = Standing::Out;
        self.life += 1;
        self.gone = self.tenths_of_ttl(5, 15);
        self.acquire()
    }

    fn tick(&mut self, label: &'static str, number: u64, token: u64) -> Request {
        let value = json!({ "number": number, "token": token });
        let guard = operation("leases.guard", json!({ "id": LEASE, "token": token }));
        let head = json!({ "collection": JOURNAL, "id": HEAD, "value": value });
        let entry = json!({ "topic": JOURNAL, "type": "tick", "data": value });
        let mut operations: Vec<Value> =
            vec![operation("documents.put", head), operation("topics.append", entry)];
        if !self.common.unprotected {
            operations.insert(0, guard);
        }
        Request::write(self.key(), label, operations)
    }
}

impl Asker for Candidate {
    type Asked = Asked;

    fn choose(&mut self) -> Option<(Asked, Request)> {
        let is_over = self.common.written.load(Ordering::Relaxed) >= self.common.ticks;
        if let Some((due, request)) = self.held.pop_front() {
            let early = due.saturating_duration_since(Instant::now());
            if early.is_zero() || is_over {
                return Some((Asked::Late, request.held_back(early)));
            }
            self.held.push_front((due, request));
        }
        if is_over {
            return None;
        }
        Some(match self.standing {
            Standing::Out => self.acquire(),
            Standing::Leads(reign) => self.lead(reign),
        })
    }

    fn hear(&mut self, asked: Asked, answer: &Answer) {
        let now = self.clock();
        match (asked, &mut self.standing) {
            (Asked::Lease, standing @ Standing::Out) => {
                let result = answer.results().into_iter().next().unwrap_or_default();
                if let Some(token) = result["token"].as_u64() {
                    // How much of its time is over it does not know: it renews at once.
                    let until = now + self.common.ttl;
                    let reign = Reign { token, last: None, renew_at: now, until, put_back: false };
                    *standing = Standing::Leads(reign);
                }
            }
            (Asked::Renewal { at }, Standing::Leads(reign)) if answer.is_done() => {
                reign.renew_at = at + self.common.ttl / 3;
                reign.until = at + self.common.ttl;
            }
            (Asked::LastTick, Standing::Leads(reign)) => {
                reign.last = answer.results()[0]["value"]["number"].as_u64();
            }
            (Asked::Tick { number }, Standing::Leads(reign)) if answer.is_done() => {
                reign.last = Some(number);
                self.common.written.fetch_max(number, Ordering::Relaxed);
            }
            (Asked::Renewal { .. } | Asked::Tick { .. }, standing) => *standing = Standing::Out,
            (Asked::Late | Asked::Lease | Asked::LastTick, _) => {}
        }
    }
}
