//! Leases in lists, for people to believe.

use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Held {
    pub(crate) owner: u8,
    /// Which grant of all there ever were.
    pub(crate) grant: u64,
    pub(crate) ends: u64,
    ttl: u64,
    /// The transaction that made it.
    made: u64,
    pub(crate) queue: Vec<Waiting>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Waiting {
    pub(crate) owner: u8,
    ttl: u64,
    pub(crate) until: u64,
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Acquire { lease: u8, owner: u8, ttl: u64, wait_for: Option<u64> },
    Renew { lease: u8, right: bool, ttl: Option<u64> },
    Release { lease: u8, right: bool },
    Transfer { lease: u8, right: bool, to: u8, ttl: Option<u64> },
    Withdraw { lease: u8, owner: u8 },
    Guard { lease: u8, right: bool },
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Naive {
    pub(crate) leases: BTreeMap<u8, Held>,
    pub(crate) now: u64,
    grants: u64,
    transaction: u64,
}

impl Naive {
    /// Time passes, moment by moment.
    pub(crate) fn pass(&mut self, us: u64) {
        for _ in 0..us {
            self.now += 1;
            self.transaction += 1;
            let now = self.now;
            for held in self.leases.values_mut() {
                held.queue.retain(|waiting| waiting.until > now);
            }
            let over = self.leases.iter().filter(|(_, held)| held.ends <= now);
            let over: Vec<_> = over.map(|(lease, _)| *lease).collect();
            for lease in over {
                self.end(lease);
            }
        }
    }

    /// Ends the grant; the next has it, and is returned.
    fn end(&mut self, lease: u8) -> Option<u8> {
        let held = self.leases.remove(&lease).expect("it is held");
        let mut queue = held.queue;
        if queue.is_empty() {
            return None;
        }
        let first = queue.remove(0);
        self.grant(lease, first.owner, first.ttl, queue);
        Some(first.owner)
    }

    fn grant(&mut self, lease: u8, owner: u8, ttl: u64, queue: Vec<Waiting>) {
        self.grants += 1;
        let (grant, ends, made) = (self.grants, self.now + ttl, self.transaction);
        self.leases.insert(lease, Held { owner, grant, ends, ttl, made, queue });
    }

    /// Takes the steps as one transaction: all, or none and why.
    pub(crate) fn take(&mut self, steps: &[Step]) -> Result<Vec<String>, String> {
        let before = self.clone();
        self.transaction += 1;
        let done: Result<Vec<_>, _> = steps.iter().map(|step| self.step(step)).collect();
        if done.is_err() {
            *self = before;
        }
        done
    }

    fn step(&mut self, step: &Step) -> Result<String, String> {
        match step {
            Step::Acquire { lease, owner, ttl, wait_for } => {
                self.acquire(*lease, *owner, *ttl, *wait_for)
            }
            Step::Renew { lease, right, ttl } => {
                let now = self.now;
                let held = self.held(*lease, *right)?;
                held.ttl = ttl.unwrap_or(held.ttl);
                held.ends = now + held.ttl;
                Ok("renewed".to_owned())
            }
            Step::Release { lease, right } => {
                self.old(*lease, *right)?;
                Ok(format!("released {:?}", self.end(*lease)))
            }
            Step::Transfer { lease, right, to, ttl } => {
                self.old(*lease, *right)?;
                let held = self.leases[lease].clone();
                let mut queue = held.queue;
                queue.retain(|waiting| waiting.owner != *to);
                self.grant(*lease, *to, ttl.unwrap_or(held.ttl), queue);
                if self.someone_waits_for_itself() {
                    return Err("lease_deadlock".to_owned());
                }
                Ok("transferred".to_owned())
            }
            Step::Withdraw { lease, owner } => {
                let queue = self.leases.get_mut(lease).map(|held| &mut held.queue);
                let queue = queue.ok_or("not_waiting")?;
                let place = queue.iter().position(|waiting| waiting.owner == *owner);
                queue.remove(place.ok_or("not_waiting")?);
                Ok("withdrawn".to_owned())
            }
            Step::Guard { lease, right } => {
                Ok(format!("valid {}", self.held(*lease, *right)?.owner))
            }
        }
    }

    fn held(&mut self, lease: u8, right: bool) -> Result<&mut Held, String> {
        let held = self.leases.get_mut(&lease).filter(|_| right);
        held.ok_or_else(|| "lease_stale".to_owned())
    }

    /// A grant that an earlier transaction made.
    fn old(&mut self, lease: u8, right: bool) -> Result<(), String> {
        let transaction = self.transaction;
        let held = self.held(lease, right)?;
        if held.made == transaction { Err("lease_just_granted".to_owned()) } else { Ok(()) }
    }

    fn acquire(
        &mut self,
        lease: u8,
        owner: u8,
        ttl: u64,
        wait_for: Option<u64>,
    ) -> Result<String, String> {
        let (now, transaction) = (self.now, self.transaction);
        let Some(held) = self.leases.get_mut(&lease) else {
            self.grant(lease, owner, ttl, Vec::new());
            return Ok("granted".to_owned());
        };
        if held.owner == owner {
            let old = held.made < transaction;
            return Ok(if old { "granted before" } else { "granted" }.to_owned());
        }
        if let Some(place) = held.queue.iter().position(|waiting| waiting.owner == owner) {
            return Ok(format!("waiting before behind {}", place + 1));
        }
        let until = now + wait_for.ok_or("lease_held")?;
        held.queue.push(Waiting { owner, ttl, until });
        let ahead = held.queue.len();
        if self.someone_waits_for_itself() {
            return Err("lease_deadlock".to_owned());
        }
        Ok(format!("waiting behind {ahead}"))
    }

    /// Goes from everybody who waits to all who go before, until nobody new comes.
    fn someone_waits_for_itself(&self) -> bool {
        let mut behind: BTreeSet<(u8, u8)> = BTreeSet::new();
        for held in self.leases.values() {
            for (place, waiting) in held.queue.iter().enumerate() {
                behind.insert((waiting.owner, held.owner));
                behind
                    .extend(held.queue[..place].iter().map(|before| (waiting.owner, before.owner)));
            }
        }
        loop {
            let further: Vec<_> = behind
                .iter()
                .flat_map(|(a, b)| {
                    behind.iter().filter(move |(c, _)| b == c).map(move |(_, d)| (*a, *d))
                })
                .filter(|pair| !behind.contains(pair))
                .collect();
            if further.is_empty() {
                return behind.iter().any(|(a, b)| a == b);
            }
            behind.extend(further);
        }
    }
}
