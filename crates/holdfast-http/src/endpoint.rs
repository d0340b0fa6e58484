//! One command over HTTP: conventions, body, spec, call, answer.
//!
//! Fields come from the path and, for `GET` and `DELETE`, from the query; `POST`, `PUT`
//! and `PATCH` take a JSON body; conditions come from the header. An outcome is 200 with the outcome as the body; a
//! refusal was rendered inside the transaction, so a repeated request gets the
//! same bytes, also from a later release. A request in another form than JSON, and an answer in
//! one, goes through `forms`. Where the registry says that a command can be waited
//! for, or answered as a stream, `waiting` does so before the call is made.

use std::sync::{Arc, atomic::Ordering};

use bytes::Bytes;
use holdfast_engine::{Asked, Decision};
use holdfast_node::{Ask, Reply as Answer};
use holdfast_state::command::{
    Call, Entry, Input, Kind as CommandKind, Method, foreign::AnsweredForm,
};
use hyper::{
    Request, StatusCode,
    body::{Body as _, Incoming},
    header::HeaderValue,
    http::request::Parts,
};

use crate::{
    conditional::Conditions,
    conventions::{self, Conventions},
    events::{self, LAST_EVENT_ID},
    fingerprint::fingerprint,
    forms, forward,
    keys::{Principal, Role},
    limited,
    problem::{Kind, Problem, stored, unstored},
    query::{self, Fields},
    receive::receive,
    reply::{self, Reply},
    service::Shared,
    waiting,
};

/// Answers a request for a command.
///
/// # Errors
/// Everything that keeps it from an outcome or a refusal.
pub async fn call(
    shared: &Arc<Shared>,
    entry: &'static Entry,
    principal: Principal<'_>,
    parameters: Fields<'_>,
    request: Request<Incoming>,
) -> Result<Reply, Problem> {
    principal.may(match entry.kind {
        CommandKind::Query => Role::Read,
        CommandKind::Write => Role::Write,
    })?;
    let streams = entry.tailed_from.is_some() && events::are_wanted(request.headers());
    // A stream is told what there is here, as far as it is.
    let leader =
        if streams { None } else { forward::leader_for(shared, entry, request.headers())? };
    if let Some(leader) = leader {
        shared.metrics.forwarded.fetch_add(1, Ordering::Relaxed);
        return forward::forward(shared, entry, &leader, request).await;
    }
    let form = if streams { None } else { forms::answered(request.headers(), entry)? };
    let conditions = Conditions::read(request.headers(), entry)?;
    let (ask, call) = prepare(shared, entry, principal, parameters, &conditions, request).await?;
    if streams {
        return Ok(reply::events(waiting::tail(shared, &ask, call).await?));
    }
    let call = if entry.awaited { waiting::wait(shared, &ask, call).await? } else { call };
    let answered = shared.node.execute(ask, entry.kind, call, stored).await?;
    answer(entry, &conditions, form, answered)
}

/// Makes a call of the request. Nothing of the request is left afterwards: its
/// parts share the connection's buffer, which is free for the next request then.
async fn prepare(
    shared: &Shared,
    entry: &'static Entry,
    principal: Principal<'_>,
    mut fields: Fields<'_>,
    conditions: &Conditions,
    request: Request<Incoming>,
) -> Result<(Ask, Box<dyn Call>), Problem> {
    let (head, body) = request.into_parts();
    let conventions = Conventions::read(&head.headers, &shared.limits)?;
    let body = body_of(shared, entry, &head, body).await?;
    if !takes_body(entry.method) {
        fields.extend(query::fields(head.uri.query().unwrap_or_default())?);
    }
    if let Some(from) = entry.tailed_from
        && let Some(id) = conventions::text(&head.headers, &LAST_EVENT_ID)?
    {
        // A client that reconnects sends the URL of its first request and where it was.
        fields.retain(|(name, _)| name != from);
        fields.push((from.into(), id.to_owned().into()));
    }
    let mut conditions = conditions.fields();
    fields.extend(conditions.iter().cloned());
    let form = forms::asked(&head.headers, entry, !body.is_empty())?;
    let spec = match form {
        Some(form) => {
            conditions.extend(forms::fingerprinted(form, &head.headers));
            forms::read(form, &head.headers, &body)?.into()
        }
        None => body.clone(),
    };
    let commands = shared.node.registry().commands();
    let call = entry.parse(Input { body: &spec, fields: &fields, commands })?;
    let target = head.uri.path_and_query().map_or("", |target| target.as_str());
    let asked = Asked {
        fingerprint: fingerprint(head.method.as_str(), target, principal.name, &body, &conditions),
        key: conventions.idempotency_key,
    };
    let ask = Ask {
        namespace: principal.namespace,
        asked: Some(asked),
        timeout: conventions.timeout,
        after: conventions.after,
        consistency: conventions.consistency,
    };
    Ok((ask, call))
}

/// Where a method's fields come from, besides the path: the body, or the query.
#[must_use]
pub const fn takes_body(method: Method) -> bool {
    match method {
        Method::Post | Method::Put | Method::Patch => true,
        Method::Get | Method::Delete => false,
    }
}

/// The body that this command takes.
///
/// # Errors
/// `malformed_request`, `unsupported_media_type`, and all of [`receive`].
pub(crate) async fn body_of(
    shared: &Shared,
    entry: &Entry,
    head: &Parts,
    body: Incoming,
) -> Result<Bytes, Problem> {
    let refuse = |what: &str| {
        let detail = format_args!("{} takes {what}", head.method);
        Err(Problem::new(Kind::MalformedRequest, detail).closing())
    };
    if !takes_body(entry.method) {
        return if body.is_end_stream() { Ok(Bytes::new()) } else { refuse("no body") };
    }
    if head.uri.query().is_some_and(|query| !query.is_empty()) {
        return refuse("its fields in the body");
    }
    forms::asked(&head.headers, entry, !body.is_end_stream())?;
    let limits = &shared.limits;
    let most = if entry.bulk { limits.bulk_body_bytes_max } else { limits.body_bytes_max };
    receive(body, most, limits, &shared.bodies).await
}

fn answer(
    entry: &Entry,
    conditions: &Conditions,
    form: Option<&AnsweredForm>,
    answer: Answer,
) -> Result<Reply, Problem> {
    let mut response = match answer.decision {
        Decision::Done => match form {
            Some(form) => forms::write(form, &answer.body),
            None => conditions.answer(entry, answer.body),
        },
        Decision::Refused => {
            let (status, details) = unstored(answer.body)
                .ok_or_else(|| Problem::new(Kind::Internal, "the stored answer cannot be read"))?;
            let mut response = reply::details(status, details.clone());
            if status == StatusCode::TOO_MANY_REQUESTS {
                limited::put_fields(response.headers_mut(), &details);
            }
            response
        }
    };
    reply::place(&mut response, answer.at);
    if answer.replayed {
        let replayed = HeaderValue::from_static("true");
        response.headers_mut().insert(conventions::IDEMPOTENCY_REPLAYED, replayed);
    }
    Ok(response)
}
