//! Documents in a map, for people to believe.
//!
//! A document whose time is over, or whose session is, is not there, whether or not anything
//! took it away; so nothing that happens unasked needs to be told.

use std::collections::BTreeMap;

use holdfast_state::LogTime;
use serde_json::{Value, json};

use super::{
    super::{
        Showing,
        expected::{Expected, Judged, Moment, id, text, time, us},
        sessions::{Sessions, Tie},
    },
    COLLECTION, INDEX, NUMBER,
};
use crate::sim::trace::Counts;

#[derive(Clone, Debug)]
struct Document {
    version: u64,
    created: u64,
    updated_at: LogTime,
    value: Value,
    ends: Option<LogTime>,
    tie: Option<Tie>,
}

/// All documents, by collection and id.
#[derive(Clone, Debug, Default)]
pub(in crate::sim::primitives) struct Documents {
    stored: BTreeMap<(String, String), Document>,
    /// There is an index.
    indexed: bool,
    pub(in crate::sim::primitives) counts: Counts,
}

impl Document {
    fn is_there(&self, sessions: &Sessions, now: LogTime) -> bool {
        self.ends.is_none_or(|ends| ends > now) && sessions.counts(self.tie.as_ref(), now)
    }

    fn shown(&self, (collection, id): &(String, String)) -> Value {
        json!({
            "collection": collection, "id": id,
            "version": self.version, "created_version": self.created,
            "updated_at": time(self.updated_at), "expires_at": self.ends.map(time),
            "session": self.tie.as_ref().map(|(session, _)| session), "value": self.value,
        })
    }
}

impl Documents {
    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_insert(0) += 1;
    }

    /// What a command comes to.
    pub(in crate::sim::primitives) fn take(
        &mut self,
        sessions: &Sessions,
        at: Moment,
        (name, args): (&str, &Value),
    ) -> Expected {
        match name {
            "documents.list" => self.list(sessions, at.time, &id(args, "collection")),
            "documents.query" => self.query(sessions, at.time, args.get("equals")),
            "documents.create_index" => {
                let existed = std::mem::replace(&mut self.indexed, true);
                let existed = if existed { json!(true) } else { Value::Null };
                Expected::Done(json!({ "outcome": "created", "existed": existed }))
            }
            "documents.drop_index" => {
                if std::mem::take(&mut self.indexed) {
                    Expected::Done(json!({ "outcome": "dropped" }))
                } else {
                    Expected::Refused("index_not_found", json!({ "index": INDEX }))
                }
            }
            _ => self.about_one(sessions, at, (name, args)),
        }
    }

    fn about_one(
        &mut self,
        sessions: &Sessions,
        at: Moment,
        (name, args): (&str, &Value),
    ) -> Expected {
        let place = (id(args, "collection"), id(args, "id"));
        let there = self.stored.get(&place).filter(|found| found.is_there(sessions, at.time));
        let there = there.cloned();
        if there.is_none() && self.stored.remove(&place).is_some() {
            self.count("documents: were over when somebody came");
        }
        if let Some(unmet) = unmet(args, there.as_ref().map(|found| found.version)) {
            self.count("documents: conditions unmet");
            let version = there.map(|found| found.version);
            let facts = json!({ "condition": unmet, "version": version });
            return Expected::Refused("precondition_failed", facts);
        }
        if name == "documents.put" {
            return self.put(sessions, at, place, (there, args));
        }
        let Some(there) = there else {
            let facts = json!({ "collection": place.0, "id": place.1 });
            return Expected::Refused("document_not_found", facts);
        };
        match name {
            "documents.get" => Expected::Done(there.shown(&place)),
            "documents.delete" => {
                self.stored.remove(&place);
                let version = there.version;
                Expected::Done(json!({ "outcome": "deleted", "deleted_version": version }))
            }
            "documents.patch" => self.patch(at, place, (there, args)),
            other => unreachable!("nobody asks {other}"),
        }
    }

    fn patch(
        &mut self,
        at: Moment,
        place: (String, String),
        (there, args): (Document, &Value),
    ) -> Expected {
        let mut value = there.value;
        merge(&mut value, &args["patch"]);
        let ends = us(args, "expires_in").map(|us| at.after(us)).or(there.ends);
        let (version, updated_at) = (at.version, at.time);
        let document = Document { version, updated_at, value, ends, ..there };
        let mut told = document.shown(&place);
        told["outcome"] = json!("patched");
        self.stored.insert(place, document);
        Expected::Done(told)
    }

    fn put(
        &mut self,
        sessions: &Sessions,
        at: Moment,
        place: (String, String),
        (there, args): (Option<Document>, &Value),
    ) -> Expected {
        let session = text(args, "session");
        let tie = session.as_deref().and_then(|session| sessions.tie(session, at.time));
        if session.is_some() && tie.is_none() {
            return Expected::Refused("session_not_found", json!({ "session": session }));
        }
        if args.get("if_match").is_some() {
            self.count("documents: compared and set");
        }
        let document = Document {
            version: at.version,
            created: there.as_ref().map_or(at.version, |there| there.created),
            updated_at: at.time,
            value: args["value"].clone(),
            ends: us(args, "expires_in").map(|us| at.after(us)),
            tie,
        };
        let mut told = document.shown(&place);
        told.as_object_mut().expect("a document").remove("value");
        told["outcome"] = json!(if there.is_some() { "replaced" } else { "created" });
        self.stored.insert(place, document);
        Expected::Done(told)
    }

    fn of<'a>(
        &'a self,
        sessions: &'a Sessions,
        now: LogTime,
        collection: &'a str,
    ) -> impl Iterator<Item = (&'a (String, String), &'a Document)> {
        let there = self.stored.iter().filter(move |(_, found)| found.is_there(sessions, now));
        there.filter(move |((of, _), _)| of == collection)
    }

    fn list(&self, sessions: &Sessions, now: LogTime, collection: &str) -> Expected {
        let shown = self.of(sessions, now, collection).map(|(place, found)| found.shown(place));
        Expected::Done(json!({ "documents": shown.collect::<Vec<_>>() }))
    }

    /// Those that the index has, by number and id; all of them, or of one number.
    fn query(&self, sessions: &Sessions, now: LogTime, equals: Option<&Value>) -> Expected {
        if !self.indexed {
            return Expected::Refused("index_not_found", json!({ "index": INDEX }));
        }
        let numbered = self.of(sessions, now, COLLECTION).filter_map(|(place, found)| {
            let number = found.value.get(NUMBER)?;
            let asked = equals.is_none_or(|equals| equals == number);
            asked.then(|| (number.as_u64(), &place.1, found.shown(place)))
        });
        let mut found: Vec<_> = numbered.collect();
        found.sort_by_key(|(number, id, _)| (*number, *id));
        let shown: Vec<_> = found.into_iter().map(|(.., shown)| shown).collect();
        Expected::Done(json!({ "documents": shown }))
    }

    /// Compares everything with the state behind a transaction.
    pub(in crate::sim::primitives) fn compare(
        &self,
        sessions: &Sessions,
        at: Moment,
        showing: &Showing,
    ) -> Judged {
        for collection in [COLLECTION, super::super::leases::JOURNAL] {
            let said = showing.ask("documents.list", json!({ "collection": collection }));
            self.list(sessions, at.time, collection).compare(Some(&said))?;
        }
        let all = json!({ "collection": COLLECTION, "index": INDEX });
        let said = showing.ask("documents.query", all);
        self.query(sessions, at.time, None).compare(Some(&said))
    }
}

/// The condition of a request that does not hold of the version that is there.
fn unmet(args: &Value, there: Option<u64>) -> Option<&'static str> {
    match args.get("if_match") {
        Some(version) if version.as_u64() != there => return Some("if_match"),
        Some(_) | None => {}
    }
    (args.get("if_none_match").is_some() && there.is_some()).then_some("if_none_match")
}

/// RFC 7396, of objects that have no objects in them.
fn merge(value: &mut Value, patch: &Value) {
    let patch = patch.as_object().expect("patches are objects");
    for (name, set) in patch {
        let members = value.as_object_mut().expect("documents are objects");
        match set {
            Value::Null => members.remove(name),
            set => members.insert(name.clone(), set.clone()),
        };
    }
}
