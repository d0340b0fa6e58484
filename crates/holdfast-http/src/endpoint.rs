//! One command over HTTP: conventions, body, spec, call, answer.
//!
//! Fields come from the path and, for `GET` and `DELETE`, from the query; `POST`
//! and `PUT` take a JSON body. An outcome is 200 with the outcome as the body; a
//! refusal was rendered inside the transaction, so a repeated request gets the
//! same bytes, also from a later release.

use bytes::Bytes;
use holdfast_engine::{Decision, Idempotency};
use holdfast_node::{Ask, Reply as Answer};
use holdfast_state::command::{Entry, Input, Kind as CommandKind, Method};
use hyper::{
    HeaderMap, Request, StatusCode,
    body::{Body as _, Incoming},
    header::{CONTENT_TYPE, HeaderValue},
};

use crate::{
    conventions::{self, Conventions},
    fingerprint::fingerprint,
    keys::{Principal, Role},
    problem::{Kind, Problem, stored, unstored},
    query::{self, Fields},
    receive::receive,
    reply::{self, Reply},
    service::Shared,
};

/// Answers a request for a command.
///
/// # Errors
/// Everything that keeps it from an outcome or a refusal.
pub async fn call(
    shared: &Shared,
    entry: &'static Entry,
    principal: Principal<'_>,
    parameters: Fields<'_>,
    request: Request<Incoming>,
) -> Result<Reply, Problem> {
    principal.may(match entry.kind {
        CommandKind::Query => Role::Read,
        CommandKind::Write => Role::Write,
    })?;
    let (head, body) = request.into_parts();
    let conventions = Conventions::read(&head.headers, &shared.limits)?;
    let mut fields = parameters;
    let body = match entry.method {
        Method::Get | Method::Delete => {
            if !body.is_end_stream() {
                let detail = format_args!("{} takes no body", head.method);
                return Err(Problem::new(Kind::MalformedRequest, detail).closing());
            }
            fields.extend(query::fields(head.uri.query().unwrap_or_default())?);
            Bytes::new()
        }
        Method::Post | Method::Put => {
            if head.uri.query().is_some_and(|query| !query.is_empty()) {
                let detail = format_args!("{} takes its fields in the body", head.method);
                return Err(Problem::new(Kind::MalformedRequest, detail).closing());
            }
            if !body.is_end_stream() {
                check_content_type(&head.headers)?;
            }
            receive(body, &shared.limits, &shared.bodies).await?
        }
    };
    let call = entry.parse(Input { body: &body, fields: &fields })?;
    let target = head.uri.path_and_query().map_or("", |target| target.as_str());
    let idempotency = conventions.idempotency_key.map(|key| Idempotency {
        key,
        fingerprint: fingerprint(head.method.as_str(), target, principal.name, &body),
    });
    let ask = Ask {
        namespace: principal.namespace,
        idempotency,
        timeout: conventions.timeout,
        after: conventions.after,
    };
    answer(shared.node.execute(ask, entry.kind, call, stored).await?)
}

fn answer(answer: Answer) -> Result<Reply, Problem> {
    let mut response = match answer.decision {
        Decision::Done => reply::json(StatusCode::OK, answer.body),
        Decision::Refused => {
            let (status, details) = unstored(answer.body)
                .ok_or_else(|| Problem::new(Kind::Internal, "the stored answer cannot be read"))?;
            reply::details(status, details)
        }
    };
    reply::place(&mut response, answer.at);
    if answer.replayed {
        let replayed = HeaderValue::from_static("true");
        response.headers_mut().insert(conventions::IDEMPOTENCY_REPLAYED, replayed);
    }
    Ok(response)
}

fn check_content_type(headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let essence = given.split(|byte| *byte == b';').next().unwrap_or_default();
    if essence.trim_ascii().eq_ignore_ascii_case(b"application/json") {
        return Ok(());
    }
    let shown = String::from_utf8_lossy(given);
    let detail = format_args!("the body is declared as {shown:?}; send application/json");
    Err(Problem::new(Kind::UnsupportedMediaType, detail).closing())
}
