//! Documents in a map, for people to believe.

use std::collections::BTreeMap;

use serde_json::Value as Json;

/// Collection and id, by number.
pub(crate) type Name = (u8, u8);

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Document {
    pub(crate) value: Json,
    pub(crate) version: u64,
    pub(crate) created: u64,
    /// In microseconds of the test's clock.
    pub(crate) ends: Option<u64>,
    /// Which session of all there ever were it hangs on.
    session: Option<u64>,
}

/// What a caller believes the document's version to be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Belief {
    None,
    /// It is there.
    There,
    /// It is not.
    Absent,
    /// It is at the version that it has.
    Right,
    /// It is at the version before that.
    Wrong,
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Put { name: Name, value: Json, ends_in: Option<u64>, session: Option<u8>, belief: Belief },
    Patch { name: Name, patch: Json, ends_in: Option<u64>, session: Option<u8>, belief: Belief },
    Delete { name: Name, belief: Belief },
    Check { name: Name, belief: Belief },
    Open { session: u8, ttl: u64 },
    Close { session: u8 },
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Naive {
    pub(crate) documents: BTreeMap<Name, Document>,
    /// The transaction's.
    pub(crate) version: u64,
    pub(crate) now: u64,
    /// By number: which of all there ever were, and when it ends.
    sessions: BTreeMap<u8, (u64, u64)>,
    lives: u64,
}

impl Naive {
    /// Time passes; what is over goes.
    pub(crate) fn pass(&mut self, us: u64) {
        self.now += us;
        let now = self.now;
        self.sessions.retain(|_, (_, ends)| *ends > now);
        self.documents.retain(|_, document| document.ends.is_none_or(|ends| ends > now));
        self.clear();
    }

    /// Takes away what hangs on sessions that are over.
    fn clear(&mut self) {
        let open = |life| self.sessions.values().any(|(own, _)| *own == life);
        self.documents.retain(|_, document| document.session.is_none_or(open));
    }

    /// Takes the steps as one transaction: all, or none and why.
    pub(crate) fn take(&mut self, version: u64, steps: &[Step]) -> Result<Vec<String>, String> {
        let before = self.clone();
        self.version = version;
        let done: Result<Vec<_>, _> = steps.iter().map(|step| self.step(step)).collect();
        if done.is_err() {
            *self = before;
        }
        done
    }

    pub(crate) fn step(&mut self, step: &Step) -> Result<String, String> {
        let version = self.version;
        match step {
            Step::Put { name, value, ends_in, session, belief } => {
                self.believe(*name, *belief)?;
                let session = match session {
                    Some(session) => Some(self.sessions.get(session).ok_or("session_not_found")?.0),
                    None => None,
                };
                let ends = ends_in.map(|us| self.now + us);
                let old = self.documents.get(name);
                let created = old.map_or(version, |old| old.created);
                let did = if old.is_some() { "replaced" } else { "created" };
                let document = Document { value: value.clone(), version, created, ends, session };
                self.documents.insert(*name, document);
                Ok(did.to_owned())
            }
            Step::Patch { name, patch, ends_in, session, belief } => {
                self.believe(*name, *belief)?;
                let now = self.now;
                let old = self.documents.get_mut(name).ok_or("document_not_found")?;
                if let Some(session) = session {
                    old.session = Some(self.sessions.get(session).ok_or("session_not_found")?.0);
                }
                old.value = merged(std::mem::take(&mut old.value), patch);
                old.version = version;
                old.ends = ends_in.map(|us| now + us).or(old.ends);
                Ok("patched".to_owned())
            }
            Step::Delete { name, belief } => {
                self.believe(*name, *belief)?;
                let old = self.documents.remove(name).ok_or("document_not_found")?;
                Ok(format!("deleted {}", old.version))
            }
            Step::Check { name, belief: Belief::None } => self.check(*name, Belief::There),
            Step::Check { name, belief } => self.check(*name, *belief),
            Step::Open { session, ttl } => {
                self.lives += 1;
                let life = (self.lives, self.now + ttl);
                self.sessions.entry(*session).or_insert(life);
                Ok("opened".to_owned())
            }
            Step::Close { session } => {
                self.sessions.remove(session).ok_or("session_not_found")?;
                self.clear();
                Ok("closed".to_owned())
            }
        }
    }

    fn check(&self, name: Name, belief: Belief) -> Result<String, String> {
        self.believe(name, belief)?;
        Ok(format!("holds {:?}", self.documents.get(&name).map(|document| document.version)))
    }

    fn believe(&self, name: Name, belief: Belief) -> Result<(), String> {
        let there = self.documents.contains_key(&name);
        let so = match belief {
            Belief::None => true,
            Belief::There | Belief::Right => there,
            Belief::Absent => !there,
            Belief::Wrong => false,
        };
        if so { Ok(()) } else { Err("precondition_failed".to_owned()) }
    }
}

/// RFC 7396, as it is written there.
fn merged(target: Json, patch: &Json) -> Json {
    let Json::Object(changes) = patch else { return patch.clone() };
    let mut object = match target {
        Json::Object(object) => object,
        _ => serde_json::Map::new(),
    };
    for (name, change) in changes {
        if change.is_null() {
            object.remove(name);
        } else {
            let old = object.remove(name).unwrap_or(Json::Null);
            object.insert(name.clone(), merged(old, change));
        }
    }
    Json::Object(object)
}
