//! Leases in lists, for people to believe: who holds one, who waits, and what each command
//! must have come to in its place in the log.
//!
//! What nobody asked for is seen in the state: that a lease was passed on. It may be when the
//! grant is over, to the first who still waits, with the version of that very transaction for a
//! token, and at no other time; and it must have been by the end.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_state::LogTime;
use serde_json::{Value, json};

use super::{
    super::{
        Showing,
        expected::{Expected, Judged, Moment, Wrong, id, text, time, us},
        sessions::{Sessions, Tie},
    },
    LEASES,
};
use crate::sim::trace::Counts;

#[derive(Clone, Debug)]
struct Grant {
    token: u64,
    owner: String,
    granted_at: LogTime,
    /// Its own end, and for how long a renewal prolongs it.
    own: Option<(LogTime, u64)>,
    tie: Option<Tie>,
    /// Who waits, first come first, and who waited and may not have been taken away.
    line: Vec<Place>,
}

#[derive(Clone, Debug)]
struct Place {
    owner: String,
    ttl: Option<u64>,
    tie: Option<Tie>,
    since: u64,
    until: LogTime,
}

/// How somebody is to hold a lease.
struct Terms {
    owner: String,
    ttl: Option<u64>,
    tie: Option<Tie>,
}

/// All leases.
#[derive(Clone, Debug, Default)]
pub(in crate::sim::primitives) struct Leases {
    held: BTreeMap<String, Grant>,
    /// The last token under which each journal was written.
    journals: BTreeMap<String, u64>,
    pub(in crate::sim::primitives) counts: Counts,
}

fn refused(code: &'static str, facts: Value) -> Expected {
    Expected::Refused(code, facts)
}

impl Grant {
    /// When it ends; `None` when it is over.
    fn ends(&self, sessions: &Sessions, now: LogTime) -> Option<LogTime> {
        let own = self.own.map(|(ends, _)| ends);
        let session = match &self.tie {
            Some(tie) => Some(sessions.ends(tie, now)?),
            None => None,
        };
        own.into_iter().chain(session).min().filter(|ends| *ends > now)
    }

    fn still_waiting<'a>(
        &'a self,
        sessions: &'a Sessions,
        now: LogTime,
    ) -> impl Iterator<Item = &'a Place> {
        let counts =
            move |place: &&Place| place.until > now && sessions.counts(place.tie.as_ref(), now);
        self.line.iter().filter(counts)
    }

    /// As answers show it.
    fn shown(&self, sessions: &Sessions, now: LogTime) -> Value {
        json!({
            "token": self.token,
            "owner": self.owner,
            "granted_at": time(self.granted_at),
            "expires_at": self.ends(sessions, now).map(time),
            "session": self.tie.as_ref().map(|(session, _)| session),
        })
    }
}

impl Leases {
    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_insert(0) += 1;
    }

    /// The grant of a lease that counts.
    fn grant_of(&self, sessions: &Sessions, lease: &str, now: LogTime) -> Option<&Grant> {
        self.held.get(lease).filter(|grant| grant.ends(sessions, now).is_some())
    }

    /// Who is next, where a grant is over.
    fn heir(&self, sessions: &Sessions, lease: &str, now: LogTime) -> Option<Place> {
        let over = self.held.get(lease).filter(|grant| grant.ends(sessions, now).is_none())?;
        over.still_waiting(sessions, now).next().cloned()
    }

    fn grant(&mut self, at: Moment, lease: &str, terms: Terms, line: Vec<Place>) {
        self.count("leases: granted");
        let Terms { owner, ttl, tie } = terms;
        let own = ttl.map(|ttl| (at.after(ttl), ttl));
        let grant = Grant { token: at.version, owner, granted_at: at.time, own, tie, line };
        self.held.insert(lease.to_owned(), grant);
    }

    /// Ends a grant; the first who still waits has the next.
    fn end(&mut self, sessions: &Sessions, at: Moment, lease: &str) {
        let Some(over) = self.held.remove(lease) else { return };
        let Some(heir) = over.still_waiting(sessions, at.time).next().cloned() else { return };
        let behind = over.line.into_iter().skip_while(|place| place.since != heir.since).skip(1);
        let line = behind.collect();
        let Place { owner, ttl, tie, .. } = heir;
        self.count("leases: passed on");
        self.grant(at, lease, Terms { owner, ttl, tie }, line);
    }

    /// A session ended in this transaction: what hung on it is passed on at once.
    pub(in crate::sim::primitives) fn let_go(
        &mut self,
        sessions: &Sessions,
        at: Moment,
        session: &Tie,
    ) {
        let hangs = |grant: &Grant| grant.tie.as_ref() == Some(session);
        let hung: Vec<String> =
            self.held.iter().filter(|(_, grant)| hangs(grant)).map(|(id, _)| id.clone()).collect();
        for lease in hung {
            self.count("leases: ended with a session");
            self.end(sessions, at, &lease);
        }
    }

    /// What a command comes to.
    pub(in crate::sim::primitives) fn take(
        &mut self,
        sessions: &Sessions,
        at: Moment,
        (name, args): (&str, &Value),
    ) -> Expected {
        let lease = id(args, "id");
        match name {
            "leases.acquire" => self.acquire(sessions, at, &lease, args),
            "leases.withdraw" => self.withdraw(sessions, at, &lease, &id(args, "owner")),
            "leases.get" => Expected::Done(self.shown(sessions, at.time, &lease)),
            _ => self.under_a_token(sessions, at, (name, args), &lease),
        }
    }

    fn under_a_token(
        &mut self,
        sessions: &Sessions,
        at: Moment,
        (name, args): (&str, &Value),
        lease: &str,
    ) -> Expected {
        let token = args["token"].as_u64().expect("it is about a grant");
        let grant = self.grant_of(sessions, lease, at.time).cloned();
        let Some(grant) = grant.clone().filter(|grant| grant.token == token) else {
            self.count("leases: stale tokens refused");
            let (current, owner) = grant.map(|grant| (grant.token, grant.owner)).unzip();
            let facts =
                json!({ "lease": lease, "token": token, "current": current, "owner": owner });
            return refused("lease_stale", facts);
        };
        match name {
            "leases.renew" => self.renew(sessions, at, lease, us(args, "ttl")),
            "leases.release" => {
                self.end(sessions, at, lease);
                let next = self.held.get(lease).map(|next| next.shown(sessions, at.time));
                Expected::Done(json!({ "outcome": "released", "id": lease, "next": next }))
            }
            "leases.transfer" => self.transfer(sessions, at, lease, args),
            "leases.guard" => {
                let ends = grant.ends(sessions, at.time).map(time);
                let owner = grant.owner;
                Expected::Done(json!({ "outcome": "valid", "owner": owner, "expires_at": ends }))
            }
            other => unreachable!("nobody asks {other}"),
        }
    }

    /// A journal is written behind a guard, which must have been right.
    pub(in crate::sim::primitives) fn written(&mut self, lease: &str, token: u64) -> Judged {
        self.count("leases: guarded writes");
        let before = self.journals.insert(lease.to_owned(), token).unwrap_or(0);
        if token >= before {
            return Ok(());
        }
        let rule = format!("tokens in a journal never fall, and {before} was before");
        Err(Wrong::rule(&rule, &json!(token)))
    }

    fn renew(
        &mut self,
        sessions: &Sessions,
        at: Moment,
        lease: &str,
        ttl: Option<u64>,
    ) -> Expected {
        let grant = self.held.get_mut(lease).expect("its token was asked for");
        let ttl = ttl.or(grant.own.map(|(_, ttl)| ttl));
        if let Some(ttl) = ttl {
            grant.own = Some((at.after(ttl), ttl));
        }
        let ends = grant.ends(sessions, at.time).map(time);
        let told = json!({ "outcome": "renewed", "token": grant.token, "expires_at": ends });
        Expected::Done(told)
    }

    fn transfer(&mut self, sessions: &Sessions, at: Moment, lease: &str, args: &Value) -> Expected {
        let (to, session) = (id(args, "to"), text(args, "session"));
        let grant = self.held[lease].clone();
        let tie = session.as_deref().and_then(|session| sessions.tie(session, at.time));
        if session.is_some() && tie.is_none() {
            return refused("session_not_found", json!({ "session": session }));
        }
        let ttl = us(args, "ttl").or(grant.own.map(|(_, ttl)| ttl));
        if ttl.is_none() && tie.is_none() {
            return refused("ttl_required", json!({ "lease": lease }));
        }
        let before = self.clone();
        let line = grant.line.into_iter().filter(|place| place.owner != to).collect();
        self.grant(at, lease, Terms { owner: to, ttl, tie }, line);
        if self.someone_waits_for_itself(sessions, at.time) {
            *self = before;
            self.count("leases: deadlocks refused");
            return refused("lease_deadlock", json!({}));
        }
        let mut told = self.held[lease].shown(sessions, at.time);
        told["outcome"] = json!("transferred");
        Expected::Done(told)
    }

    fn withdraw(&mut self, sessions: &Sessions, at: Moment, lease: &str, owner: &str) -> Expected {
        let held = self.held.get_mut(lease);
        let waits = held.as_ref().is_some_and(|grant| {
            grant.still_waiting(sessions, at.time).any(|place| place.owner == owner)
        });
        match held {
            Some(grant) if waits => grant.line.retain(|place| place.owner != owner),
            Some(_) | None => {
                return refused("not_waiting", json!({ "lease": lease, "owner": owner }));
            }
        }
        Expected::Done(json!({ "outcome": "withdrawn", "owner": owner }))
    }

    fn acquire(&mut self, sessions: &Sessions, at: Moment, lease: &str, args: &Value) -> Expected {
        let (owner, ttl, session) = (id(args, "owner"), us(args, "ttl"), text(args, "session"));
        let tie = session.as_deref().and_then(|session| sessions.tie(session, at.time));
        if ttl.is_none() && session.is_none() {
            return refused("ttl_required", json!({ "lease": lease }));
        }
        if session.is_some() && tie.is_none() {
            return refused("session_not_found", json!({ "session": session }));
        }
        let holder = self.grant_of(sessions, lease, at.time).cloned();
        let heir = self.heir(sessions, lease, at.time);
        let existed = match (&holder, &heir) {
            (Some(holder), _) if holder.owner == owner => true,
            (None, Some(heir)) if heir.owner == owner => {
                self.end(sessions, at, lease);
                false
            }
            (None, None) => {
                let terms = Terms { owner, ttl, tie: tie.clone() };
                self.grant(at, lease, terms, Vec::new());
                false
            }
            (Some(_), _) | (None, Some(_)) => {
                let ends = holder.as_ref().and_then(|grant| grant.ends(sessions, at.time));
                let first = holder.map(|grant| grant.owner).or(heir.map(|heir| heir.owner));
                let held = json!({ "lease": lease, "owner": first, "expires_at": ends.map(time) });
                return self.wait(sessions, at, (lease, args), (tie, held));
            }
        };
        let grant = self.held.get_mut(lease).expect("it was granted");
        grant.tie = tie.or_else(|| grant.tie.take());
        let mut told = self.held[lease].shown(sessions, at.time);
        told.as_object_mut().expect("a grant").remove("granted_at");
        told["outcome"] = json!("granted");
        told["existed"] = if existed { json!(true) } else { Value::Null };
        Expected::Done(told)
    }

    /// Somebody stands in the line already, behind so many.
    fn stands(
        &mut self,
        (lease, owner): (&str, &str),
        before: usize,
        tie: Option<Tie>,
    ) -> Expected {
        let line = &mut self.held.get_mut(lease).expect("it is there").line;
        let place = line.iter_mut().rfind(|place| place.owner == owner);
        let place = place.expect("it stands there");
        place.tie = tie.or_else(|| place.tie.take());
        let session = place.tie.as_ref().map(|(session, _)| session);
        Expected::Done(json!({
            "outcome": "waiting", "existed": true, "ahead": before + 1, "session": session,
            "waits_until": time(place.until), "token": null,
        }))
    }

    /// A place in the line: the one that the owner has, or one at its end.
    fn wait(
        &mut self,
        sessions: &Sessions,
        at: Moment,
        (lease, args): (&str, &Value),
        (tie, held): (Option<Tie>, Value),
    ) -> Expected {
        let owner = id(args, "owner");
        let grant = &self.held[lease];
        let stands = grant.still_waiting(sessions, at.time).position(|place| place.owner == owner);
        if let Some(before) = stands {
            return self.stands((lease, &owner), before, tie);
        }
        let Some(wait_for) = us(args, "wait_for") else { return refused("lease_held", held) };
        let before = self.clone();
        if self.grant_of(sessions, lease, at.time).is_none() {
            self.end(sessions, at, lease);
        }
        let (since, until, ttl) = (at.version, at.after(wait_for), us(args, "ttl"));
        let session = tie.as_ref().map(|(session, _)| session.clone());
        let line = &mut self.held.get_mut(lease).expect("somebody holds it").line;
        line.retain(|place| place.owner != owner);
        line.push(Place { owner, ttl, tie, since, until });
        if self.someone_waits_for_itself(sessions, at.time) {
            *self = before;
            self.count("leases: deadlocks refused");
            return refused("lease_deadlock", json!({}));
        }
        Expected::Done(json!({
            "outcome": "waiting", "existed": null, "session": session, "token": null,
            "waits_until": time(until),
        }))
    }

    /// Goes from everybody who waits to all who go before, until nobody new comes.
    fn someone_waits_for_itself(&self, sessions: &Sessions, now: LogTime) -> bool {
        let mut behind: BTreeSet<(&str, &str)> = BTreeSet::new();
        for grant in self.held.values() {
            let holder = grant.ends(sessions, now).map(|_| &*grant.owner);
            let mut ahead: Vec<&str> = holder.into_iter().collect();
            for place in grant.still_waiting(sessions, now) {
                behind.extend(ahead.iter().map(|before| (&*place.owner, *before)));
                ahead.push(&place.owner);
            }
        }
        loop {
            let mut further = Vec::new();
            for (a, b) in &behind {
                further.extend(behind.iter().filter(|(c, _)| b == c).map(|(_, d)| (*a, *d)));
            }
            let before = behind.len();
            behind.extend(further);
            if behind.len() == before {
                return behind.iter().any(|(a, b)| a == b);
            }
        }
    }

    /// What `leases.get` shows.
    fn shown(&self, sessions: &Sessions, now: LogTime, lease: &str) -> Value {
        let grant = self.grant_of(sessions, lease, now).map(|grant| grant.shown(sessions, now));
        let waiters = self.held.get(lease).map_or_else(Vec::new, |grant| {
            let shown = grant.still_waiting(sessions, now).map(|place| {
                let until = time(place.until);
                json!({ "owner": place.owner, "since": place.since, "waits_until": until })
            });
            shown.collect()
        });
        json!({ "id": lease, "grant": grant, "waiters": waiters })
    }

    /// Compares all leases with the state behind a transaction, which may have passed some on.
    pub(in crate::sim::primitives) fn compare(
        &mut self,
        sessions: &Sessions,
        at: Moment,
        showing: &Showing,
    ) -> Judged {
        for lease in LEASES {
            let said = showing.ask("leases.get", json!({ "id": lease }));
            let passed_on = said.body["grant"]["token"] == at.version;
            if passed_on && self.heir(sessions, lease, at.time).is_some() {
                self.end(sessions, at, lease);
            }
            Expected::Done(self.shown(sessions, at.time, lease)).compare(Some(&said))?;
        }
        Ok(())
    }

    /// At the end, when no timer that was due is left: nobody waits for a lease that is free.
    pub(in crate::sim::primitives) fn ends(&self, sessions: &Sessions, now: LogTime) -> Judged {
        for lease in LEASES {
            if let Some(heir) = self.heir(sessions, lease, now) {
                let rule = format!("lease {lease} has passed on to {}", heir.owner);
                return Err(Wrong::rule(&rule, &self.shown(sessions, now, lease)));
            }
        }
        Ok(())
    }
}
