//! The primitives without any machinery, together: what each command must have come to in the
//! order of the log, and what the state must show behind it.
//!
//! It is told of every transaction with its version and log time, and knows nothing of rows,
//! timers or nodes. What happens unasked (a lease passes on, a document goes) it sees in the
//! state and holds to the rules of when it may.

mod composed;

use serde_json::Value;

use super::{
    COMPOSED, Command, Said, Showing,
    documents::naive::Documents,
    expected::{Expected, Judged, Moment},
    leases::naive::Leases,
    limits::naive::Limits,
    sessions::Sessions,
    topics::naive::Topics,
};
use crate::sim::trace::Counts;

/// Everything that primitives keep.
#[derive(Clone, Debug, Default)]
pub(in crate::sim) struct Naive {
    sessions: Sessions,
    documents: Documents,
    leases: Leases,
    limits: Limits,
    topics: Topics,
    counts: Counts,
}

impl Naive {
    /// Somebody asked for this and was answered so.
    ///
    /// # Errors
    /// When that cannot be.
    pub(in crate::sim) fn take(&mut self, at: Moment, asked: &Command, said: &Said) -> Judged {
        if asked.name == COMPOSED {
            return self.composed(at, &asked.args, said);
        }
        self.one(at, (asked.name, &asked.args), Some(said))
    }

    fn one(&mut self, at: Moment, (name, args): (&str, &Value), said: Option<&Said>) -> Judged {
        let (primitive, _) = name.split_once('.').expect("names have a primitive");
        let expected = match primitive {
            "sessions" => {
                let (expected, ended) = self.sessions.take(at, name, args);
                if let Some(tie) = ended {
                    self.leases.let_go(&self.sessions, at, &tie);
                }
                expected
            }
            "leases" => self.leases.take(&self.sessions, at, (name, args)),
            "limits" => self.limits.take(at, (name, args)),
            "topics" | "groups" | "queues" => return self.topics.take(at, (name, args), said),
            "documents" => self.documents.take(&self.sessions, at, (name, args)),
            other => unreachable!("nobody asks {other}"),
        };
        expected.compare(said)
    }

    /// Compares with the state behind a transaction that touched tables of this primitive.
    ///
    /// # Errors
    /// When they differ, and may not.
    pub(in crate::sim) fn compare(
        &mut self,
        at: Moment,
        primitive: &str,
        showing: &Showing,
    ) -> Judged {
        match primitive {
            "sessions" => {
                let said = showing.ask("sessions.list", Value::Object(serde_json::Map::new()));
                Expected::Done(self.sessions.shown(at.time)).compare(Some(&said))?;
                self.documents.compare(&self.sessions, at, showing)?;
                self.leases.compare(&self.sessions, at, showing)
            }
            "documents" => self.documents.compare(&self.sessions, at, showing),
            "leases" => self.leases.compare(&self.sessions, at, showing),
            "topics" => self.topics.compare(at, showing),
            _ => Ok(()),
        }
    }

    /// What must be so when all faults are over, and no timer is due.
    ///
    /// # Errors
    /// What is not.
    pub(in crate::sim) fn ends(&self, at: Moment) -> Judged {
        self.leases.ends(&self.sessions, at.time)?;
        self.topics.ends(at)
    }

    /// How often what happened.
    pub(in crate::sim) fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let own = [&self.documents.counts, &self.leases.counts, &self.limits.counts, &self.counts];
        let own = own.into_iter().flatten().map(|(what, count)| (*what, *count));
        own.chain(self.topics.all_counts())
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_insert(0) += 1;
    }
}

#[cfg(test)]
mod tests;
