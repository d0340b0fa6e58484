//! The change feed over HTTP: `/v1/changes`.
//!
//! Every committed write of the caller's namespace, in version order, from any
//! version that the log still has. As JSON it is a long poll: the answer holds
//! transactions after `after` and the cursor `next` to ask with again. With
//! `Accept: text/event-stream` it is a stream of events whose ids are versions, so
//! that a client that reconnects goes on where it was (`Last-Event-ID`).
//!
//! Rows are shown as they are stored, fields by number ([`cbor`]); only tables that
//! a primitive declares are shown, so neither idempotency records nor timers are.

pub mod cbor;
mod follower;
pub mod render;

use std::{sync::Arc, time::Duration};

use holdfast_engine::FeedError;
use holdfast_node::TableInfo;
use holdfast_state::{Namespace, Version};
use hyper::{Request, StatusCode, body::Incoming};
use serde::Serialize;
use tokio::time::Instant;

use follower::Follower;
use render::Transaction;

use crate::{
    conventions,
    events::{self, EventStream, LAST_EVENT_ID},
    problem::{Kind, Problem},
    query,
    reply::{self, Reply},
    service::Shared,
};

/// Transactions in one answer when the request does not say.
const LIMIT: usize = 100;
/// The most it may ask for.
const LIMIT_MAX: usize = 1_000;
/// Bytes of log looked at for one answer.
const PAGE_BYTES: usize = 1 << 20;

/// What a reader of the feed wants.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) namespace: Namespace,
    /// The last version that the reader has.
    pub(crate) after: Version,
    /// Only these tables; all of them when there are none.
    pub(crate) tables: Vec<TableInfo>,
    /// Only rows whose keys begin with these parts.
    pub(crate) key: Vec<String>,
    pub(crate) limit: usize,
    wait: Duration,
}

/// What a page of the feed looks like.
#[derive(Serialize)]
struct Page {
    transactions: Vec<Transaction>,
    /// Ask again with `after` = this.
    next: u64,
}

/// Answers a request for the feed.
///
/// # Errors
/// `malformed_request`, `changes_trimmed`, `version_not_reached`, `unavailable`,
/// `overloaded`
pub(crate) async fn follow(
    shared: &Arc<Shared>,
    namespace: Namespace,
    request: &Request<Incoming>,
) -> Result<Reply, Problem> {
    let wanted = read(shared, namespace, request)?;
    let follower = Follower::begin(Arc::clone(shared), wanted).await?;
    if events::are_wanted(request.headers()) {
        let begin = b": holdfast change feed\n\n";
        return Ok(reply::events(EventStream::new(begin, Box::new(follower))));
    }
    poll(follower).await
}

async fn poll(mut follower: Follower) -> Result<Reply, Problem> {
    let deadline = Instant::now() + follower.wanted().wait;
    let mut transactions = Vec::new();
    while transactions.is_empty()
        && follower.wait(deadline).await.map_err(|error| problem(&error))?
    {
        transactions = follower.advance().await.map_err(|error| problem(&error))?;
    }
    let next = follower.wanted().after;
    let page = Page { transactions, next: next.get() };
    let body = serde_json::to_vec(&page).expect("it is plain data");
    let mut response = reply::json(StatusCode::OK, body.into());
    reply::place(&mut response, holdfast_node::At::here(next));
    Ok(response)
}

fn read(
    shared: &Shared,
    namespace: Namespace,
    request: &Request<Incoming>,
) -> Result<Wanted, Problem> {
    let mut wanted = Wanted {
        namespace,
        after: Version::ZERO,
        tables: Vec::new(),
        key: Vec::new(),
        limit: LIMIT,
        wait: Duration::ZERO,
    };
    let known = shared.node.registry().tables();
    let wait_max = shared.limits.changes_wait_max;
    for (name, value) in query::fields(request.uri().query().unwrap_or_default())? {
        match name.as_ref() {
            "after" => wanted.after = Version::new(number(&name, &value, u64::MAX)?),
            "wait" => {
                wanted.wait = Duration::from_secs(number(&name, &value, wait_max.as_secs())?);
            }
            "limit" => {
                let limit = number(&name, &value, LIMIT_MAX as u64)?.max(1);
                wanted.limit = usize::try_from(limit).unwrap_or(LIMIT_MAX);
            }
            "table" => {
                let table = known.iter().find(|table| table.name == value);
                let table = table.ok_or_else(|| malformed(&name, "no table has this name"))?;
                wanted.tables.push(*table);
            }
            "key" => wanted.key.push(value.into_owned()),
            other => return Err(malformed(other, "expected after, table, key, wait or limit")),
        }
    }
    // A client that reconnects sends the URL of its first request and where it was.
    if let Some(id) = conventions::text(request.headers(), &LAST_EVENT_ID)? {
        let id = id.parse().map_err(|_| conventions::invalid(&LAST_EVENT_ID, "not a version"))?;
        wanted.after = Version::new(id);
    }
    if wanted.tables.is_empty() {
        wanted.tables = known.to_vec();
    }
    Ok(wanted)
}

fn number(name: &str, text: &str, max: u64) -> Result<u64, Problem> {
    let number = text.parse().ok().filter(|number| *number <= max);
    number.ok_or_else(|| malformed(name, &format!("expected a number up to {max}")))
}

fn malformed(name: &str, what: &str) -> Problem {
    Problem::new(Kind::MalformedRequest, format_args!("{name}: {what}"))
}

/// Why the feed has nothing to give, as clients are told.
pub(crate) fn problem(error: &FeedError) -> Problem {
    match error {
        FeedError::Gone { oldest } => {
            Problem::new(Kind::ChangesTrimmed, error).fact("oldest", oldest.get())
        }
        FeedError::Stopped => Problem::new(Kind::Unavailable, error),
        FeedError::Log(_) | FeedError::Broken(_) => {
            tracing::error!(%error, "the change feed cannot read the log");
            Problem::new(Kind::Unavailable, "the log cannot be read back")
        }
    }
}
