//! What goes wrong, as clients are told: RFC 9457 problem details with a stable
//! `code`.
//!
//! Two sorts of codes exist. Commands list their refusals in the registry; the
//! edge's own are [`Kind`]. Each sort has one exhaustive `match` to its status,
//! and every code has a page in `docs/errors`.

use std::fmt;

use holdfast_engine::Failure as Engine;
use holdfast_node::Failure;
use holdfast_state::{
    Abort,
    command::{Class, Operation, Refused, SpecError},
};
use hyper::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};

/// Whether asking again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Retry {
    /// The same request gets the same answer.
    Never,
    /// After a while; nothing has happened yet.
    Later,
    /// With the same idempotency key: it may have happened already.
    SameKey,
}

/// What the edge itself has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Path or query cannot be read, or a body where none belongs.
    MalformedRequest,
    /// The body is not JSON.
    MalformedJson,
    /// A header field of ours has a value that it cannot have.
    InvalidHeader,
    /// No credential, or an unknown one.
    Unauthorized,
    /// The credential does not allow this.
    Forbidden,
    /// Nothing is at this path.
    NoSuchPath,
    /// Something is at this path, but it does not know this method.
    MethodNotAllowed,
    /// The client accepts no form that the answer has.
    NotAcceptable,
    /// The request came too slowly.
    RequestTimeout,
    /// The change feed does not go back so far.
    ChangesTrimmed,
    /// The version asked for was not reached in time.
    VersionNotReached,
    /// The body is larger than bodies may be.
    BodyTooLarge,
    /// Path and query are longer than they may be.
    TargetTooLong,
    /// The body is declared as something else than JSON.
    UnsupportedMediaType,
    /// The body is JSON, but not what the command takes.
    InvalidRequest,
    /// The idempotency key was used for another request.
    IdempotencyKeyReused,
    /// The transaction exceeds what one may do.
    TransactionTooLarge,
    /// The header fields are larger than they may be.
    HeadersTooLarge,
    /// A bug of ours.
    Internal,
    /// Evaluating it ended the process before.
    Quarantined,
    /// As much is waiting as may wait.
    Overloaded,
    /// The partition takes no requests.
    Unavailable,
    /// Another node leads, or none does yet.
    NotLeader,
    /// Whether it happened is not known here.
    OutcomeUnknown,
    /// No answer in time.
    DeadlineExceeded,
}

/// What is fixed about a kind of problem.
#[derive(Clone, Copy, Debug)]
pub struct KindInfo {
    /// Stable name, has a page.
    pub code: &'static str,
    /// HTTP status.
    pub status: StatusCode,
    /// One sentence.
    pub title: &'static str,
    /// Whether asking again can help.
    pub retry: Retry,
}

impl Kind {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::MalformedRequest,
        Self::MalformedJson,
        Self::InvalidHeader,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NoSuchPath,
        Self::MethodNotAllowed,
        Self::NotAcceptable,
        Self::RequestTimeout,
        Self::ChangesTrimmed,
        Self::VersionNotReached,
        Self::BodyTooLarge,
        Self::TargetTooLong,
        Self::UnsupportedMediaType,
        Self::InvalidRequest,
        Self::IdempotencyKeyReused,
        Self::TransactionTooLarge,
        Self::HeadersTooLarge,
        Self::Internal,
        Self::Quarantined,
        Self::Overloaded,
        Self::Unavailable,
        Self::NotLeader,
        Self::OutcomeUnknown,
        Self::DeadlineExceeded,
    ];

    /// Code, status and advice: the one place that decides them.
    #[must_use]
    pub const fn info(self) -> KindInfo {
        use Retry::{Later, Never, SameKey};
        use StatusCode as S;
        let (code, status, retry) = match self {
            Self::MalformedRequest => ("malformed_request", S::BAD_REQUEST, Never),
            Self::MalformedJson => ("malformed_json", S::BAD_REQUEST, Never),
            Self::InvalidHeader => ("invalid_header", S::BAD_REQUEST, Never),
            Self::Unauthorized => ("unauthorized", S::UNAUTHORIZED, Never),
            Self::Forbidden => ("forbidden", S::FORBIDDEN, Never),
            Self::NoSuchPath => ("no_such_path", S::NOT_FOUND, Never),
            Self::MethodNotAllowed => ("method_not_allowed", S::METHOD_NOT_ALLOWED, Never),
            Self::NotAcceptable => ("not_acceptable", S::NOT_ACCEPTABLE, Never),
            Self::RequestTimeout => ("request_timeout", S::REQUEST_TIMEOUT, Later),
            Self::ChangesTrimmed => ("changes_trimmed", S::GONE, Never),
            Self::VersionNotReached => ("version_not_reached", S::PRECONDITION_FAILED, Never),
            Self::BodyTooLarge => ("body_too_large", S::PAYLOAD_TOO_LARGE, Never),
            Self::TargetTooLong => ("target_too_long", S::URI_TOO_LONG, Never),
            Self::UnsupportedMediaType => {
                ("unsupported_media_type", S::UNSUPPORTED_MEDIA_TYPE, Never)
            }
            Self::InvalidRequest => ("invalid_request", S::UNPROCESSABLE_ENTITY, Never),
            Self::IdempotencyKeyReused => {
                ("idempotency_key_reused", S::UNPROCESSABLE_ENTITY, Never)
            }
            Self::TransactionTooLarge => ("transaction_too_large", S::UNPROCESSABLE_ENTITY, Never),
            Self::HeadersTooLarge => {
                ("headers_too_large", S::REQUEST_HEADER_FIELDS_TOO_LARGE, Never)
            }
            Self::Internal => ("internal", S::INTERNAL_SERVER_ERROR, SameKey),
            Self::Quarantined => ("quarantined", S::INTERNAL_SERVER_ERROR, Never),
            Self::Overloaded => ("overloaded", S::SERVICE_UNAVAILABLE, Later),
            Self::Unavailable => ("unavailable", S::SERVICE_UNAVAILABLE, Later),
            Self::NotLeader => ("not_leader", S::SERVICE_UNAVAILABLE, Later),
            Self::OutcomeUnknown => ("outcome_unknown", S::SERVICE_UNAVAILABLE, SameKey),
            Self::DeadlineExceeded => ("deadline_exceeded", S::GATEWAY_TIMEOUT, SameKey),
        };
        KindInfo { code, status, title: self.title(), retry }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::MalformedRequest => "The request cannot be read.",
            Self::MalformedJson => "The body is not JSON.",
            Self::InvalidHeader => "A header field cannot have this value.",
            Self::Unauthorized => "A valid credential is needed.",
            Self::Forbidden => "The credential does not allow this.",
            Self::NoSuchPath => "Nothing is at this path.",
            Self::MethodNotAllowed => "The path does not know this method.",
            Self::NotAcceptable => "The answer has none of the forms that are accepted.",
            Self::RequestTimeout => "The request did not arrive in time.",
            Self::ChangesTrimmed => "The change feed does not go back so far.",
            Self::VersionNotReached => "The version asked for was not reached.",
            Self::BodyTooLarge => "The body is too large.",
            Self::TargetTooLong => "Path and query are too long.",
            Self::UnsupportedMediaType => "The body's media type is not one that is taken here.",
            Self::InvalidRequest => "The request is not what the command takes.",
            Self::IdempotencyKeyReused => "The idempotency key was used for another request.",
            Self::TransactionTooLarge => "The request does more than one transaction may.",
            Self::HeadersTooLarge => "The header fields are too large.",
            Self::Internal => "The server has a bug.",
            Self::Quarantined => {
                "The request ended the server's process before and is not evaluated."
            }
            Self::Overloaded => "The server is busy.",
            Self::Unavailable => "The partition takes no requests now.",
            Self::NotLeader => "This node does not lead.",
            Self::OutcomeUnknown => "Whether the request took effect is not known.",
            Self::DeadlineExceeded => "No answer came in time.",
        }
    }
}

/// A refusal's status and advice: the one place that decides them.
#[must_use]
pub const fn of_class(class: Class) -> (StatusCode, Retry) {
    match class {
        Class::NotFound => (StatusCode::NOT_FOUND, Retry::Never),
        Class::Conflict => (StatusCode::CONFLICT, Retry::Never),
        Class::Precondition => (StatusCode::PRECONDITION_FAILED, Retry::Never),
        Class::Invalid => (StatusCode::UNPROCESSABLE_ENTITY, Retry::Never),
        Class::Limited => (StatusCode::TOO_MANY_REQUESTS, Retry::Later),
    }
}

/// Problem details, on their way to a client.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// HTTP status.
    pub status: StatusCode,
    /// Stable name.
    pub code: &'static str,
    /// Boxed, since most results are no problem and should be small.
    particulars: Box<Particulars>,
}

#[derive(Clone, Debug, PartialEq)]
struct Particulars {
    title: &'static str,
    detail: Option<String>,
    operation: Option<Operation>,
    pointer: Option<String>,
    facts: Map<String, Value>,
    retry: Retry,
    allow: Option<String>,
    closes: bool,
}

#[derive(Serialize)]
struct Details<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<&'a Operation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<&'a str>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    facts: &'a Map<String, Value>,
    retry: Retry,
}

impl Problem {
    /// A problem of this kind, and what about it is particular.
    #[must_use]
    pub fn new(kind: Kind, detail: impl fmt::Display) -> Self {
        let KindInfo { code, status, title, retry } = kind.info();
        let detail = Some(detail.to_string());
        Self::of(status, code, Particulars { detail, ..Particulars::new(title, retry) })
    }

    fn of(status: StatusCode, code: &'static str, particulars: Particulars) -> Self {
        Self { status, code, particulars: Box::new(particulars) }
    }

    /// With a fact.
    #[must_use]
    pub fn fact(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.particulars.facts.insert(name.to_owned(), value.into());
        self
    }

    /// After which the connection is closed: what follows on it cannot be trusted.
    #[must_use]
    pub fn closing(mut self) -> Self {
        self.particulars.closes = true;
        self
    }

    /// With the methods that would do.
    #[must_use]
    pub fn allowing(mut self, methods: String) -> Self {
        self.particulars.allow = Some(methods);
        self
    }

    /// The details as JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let particulars = &*self.particulars;
        let details = Details {
            r#type: format!("/errors/{}", self.code),
            title: particulars.title,
            status: self.status.as_u16(),
            code: self.code,
            detail: particulars.detail.as_deref(),
            operation: particulars.operation.as_ref(),
            pointer: particulars.pointer.as_deref(),
            facts: &particulars.facts,
            retry: particulars.retry,
        };
        serde_json::to_vec(&details).expect("problem details are plain data")
    }

    /// Seconds after which asking again makes sense.
    #[must_use]
    pub fn retry_after_s(&self) -> Option<u32> {
        (self.status == StatusCode::SERVICE_UNAVAILABLE).then_some(1)
    }

    /// The methods that would do, where the method is the problem.
    #[must_use]
    pub fn allow(&self) -> Option<&str> {
        self.particulars.allow.as_deref()
    }

    /// Is the connection to be closed?
    #[must_use]
    pub const fn closes(&self) -> bool {
        self.particulars.closes
    }
}

impl Particulars {
    fn new(title: &'static str, retry: Retry) -> Self {
        let facts = Map::new();
        Self {
            title,
            detail: None,
            operation: None,
            pointer: None,
            facts,
            retry,
            allow: None,
            closes: false,
        }
    }
}

impl From<&Refused> for Problem {
    fn from(refused: &Refused) -> Self {
        let (status, retry) = of_class(refused.info.class);
        let particulars = Particulars {
            operation: refused.operation.clone(),
            pointer: refused.pointer.as_deref().map(str::to_owned),
            facts: refused.facts.clone(),
            ..Particulars::new(refused.info.summary, retry)
        };
        Self::of(status, refused.info.code, particulars)
    }
}

impl From<SpecError> for Problem {
    fn from(error: SpecError) -> Self {
        let kind = if error.malformed { Kind::MalformedJson } else { Kind::InvalidRequest };
        let mut problem = Self::new(kind, error.message);
        problem.particulars.pointer = Some(error.pointer);
        problem
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Partition(failure) => failure.into(),
            Failure::NotReached { asked, applied } => Self::new(Kind::VersionNotReached, &failure)
                .fact("asked", asked.get())
                .fact("applied", applied.get()),
            Failure::TimedOut { .. } => Self::new(Kind::DeadlineExceeded, failure),
        }
    }
}

impl From<Engine> for Problem {
    fn from(failure: Engine) -> Self {
        let kind = match &failure {
            Engine::Overloaded => Kind::Overloaded,
            Engine::Deadline => Kind::DeadlineExceeded,
            Engine::Unavailable { .. } => Kind::Unavailable,
            Engine::NotLeader { leader: Some(leader) } => {
                return Self::new(Kind::NotLeader, &failure)
                    .fact("node", leader.node.as_str())
                    .fact("address", leader.address.as_str())
                    .fact("epoch", leader.epoch.get());
            }
            Engine::NotLeader { leader: None } => Kind::NotLeader,
            Engine::OutcomeUnknown { .. } => Kind::OutcomeUnknown,
            Engine::KeyReused => Kind::IdempotencyKeyReused,
            Engine::Quarantined { fingerprint } => {
                return Self::new(Kind::Quarantined, &failure)
                    .fact("fingerprint", fingerprint.to_string());
            }
            Engine::Panicked { .. } => {
                // What a panic says is for us, not for strangers.
                tracing::error!(%failure, "a transaction panicked");
                return Self::new(Kind::Internal, "the request met a bug; nothing happened");
            }
            Engine::Aborted(Abort::TooLarge { .. }) => Kind::TransactionTooLarge,
            Engine::Aborted(Abort::Store(_)) => Kind::Unavailable,
        };
        Self::new(kind, failure)
    }
}

/// A refusal as it is stored under its idempotency key: status, then the details,
/// so that a repeated request gets the very bytes of the first answer.
#[must_use]
pub fn stored(refused: &Refused) -> Vec<u8> {
    let problem = Problem::from(refused);
    let mut bytes = problem.status.as_u16().to_be_bytes().to_vec();
    bytes.extend_from_slice(&problem.to_json());
    bytes
}

/// Status and details of a stored refusal.
#[must_use]
pub fn unstored(mut bytes: bytes::Bytes) -> Option<(StatusCode, bytes::Bytes)> {
    if bytes.len() < 2 {
        return None;
    }
    let status = bytes.split_to(2);
    let status = StatusCode::from_u16(u16::from_be_bytes([status[0], status[1]])).ok()?;
    Some((status, bytes))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_distinct_and_all_kinds_are_listed_in_order() {
        let codes: BTreeSet<_> = Kind::ALL.iter().map(|kind| kind.info().code).collect();
        assert_eq!(codes.len(), Kind::ALL.len());
        assert!(Kind::ALL.is_sorted());
        // The derived order numbers them: the last one knows how many there are.
        assert_eq!(Kind::ALL.len(), Kind::DeadlineExceeded as usize + 1);
    }

    #[test]
    fn a_stored_refusal_is_read_back_and_nothing_else_is() {
        let refused = Refused {
            info: holdfast_state::command::RefusalInfo {
                code: "sold_out",
                class: Class::Conflict,
                summary: "All are taken.",
            },
            pointer: Some("/quantity".into()),
            operation: Some(Operation { index: 2, name: Some("hold".to_owned()) }),
            facts: Map::from_iter([("available".to_owned(), 0.into())]),
        };
        let (status, details) = unstored(stored(&refused).into()).unwrap();
        assert_eq!(status, StatusCode::CONFLICT);
        let details: Value = serde_json::from_slice(&details).unwrap();
        assert_eq!(details["code"], "sold_out");
        assert_eq!(details["facts"]["available"], 0);
        assert_eq!(details["operation"], serde_json::json!({ "index": 2, "name": "hold" }));
        assert_eq!(details["retry"], "never");
        for bad in [&b""[..], b"x", b"\0\0{}"] {
            assert_eq!(unstored(bytes::Bytes::from_static(bad)), None);
        }
    }
}
