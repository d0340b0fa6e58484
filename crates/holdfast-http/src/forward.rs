//! Sending requests on to the node that leads, so that a client may ask any node.
//!
//! A node that follows sends on what it cannot answer: commands that write, and reads that
//! are to be linearizable. The request goes as it came, credentials included; the leader
//! decides all over again who may what and whether it was asked before, and its answer
//! comes back as it is, `Holdfast-At` and all.
//!
//! A request is sent on once: it bears [`FORWARDED`] then, and a node that gets such a
//! request and does not lead answers `not_leader`. Nothing is tried a second time here. A
//! leader that could not be reached was not asked, which is `not_leader` too; one whose answer
//! does not come leaves it open whether it happened, and the client repeats its key.

use std::time::Duration;

use bytes::Bytes;
use holdfast_engine::{Leader, Phase};
use holdfast_node::Consistency;
use holdfast_state::command::{Entry, Kind as CommandKind};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    HeaderMap, Request, Response, Uri,
    body::Incoming,
    header::{
        CONNECTION, CONTENT_LENGTH, DATE, EXPECT, HOST, HeaderName, HeaderValue, TE, TRAILER,
        TRANSFER_ENCODING, UPGRADE,
    },
    http::uri::Scheme,
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

use crate::{
    conventions::Conventions,
    endpoint::body_of,
    problem::{Kind, Problem},
    reply::{self, Reply},
    service::Shared,
};

/// Says that a node sent the request on, and which: `Holdfast-Forwarded: holdfast-1`.
pub const FORWARDED: HeaderName = HeaderName::from_static("holdfast-forwarded");

/// The largest answer taken from a leader, in bytes: more than any command answers.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// How long connecting to a leader may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);

/// Connections to a leader that are kept though nobody uses them.
const IDLE_CONNECTIONS_MAX: usize = 64;

/// Fields that belong to one connection (RFC 9110, section 7.6.1), or that each hop makes anew.
const OF_ONE_HOP: [HeaderName; 11] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    HOST,
    CONTENT_LENGTH,
    EXPECT,
    DATE,
];

/// A node's connections to whoever leads.
#[derive(Debug)]
pub struct Forwarder(Client<HttpConnector, Full<Bytes>>);

impl Default for Forwarder {
    fn default() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_WITHIN));
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .build(connector);
        Self(client)
    }
}

/// The leader that has to answer this request, if this node cannot and knows where that is.
///
/// # Errors
/// `invalid_header`
pub fn leader_for(
    shared: &Shared,
    entry: &Entry,
    headers: &HeaderMap,
) -> Result<Option<Leader>, Problem> {
    let Phase::Following { leader: Some(leader) } = shared.node.partition().phase() else {
        return Ok(None);
    };
    if leader.address.is_empty() || headers.contains_key(FORWARDED) {
        return Ok(None);
    }
    let needs_it = match entry.kind {
        CommandKind::Write => true,
        CommandKind::Query => {
            let asked = Conventions::read(headers, &shared.limits)?;
            asked.consistency == Consistency::Linearizable
        }
    };
    Ok(needs_it.then_some(leader))
}

/// Has the leader answer.
///
/// # Errors
/// `not_leader` when it was not reached, `outcome_unknown` and `deadline_exceeded` when no
/// answer came, and all that a body can be refused for.
pub async fn forward(
    shared: &Shared,
    entry: &Entry,
    leader: &Leader,
    request: Request<Incoming>,
) -> Result<Reply, Problem> {
    let (head, body) = request.into_parts();
    let waits = if entry.awaited { shared.limits.changes_wait_max } else { Duration::ZERO };
    let timeout = Conventions::read(&head.headers, &shared.limits)?.timeout + waits;
    let body = body_of(shared, entry, &head, body).await?;
    let mut onward = Request::new(Full::new(body));
    *onward.method_mut() = head.method;
    *onward.uri_mut() = uri_at(leader, &head.uri)?;
    *onward.headers_mut() = end_to_end(&head.headers);
    let name = HeaderValue::from_str(shared.node.name());
    let name = name.unwrap_or_else(|_| HeaderValue::from_static("node"));
    onward.headers_mut().insert(FORWARDED, name);
    let answering = async {
        let answer = shared.forwarder.0.request(onward).await.map_err(|error| {
            if error.is_connect() { not_reached(leader) } else { unknown(leader, &error) }
        })?;
        take(leader, answer).await
    };
    tokio::time::timeout(timeout, answering).await.unwrap_or_else(|_| {
        let detail = format_args!("{leader} gave no answer within {timeout:?}");
        Err(Problem::new(Kind::DeadlineExceeded, detail))
    })
}

async fn take(leader: &Leader, answer: Response<Incoming>) -> Result<Reply, Problem> {
    let (head, body) = answer.into_parts();
    let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error| unknown(leader, &error))?.to_bytes();
    let mut reply = reply::details(head.status, body);
    *reply.headers_mut() = end_to_end(&head.headers);
    Ok(reply)
}

fn uri_at(leader: &Leader, target: &Uri) -> Result<Uri, Problem> {
    let target = target.path_and_query().map_or("/", |target| target.as_str());
    let uri = Uri::builder().scheme(Scheme::HTTP).authority(leader.address.as_str());
    uri.path_and_query(target).build().map_err(|_| not_reached(leader))
}

/// The fields that go further than one connection.
fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let listed = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let listed: Vec<_> = listed.flat_map(|list| list.split(',')).map(str::trim).collect();
    let of_one_hop = |name: &HeaderName| {
        OF_ONE_HOP.contains(name)
            || listed.iter().any(|other| name.as_str().eq_ignore_ascii_case(other))
    };
    let kept = headers.iter().filter(|(name, _)| !of_one_hop(name));
    kept.fold(HeaderMap::with_capacity(headers.len()), |mut kept, (name, value)| {
        kept.append(name, value.clone());
        kept
    })
}

fn not_reached(leader: &Leader) -> Problem {
    holdfast_engine::Failure::NotLeader { leader: Some(leader.clone()) }.into()
}

fn unknown(leader: &Leader, error: &dyn std::fmt::Display) -> Problem {
    let detail = format_args!("{leader} was asked, and its answer did not come: {error}");
    Problem::new(Kind::OutcomeUnknown, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_one_connection_stay_behind() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "close, X-Mine"),
            ("x-mine", "1"),
            ("te", "trailers"),
            ("host", "a"),
            ("content-length", "3"),
            ("authorization", "Bearer x"),
            ("idempotency-key", "k"),
            ("accept", "a"),
            ("accept", "b"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        let kept = end_to_end(&headers);
        let names: Vec<_> = kept.iter().map(|(name, value)| (name.as_str(), value)).collect();
        assert_eq!(names.len(), 4, "{names:?}");
        assert_eq!(kept.get_all("accept").iter().count(), 2);
        assert!(kept.contains_key("authorization") && kept.contains_key("idempotency-key"));
    }
}
