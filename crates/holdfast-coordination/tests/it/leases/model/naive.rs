//! Leases in lists, for people to believe.

use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Held {
    pub(crate) owner: u8,
    /// Which grant of all there ever were.
    pub(crate) grant: u64,
    /// Its own end, and how long it is prolonged.
    own: Option<(u64, u64)>,
    /// Which session of all there ever were it hangs on.
    session: Option<u64>,
    /// The transaction that made it.
    made: u64,
    pub(crate) queue: Vec<Waiting>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Waiting {
    pub(crate) owner: u8,
    ttl: Option<u64>,
    session: Option<u64>,
    pub(crate) until: u64,
}

#[derive(Clone, Debug, PartialEq)]
struct Session {
    /// Which of all there ever were.
    life: u64,
    ends: u64,
    ttl: u64,
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Acquire { lease: u8, wish: Wish },
    Renew { lease: u8, right: bool, ttl: Option<u64> },
    Release { lease: u8, right: bool },
    Transfer { lease: u8, right: bool, to: u8, ttl: Option<u64>, session: Option<u8> },
    Withdraw { lease: u8, owner: u8 },
    Guard { lease: u8, right: bool },
    Open { session: u8, ttl: u64 },
    RenewSession { session: u8, ttl: Option<u64> },
    Close { session: u8 },
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    pub(crate) owner: u8,
    pub(crate) ttl: Option<u64>,
    pub(crate) wait_for: Option<u64>,
    pub(crate) session: Option<u8>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Naive {
    leases: BTreeMap<u8, Held>,
    sessions: BTreeMap<u8, Session>,
    pub(crate) now: u64,
    grants: u64,
    lives: u64,
    transaction: u64,
}

impl Naive {
    /// Time passes, moment by moment.
    pub(crate) fn pass(&mut self, us: u64) {
        for _ in 0..us {
            self.now += 1;
            self.transaction += 1;
            let now = self.now;
            self.sessions.retain(|_, session| session.ends > now);
            for held in self.leases.values_mut() {
                held.queue.retain(|waiting| waiting.until > now);
            }
            self.clear();
        }
    }

    /// Takes away what counts no more, but for grants that this very transaction made.
    fn clear(&mut self) {
        let open: BTreeSet<_> = self.sessions.values().map(|session| session.life).collect();
        let counts = |session: Option<u64>| session.is_none_or(|life| open.contains(&life));
        for held in self.leases.values_mut() {
            held.queue.retain(|waiting| counts(waiting.session));
        }
        let now = self.now;
        let over = self.leases.iter().filter(|(_, held)| {
            held.own.is_some_and(|(ends, _)| ends <= now) || !counts(held.session)
        });
        let over = over.filter(|(_, held)| held.made < self.transaction);
        let over: Vec<_> = over.map(|(lease, _)| *lease).collect();
        for lease in over {
            self.end(lease);
        }
    }

    /// Is there a grant that counts no more and waits for the next moment?
    pub(crate) fn is_left(&self) -> bool {
        self.leases.values().any(|held| self.ends(held).is_none())
    }

    /// The lease's grant if it counts, when it ends, and who waits.
    pub(crate) fn shown(&self, lease: u8) -> (Option<(&Held, u64)>, &[Waiting]) {
        let Some(held) = self.leases.get(&lease) else { return (None, &[]) };
        (self.ends(held).map(|ends| (held, ends)), &held.queue)
    }

    /// When a grant ends; `None` when its session is over already.
    fn ends(&self, held: &Held) -> Option<u64> {
        let own = held.own.map(|(ends, _)| ends);
        let Some(life) = held.session else { return own };
        let session = self.sessions.values().find(|session| session.life == life)?;
        own.into_iter().chain([session.ends]).min()
    }

    /// Ends the grant; the next has it, and is returned.
    fn end(&mut self, lease: u8) -> Option<u8> {
        let held = self.leases.remove(&lease).expect("it is held");
        let mut queue = held.queue;
        if queue.is_empty() {
            return None;
        }
        let first = queue.remove(0);
        self.grant(lease, first.owner, first.ttl, first.session, queue);
        Some(first.owner)
    }

    fn grant(
        &mut self,
        lease: u8,
        owner: u8,
        ttl: Option<u64>,
        session: Option<u64>,
        queue: Vec<Waiting>,
    ) {
        self.grants += 1;
        let (grant, made) = (self.grants, self.transaction);
        let own = ttl.map(|ttl| (self.now + ttl, ttl));
        self.leases.insert(lease, Held { owner, grant, own, session, made, queue });
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
            Step::Acquire { lease, wish } => self.acquire(*lease, *wish),
            Step::Renew { lease, right, ttl } => {
                let now = self.now;
                let held = self.held(*lease, *right)?;
                let ttl = ttl.or(held.own.map(|(_, ttl)| ttl));
                held.own = ttl.map(|ttl| (now + ttl, ttl));
                Ok("renewed".to_owned())
            }
            Step::Release { lease, right } => {
                self.old(*lease, *right)?;
                Ok(format!("released {:?}", self.end(*lease)))
            }
            Step::Transfer { lease, right, to, ttl, session } => {
                self.old(*lease, *right)?;
                self.transfer(*lease, *to, *ttl, *session)
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
            Step::Open { session, ttl } => Ok(self.open(*session, *ttl)),
            Step::RenewSession { session, ttl } => self.renew_session(*session, *ttl),
            Step::Close { session } => {
                self.sessions.remove(session).ok_or("session_not_found")?;
                self.clear();
                Ok("closed".to_owned())
            }
        }
    }

    fn transfer(
        &mut self,
        lease: u8,
        to: u8,
        ttl: Option<u64>,
        session: Option<u8>,
    ) -> Result<String, String> {
        let held = self.leases[&lease].clone();
        let session = self.life(session)?;
        let ttl = ttl.or(held.own.map(|(_, ttl)| ttl));
        if ttl.is_none() && session.is_none() {
            return Err("ttl_required".to_owned());
        }
        let mut queue = held.queue;
        queue.retain(|waiting| waiting.owner != to);
        self.grant(lease, to, ttl, session, queue);
        if self.someone_waits_for_itself() {
            return Err("lease_deadlock".to_owned());
        }
        Ok("transferred".to_owned())
    }

    fn open(&mut self, session: u8, ttl: u64) -> String {
        if self.sessions.contains_key(&session) {
            return "opened before".to_owned();
        }
        self.lives += 1;
        let (life, ends) = (self.lives, self.now + ttl);
        self.sessions.insert(session, Session { life, ends, ttl });
        "opened".to_owned()
    }

    fn renew_session(&mut self, session: u8, ttl: Option<u64>) -> Result<String, String> {
        let now = self.now;
        let open = self.sessions.get_mut(&session).ok_or("session_not_found")?;
        open.ttl = ttl.unwrap_or(open.ttl);
        open.ends = now + open.ttl;
        Ok("renewed".to_owned())
    }

    /// The session that is meant, if one is.
    fn life(&self, session: Option<u8>) -> Result<Option<u64>, String> {
        let Some(session) = session else { return Ok(None) };
        let open = self.sessions.get(&session).ok_or("session_not_found")?;
        Ok(Some(open.life))
    }

    fn held(&mut self, lease: u8, right: bool) -> Result<&mut Held, String> {
        let counts = self.shown(lease).0.is_some();
        let held = self.leases.get_mut(&lease).filter(|_| right && counts);
        held.ok_or_else(|| "lease_stale".to_owned())
    }

    /// A grant that an earlier transaction made.
    fn old(&mut self, lease: u8, right: bool) -> Result<(), String> {
        let transaction = self.transaction;
        let held = self.held(lease, right)?;
        if held.made == transaction { Err("lease_just_granted".to_owned()) } else { Ok(()) }
    }

    fn acquire(&mut self, lease: u8, wish: Wish) -> Result<String, String> {
        let Wish { owner, ttl, wait_for, .. } = wish;
        if ttl.is_none() && wish.session.is_none() {
            return Err("ttl_required".to_owned());
        }
        let session = self.life(wish.session)?;
        let (now, transaction) = (self.now, self.transaction);
        let counts = self.shown(lease).0.is_some();
        let Some(held) = self.leases.get_mut(&lease) else {
            self.grant(lease, owner, ttl, session, Vec::new());
            return Ok("granted".to_owned());
        };
        if !counts {
            return Err("lease_just_granted".to_owned());
        }
        if held.owner == owner {
            held.session = session.or(held.session);
            let old = held.made < transaction;
            return Ok(if old { "granted before" } else { "granted" }.to_owned());
        }
        if let Some(place) = held.queue.iter().position(|waiting| waiting.owner == owner) {
            held.queue[place].session = session.or(held.queue[place].session);
            return Ok(format!("waiting before behind {}", place + 1));
        }
        let until = now + wait_for.ok_or("lease_held")?;
        held.queue.push(Waiting { owner, ttl, session, until });
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
                if self.ends(held).is_some() {
                    behind.insert((waiting.owner, held.owner));
                }
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
