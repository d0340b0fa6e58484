//! Responses: bodies, and the header fields that all of them have in common.

use std::{
    convert::Infallible,
    fmt::Write as _,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use holdfast_node::At;
use hyper::{
    Response, StatusCode,
    body::{Body, Frame, SizeHint},
    header::{
        ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
    },
};

use crate::{
    conventions,
    events::{self, EventStream},
    problem::Problem,
};

/// What a response carries.
#[derive(Debug)]
pub enum ReplyBody {
    /// All at once.
    Whole(Option<Bytes>),
    /// Server-sent events, for as long as the client stays.
    Events(EventStream),
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut *self {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Events(events) => {
                events.poll_next(cx).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Self::Events(_) => SizeHint::default(),
        }
    }
}

/// A response of this edge.
pub type Reply = Response<ReplyBody>;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

fn whole(status: StatusCode, content_type: HeaderValue, body: Bytes) -> Reply {
    let mut response = Response::new(ReplyBody::Whole(Some(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

/// JSON.
#[must_use]
pub fn json(status: StatusCode, body: Bytes) -> Reply {
    whole(status, JSON, body)
}

/// Text of this type.
#[must_use]
pub fn text(content_type: &'static str, body: impl Into<Bytes>) -> Reply {
    whole(StatusCode::OK, HeaderValue::from_static(content_type), body.into())
}

/// Nothing, since the client has it already.
#[must_use]
pub fn not_modified() -> Reply {
    let mut response = Response::new(ReplyBody::Whole(None));
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    response
}

/// Server-sent events.
#[must_use]
pub fn events(stream: EventStream) -> Reply {
    let mut response = Response::new(ReplyBody::Events(stream));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(events::MEDIA_TYPE));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Problem details that are bytes already.
#[must_use]
pub fn details(status: StatusCode, body: Bytes) -> Reply {
    whole(status, PROBLEM, body)
}

/// A problem.
#[must_use]
pub fn problem(problem: &Problem) -> Reply {
    let mut response = details(problem.status, problem.to_json().into());
    let headers = response.headers_mut();
    if let Some(seconds) = problem.retry_after_s() {
        headers.insert(RETRY_AFTER, seconds.into());
    }
    if let Some(allow) = problem.allow() {
        let methods = HeaderValue::from_str(allow).expect("methods are tokens");
        headers.insert(ALLOW, methods);
    }
    if problem.status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if problem.closes() {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Says where in history the answer stands.
pub fn place(response: &mut Reply, at: At) {
    let mut text = BytesMut::with_capacity(24);
    write!(text, "{at}").expect("the buffer grows");
    let value = HeaderValue::from_maybe_shared(text.freeze()).expect("digits and a colon");
    response.headers_mut().insert(conventions::AT, value);
}
