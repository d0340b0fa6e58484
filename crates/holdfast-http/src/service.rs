//! One request: bounds, route, credentials, and what answers.
//!
//! Whatever happens, the client gets one response, the request is counted once,
//! and a panic is a 500 of this request and of no other.

use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Instant,
};

use holdfast_node::Node;
use hyper::{Request, body::Incoming, header::HeaderValue};
use tokio::sync::watch;

use crate::{
    changes, conventions, endpoint, exposition,
    forward::Forwarder,
    info,
    keys::{Keys, Principal, Role},
    limits::Limits,
    metrics::{HttpMetrics, Level},
    openapi, pages,
    problem::{Kind, Problem},
    query::Fields,
    receive::Budget,
    reply::{self, Reply},
    router::{BuiltIn, Router, Target},
};

/// Everything that connections have in common.
#[derive(Debug)]
pub struct Shared {
    /// Where commands run.
    pub node: Arc<Node>,
    /// What is allowed.
    pub limits: Limits,
    /// Who may ask.
    pub keys: Keys,
    /// What is counted.
    pub metrics: HttpMetrics,
    /// Memory for large bodies.
    pub bodies: Budget,
    /// The way to the node that leads.
    pub forwarder: Forwarder,
    /// Tells when the server is to stop.
    pub stopping: watch::Receiver<bool>,
    router: Router,
    openapi: bytes::Bytes,
    durability: HeaderValue,
}

impl Shared {
    /// What a server of this node shares.
    #[must_use]
    pub fn new(
        node: Arc<Node>,
        limits: Limits,
        keys: Keys,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let commands = node.registry().commands();
        let description = openapi::describe(node.registry());
        Self {
            metrics: HttpMetrics::new(commands.iter().map(|entry| entry.name)),
            router: Router::new(commands),
            openapi: serde_json::to_vec_pretty(&description).expect("it is plain data").into(),
            durability: HeaderValue::from_static(node.durability().as_str()),
            bodies: Budget::default(),
            forwarder: Forwarder::default(),
            node,
            limits,
            keys,
            stopping,
        }
    }
}

/// Answers a request.
///
/// # Errors
/// Never: what goes wrong is a response.
pub async fn handle(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Reply, Infallible> {
    let started = Instant::now();
    let described = tracing::enabled!(tracing::Level::DEBUG).then(|| describe(&request));
    let mut command = None;
    let result = match catch(answer(&shared, &mut command, request)).await {
        Ok(result) => result,
        Err(()) => Err(Problem::new(Kind::Internal, "the request met a bug").closing()),
    };
    let code = result.as_ref().err().map(|problem| problem.code);
    let mut response = result.unwrap_or_else(|problem| reply::problem(&problem));
    let headers = response.headers_mut();
    headers.insert(conventions::DURABILITY, shared.durability.clone());
    let took = started.elapsed();
    shared.metrics.record(command, response.status(), took);
    if let Some((method, path, trace)) = described {
        let status = response.status().as_u16();
        let at = response.headers().get(conventions::AT).and_then(|at| at.to_str().ok());
        let took_us = took.as_micros();
        tracing::debug!(method, path, status, code, at, took_us, trace, "request");
    }
    Ok(response)
}

/// Method, target and W3C trace context, for the log.
fn describe(request: &Request<Incoming>) -> (String, String, Option<String>) {
    let trace = request.headers().get("traceparent").and_then(|value| value.to_str().ok());
    (request.method().to_string(), request.uri().to_string(), trace.map(str::to_owned))
}

/// Runs a future; a panic in it is an error, and its message is in the log.
async fn catch<F: Future>(future: F) -> Result<F::Output, ()> {
    let mut future = pin!(future);
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(poll) => poll.map(Ok),
        Err(_) => Poll::Ready(Err(())),
    })
    .await
}

async fn answer(
    shared: &Arc<Shared>,
    command: &mut Option<usize>,
    request: Request<Incoming>,
) -> Result<Reply, Problem> {
    let in_progress = Level::rise(&shared.metrics.requests, shared.limits.requests_max);
    if in_progress.is_none() {
        let detail = "as many requests are in progress as may be";
        return Err(Problem::new(Kind::Overloaded, detail));
    }
    check_head(&request, &shared.limits)?;
    // Not a clone of the URI: that would share the connection's buffer.
    let path = request.uri().path().to_owned();
    let (target, parameters) = shared.router.find(request.method(), &path)?;
    match target {
        Target::Command(entry, index) => {
            *command = Some(index);
            let principal = shared.keys.identify(request.headers())?;
            endpoint::call(shared, entry, principal, parameters, request).await
        }
        Target::BuiltIn(built_in) => answer_ourselves(shared, built_in, &parameters, request).await,
    }
}

/// Bounds below those at which hyper gives up without an explanation.
fn check_head(request: &Request<Incoming>, limits: &Limits) -> Result<(), Problem> {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if target > limits.target_bytes_max {
        let max = limits.target_bytes_max;
        let detail = format_args!("path and query have at most {max} bytes");
        return Err(Problem::new(Kind::TargetTooLong, detail).closing());
    }
    let fields = request.headers().iter();
    let bytes: usize = fields.map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if bytes > limits.header_bytes_max {
        let max = limits.header_bytes_max;
        let detail = format_args!("header fields have at most {max} bytes");
        return Err(Problem::new(Kind::HeadersTooLarge, detail).closing());
    }
    Ok(())
}

async fn answer_ourselves(
    shared: &Arc<Shared>,
    built_in: BuiltIn,
    parameters: &Fields<'_>,
    request: Request<Incoming>,
) -> Result<Reply, Problem> {
    let allowed = |needed: Role| -> Result<Principal<'_>, Problem> {
        let principal = shared.keys.identify(request.headers())?;
        principal.may(needed)?;
        Ok(principal)
    };
    match built_in {
        BuiltIn::Health => Ok(info::health()),
        BuiltIn::Ready => info::ready(&shared.node),
        BuiltIn::OpenApi => Ok(reply::json(hyper::StatusCode::OK, shared.openapi.clone())),
        BuiltIn::ErrorPage => error_page(parameters),
        BuiltIn::Metrics => {
            allowed(Role::Admin)?;
            metrics(shared).await
        }
        BuiltIn::Info => {
            allowed(Role::Read)?;
            Ok(info::info(&shared.node, &shared.limits).await)
        }
        BuiltIn::Changes => {
            let namespace = allowed(Role::Read)?.namespace;
            changes::follow(shared, namespace, &request).await
        }
    }
}

async fn metrics(shared: &Arc<Shared>) -> Result<Reply, Problem> {
    let asked = Arc::clone(shared);
    let page = tokio::task::spawn_blocking(move || {
        exposition::expose(&asked.node, &asked.metrics, &asked.keys.namespaces())
    });
    let page = page.await.map_err(|error| Problem::new(Kind::Internal, error))?;
    Ok(reply::text(exposition::CONTENT_TYPE, page))
}

fn error_page(parameters: &Fields<'_>) -> Result<Reply, Problem> {
    let code = parameters.first().map_or("", |(_, code)| code.as_ref());
    let page = pages::page(code).ok_or_else(|| {
        Problem::new(Kind::NoSuchPath, format_args!("no error is called {code:?}"))
    })?;
    Ok(reply::text("text/markdown; charset=utf-8", page))
}
