//! Sessions in a list, for the naive primitives whose things hang on them.

use std::collections::BTreeMap;

use holdfast_state::LogTime;
use serde_json::{Value, json};

use super::expected::{Expected, Moment, id, time, us};

/// A session that something hangs on: its id, and the transaction that opened it.
pub(super) type Tie = (String, u64);

#[derive(Clone, Debug)]
struct Session {
    version: u64,
    ends: LogTime,
    ttl: u64,
}

/// Sessions by id; those that are over may be among them.
#[derive(Clone, Debug, Default)]
pub(super) struct Sessions(BTreeMap<String, Session>);

impl Sessions {
    fn open_now(&self, id: &str, now: LogTime) -> Option<&Session> {
        self.0.get(id).filter(|session| session.ends > now)
    }

    /// A tie to the session with this id, if it is open.
    pub(super) fn tie(&self, id: &str, now: LogTime) -> Option<Tie> {
        self.open_now(id, now).map(|session| (id.to_owned(), session.version))
    }

    /// When a session ends unless it is renewed; `None` when it is over.
    pub(super) fn ends(&self, (id, version): &Tie, now: LogTime) -> Option<LogTime> {
        let session = self.open_now(id, now).filter(|session| session.version == *version);
        session.map(|session| session.ends)
    }

    /// Does what hangs on this count?
    pub(super) fn counts(&self, tie: Option<&Tie>, now: LogTime) -> bool {
        tie.is_none_or(|tie| self.ends(tie, now).is_some())
    }

    /// What a command comes to, and the session that ended by it.
    pub(super) fn take(&mut self, at: Moment, name: &str, args: &Value) -> (Expected, Option<Tie>) {
        let id = id(args, "id");
        if name == "sessions.open" {
            return self.open(at, id, us(args, "ttl").expect("sessions have one"));
        }
        let version = args["version"].as_u64();
        let open = self.open_now(&id, at.time);
        let open = open.filter(|open| version.is_none_or(|version| open.version == version));
        let Some(Session { version, ttl, .. }) = open.cloned() else {
            return (Expected::Refused("session_not_found", json!({ "session": id })), None);
        };
        if name == "sessions.close" {
            self.0.remove(&id);
            let told = json!({ "outcome": "closed", "version": version });
            return (Expected::Done(told), Some((id, version)));
        }
        let ttl = us(args, "ttl").unwrap_or(ttl);
        let ends = at.after(ttl);
        self.0.insert(id, Session { version, ends, ttl });
        let told = json!({ "outcome": "renewed", "version": version, "expires_at": time(ends) });
        (Expected::Done(told), None)
    }

    /// One that is over, and had this id, ends now at the latest.
    fn open(&mut self, at: Moment, id: String, ttl: u64) -> (Expected, Option<Tie>) {
        let before = self.open_now(&id, at.time).cloned();
        let existed = before.is_some();
        let fresh = Session { version: at.version, ends: at.after(ttl), ttl };
        let session = before.unwrap_or(fresh);
        let told = json!({
            "outcome": "opened",
            "existed": if existed { json!(true) } else { Value::Null },
            "version": session.version,
            "expires_at": time(session.ends),
        });
        let before = self.0.insert(id.clone(), session).map(|before| (id, before.version));
        (Expected::Done(told), before.filter(|_| !existed))
    }

    /// What a list of those that are open shows.
    pub(super) fn shown(&self, now: LogTime) -> Value {
        let open = self.0.iter().filter(|(_, session)| session.ends > now);
        let shown = open.map(|(id, session)| {
            json!({ "id": id, "version": session.version, "expires_at": time(session.ends) })
        });
        json!({ "sessions": shown.collect::<Vec<_>>() })
    }
}
