//! The change feed: what was committed, in version order, page by page.
//!
//! [`Client::changes`](crate::Client::changes) is one page, waited for where there is none yet: a long poll, which
//! is a call like any other, with tries and other nodes. [`Following`] goes from page to page. Where the
//! node that is asked has not come as far as the reader, it is asked again shortly.

use std::time::Duration;

use serde::Deserialize;

use crate::{
    answer::Answer,
    client::Client,
    command::{Kind, Method, Target, Wire},
    error::Error,
    json::Json,
    request::Options,
};

/// The longest that servers wait for something to answer with.
pub const WAIT_MAX: Duration = Duration::from_secs(60);

/// What to see of the feed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangesSpec {
    /// Changes after this version; 0 for all that the log still has.
    pub after: u64,
    /// Only this table; all tables if none is named.
    pub table: Option<String>,
    /// Only rows whose keys begin with these parts.
    pub key: Vec<String>,
    /// How long to wait for the first change, in whole seconds up to a minute.
    pub wait: Duration,
    /// Transactions in one page; 100 if nothing is said.
    pub limit: Option<u64>,
}

/// A page of the feed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ChangesPage {
    /// What was committed, in order; perhaps nothing.
    pub transactions: Vec<ChangedTransaction>,
    /// The `after` of the next page. It moves on past what the reader does not see.
    pub next: u64,
}

/// A transaction, as far as the reader sees it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ChangedTransaction {
    /// Its version.
    pub version: u64,
    /// Its log time, RFC 3339.
    pub time: String,
    /// What it changed, in the order in which it did.
    pub changes: Vec<RowChange>,
}

/// A change of one row, or of a range of them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct RowChange {
    /// What became of it.
    pub op: Op,
    /// The table.
    pub table: String,
    /// The parts of the row's key; absent for a range.
    pub key: Option<Vec<serde_json::Value>>,
    /// The row's fields by number, of a put.
    pub row: Option<Json>,
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Op {
    /// It is this now.
    Put,
    /// It is no more.
    Delete,
    /// All in a range are no more.
    DeleteRange,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl ChangesSpec {
    fn wire(&self) -> Wire {
        let mut target = Target::at("/v1/changes").field("after", &self.after);
        target = target.field("table", &self.table).field("limit", &self.limit);
        for part in &self.key {
            target = target.field("key", part);
        }
        let wait = self.wait.min(WAIT_MAX);
        let target = target.field("wait", &wait.as_secs()).finish();
        Wire { method: Method::Get, target, body: bytes::Bytes::new(), kind: Kind::Query, wait }
    }
}

impl Client {
    /// A page of the feed, waited for. An empty one when nothing came in time.
    ///
    /// # Errors
    /// [`Error`]; `changes_trimmed` when the log does not go back so far.
    pub async fn changes(&self, spec: &ChangesSpec) -> Result<Answer<ChangesPage>, Error> {
        let answer = self.send(&spec.wire(), &Options::default()).await?;
        let command = || "the change feed".to_owned();
        answer.read().map_err(|source| Error::Unreadable { command: command(), source })
    }

    /// Follows the feed from here on.
    #[must_use]
    pub fn follow(&self, spec: ChangesSpec) -> Following {
        Following { client: self.clone(), spec }
    }
}

/// A reader of the feed on its way.
#[derive(Debug)]
pub struct Following {
    client: Client,
    spec: ChangesSpec,
}

impl Following {
    /// The next transactions that the reader sees; waits until there are some. Dropped before it is
    /// done it has skipped nothing.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn next(&mut self) -> Result<Vec<ChangedTransaction>, Error> {
        loop {
            let page = self.client.changes(&self.spec).await?.outcome;
            self.spec.after = page.next;
            if !page.transactions.is_empty() {
                return Ok(page.transactions);
            }
        }
    }

    /// Where it stands: everything up to this version was seen.
    #[must_use]
    pub const fn after(&self) -> u64 {
        self.spec.after
    }
}
