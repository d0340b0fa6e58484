//! One try: a request to one server, and what its answer means for the call.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    HeaderMap, Request, Response, StatusCode,
    body::Incoming,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER},
};

use crate::{
    answer::{At, WireAnswer},
    client::Shared,
    command::{Kind, Wire},
    error::Trouble,
    key::IdempotencyKey,
    problem::{Problem, Retry},
    request::{Consistency, Options},
    servers::Server,
};

/// The largest answer that is taken, in bytes.
const ANSWER_BYTES_MAX: usize = 64 << 20;

const IDEMPOTENCY_KEY: &str = "idempotency-key";
const IDEMPOTENCY_REPLAYED: &str = "idempotency-replayed";
const AT: &str = "holdfast-at";
const AFTER: &str = "holdfast-after";
const CONSISTENCY: &str = "holdfast-consistency";
const DEADLINE_MS: &str = "holdfast-deadline-ms";

/// What a try came to.
#[derive(Debug)]
pub(crate) enum Tried {
    /// An outcome.
    Answered(WireAnswer),
    /// A problem that stays one.
    Refused(Box<Problem>),
    /// It has no form that HTTP could carry.
    Unsendable(String),
    /// No answer; another try may bring one.
    Again(Again),
}

/// A try in vain.
#[derive(Debug)]
pub(crate) struct Again {
    pub(crate) trouble: Trouble,
    /// For all that is known.
    pub(crate) may_have_happened: bool,
    /// It may well go on like this.
    pub(crate) failing: bool,
    /// Another server may know better; else none does.
    pub(crate) elsewhere: bool,
    /// How long the server wants to be left alone.
    pub(crate) rest: Option<Duration>,
}

impl Again {
    fn new(trouble: Trouble, may_have_happened: bool) -> Self {
        Self { trouble, may_have_happened, failing: false, elsewhere: true, rest: None }
    }

    pub(crate) fn slow(server: &Server) -> Self {
        Self::new(Trouble::Slow { server: server.authority().to_owned() }, true)
    }
}

/// Asks one server.
pub(crate) async fn attempt(
    client: &Shared,
    server: &Server,
    wire: &Wire,
    options: &Options,
    key: Option<&IdempotencyKey>,
    within: Duration,
) -> Tried {
    let request = match request(client, server, wire, options, key, within) {
        Ok(request) => request,
        Err(error) => return Tried::Unsendable(error.to_string()),
    };
    let name = || server.authority().to_owned();
    match client.http.request(request).await {
        Ok(response) => read(server, response).await,
        Err(error) if error.is_connect() => {
            let trouble = Trouble::Connect { server: name(), message: deepest(&error) };
            Tried::Again(Again::new(trouble, false))
        }
        Err(error) => {
            let trouble = Trouble::Broken { server: name(), message: deepest(&error) };
            Tried::Again(Again::new(trouble, true))
        }
    }
}

fn request(
    client: &Shared,
    server: &Server,
    wire: &Wire,
    options: &Options,
    key: Option<&IdempotencyKey>,
    within: Duration,
) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
    let ms = u64::try_from(within.as_millis()).unwrap_or(u64::MAX).max(1);
    let mut request = Request::builder()
        .method(wire.method.name())
        .uri(server.uri(&wire.target)?)
        .header(DEADLINE_MS, ms);
    if wire.method.takes_body() {
        request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if let Some(key) = key {
        request = request.header(IDEMPOTENCY_KEY, key.as_str());
    }
    if let Some(after) = options.after {
        request = request.header(AFTER, after.to_string());
    }
    if wire.kind == Kind::Query && options.consistency != Consistency::Linearizable {
        request = request.header(CONSISTENCY, options.consistency.to_string());
    }
    if let Some(authorization) = &client.authorization {
        request = request.header(AUTHORIZATION, authorization.clone());
    }
    request.body(Full::new(wire.body.clone()))
}

async fn read(server: &Server, response: Response<Incoming>) -> Tried {
    let (head, body) = response.into_parts();
    let body = match Limited::new(body, ANSWER_BYTES_MAX).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => {
            let (server, message) = (server.authority().to_owned(), error.to_string());
            return Tried::Again(Again::new(Trouble::Broken { server, message }, true));
        }
    };
    let at = text(&head.headers, AT).and_then(|at| at.parse::<At>().ok());
    let replayed = text(&head.headers, IDEMPOTENCY_REPLAYED).is_some();
    if head.status.is_success() {
        return Tried::Answered(WireAnswer { outcome: body, at, replayed });
    }
    match serde_json::from_slice::<Problem>(&body) {
        Ok(problem) => judge(server, Problem { at, replayed, ..problem }, rest(&head.headers)),
        Err(_) => foreign(server, head.status),
    }
}

/// What a problem means for the call.
fn judge(server: &Server, problem: Problem, rest: Option<Duration>) -> Tried {
    // A refusal may say that it would be another one later, but it is the answer under this key.
    let passes = problem.status >= 500
        || matches!(&*problem.code, "request_timeout" | "version_not_reached");
    let may_have_happened = problem.retry == Retry::SameKey;
    if !passes || (problem.status >= 500 && problem.retry == Retry::Never) {
        return Tried::Refused(Box::new(problem));
    }
    let failing = problem.code == "internal";
    // Whoever is asked, the one that leads does the work.
    let elsewhere = problem.code != "overloaded";
    let server = server.authority().to_owned();
    let trouble = Trouble::NotNow { server, problem: Box::new(problem) };
    Tried::Again(Again { trouble, may_have_happened, failing, elsewhere, rest })
}

fn foreign(server: &Server, status: StatusCode) -> Tried {
    let trouble =
        Trouble::Foreign { server: server.authority().to_owned(), status: status.as_u16() };
    Tried::Again(Again { failing: true, ..Again::new(trouble, true) })
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn rest(headers: &HeaderMap) -> Option<Duration> {
    text(headers, RETRY_AFTER.as_str())?.parse().ok().map(Duration::from_secs)
}

/// What lies at the bottom of an error: what the system said.
fn deepest(error: &(dyn std::error::Error + 'static)) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}
