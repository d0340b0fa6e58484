//! The header fields that every command understands.
//!
//! | field | value |
//! | --- | --- |
//! | `Idempotency-Key` | 1 to 255 visible ASCII characters |
//! | `Holdfast-After` | `PARTITION:VERSION`, as an answer's `Holdfast-At` said |
//! | `Holdfast-Consistency` | `linearizable`, `session`, `stale` or `stale=SECONDS` |
//! | `Holdfast-Deadline-Ms` | 1 to the longest the server allows |
//!
//! What each level sees and costs is in `docs/consistency.md`. A level that a node need
//! not weaken, it does not.

use std::time::Duration;

use holdfast_node::{At, Consistency, at::PARTITION};
use holdfast_state::Version;
use hyper::{HeaderMap, header::HeaderName};

use crate::{
    limits::Limits,
    problem::{Kind, Problem},
};

/// `Idempotency-Key`
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// `Idempotency-Replayed`: this is the stored answer of an earlier request.
pub const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// `Holdfast-At`: the answer's place in history.
pub const AT: HeaderName = HeaderName::from_static("holdfast-at");
/// `Holdfast-After`: what the answer must have seen.
pub const AFTER: HeaderName = HeaderName::from_static("holdfast-after");
/// `Holdfast-Consistency`
pub const CONSISTENCY: HeaderName = HeaderName::from_static("holdfast-consistency");
/// `Holdfast-Durability`: how safe an acknowledged write is.
pub const DURABILITY: HeaderName = HeaderName::from_static("holdfast-durability");
/// `Holdfast-Deadline-Ms`: how long the answer is of use.
pub const DEADLINE_MS: HeaderName = HeaderName::from_static("holdfast-deadline-ms");

/// The longest idempotency key, in characters.
pub const IDEMPOTENCY_KEY_MAX: usize = 255;

/// What a request's header fields ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conventions {
    /// Makes the request repeatable.
    pub idempotency_key: Option<Box<str>>,
    /// What the answer must have seen.
    pub after: Option<Version>,
    /// What a read is to see otherwise.
    pub consistency: Consistency,
    /// How long the answer is of use.
    pub timeout: Duration,
}

impl Conventions {
    /// Reads them.
    ///
    /// # Errors
    /// `invalid_header`, naming the field.
    pub fn read(headers: &HeaderMap, limits: &Limits) -> Result<Self, Problem> {
        Ok(Self {
            consistency: consistency(headers)?,
            idempotency_key: idempotency_key(headers)?,
            after: after(headers)?,
            timeout: timeout(headers, limits)?,
        })
    }
}

/// The one value of a field, as text.
///
/// # Errors
/// `invalid_header` when it is there twice or is not visible ASCII.
pub fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(invalid(name, "it is given more than once"));
    }
    value.to_str().map(Some).map_err(|_| invalid(name, "it is not visible ASCII"))
}

/// A field of ours has a value that it cannot have.
#[must_use]
pub fn invalid(name: &HeaderName, what: &str) -> Problem {
    Problem::new(Kind::InvalidHeader, format_args!("{name}: {what}")).fact("header", name.as_str())
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<Box<str>>, Problem> {
    let Some(key) = text(headers, &IDEMPOTENCY_KEY)? else { return Ok(None) };
    let visible = key.bytes().all(|byte| byte.is_ascii_graphic());
    if key.is_empty() || key.len() > IDEMPOTENCY_KEY_MAX || !visible {
        return Err(invalid(&IDEMPOTENCY_KEY, "expected 1 to 255 visible ASCII characters"));
    }
    Ok(Some(key.into()))
}

fn after(headers: &HeaderMap) -> Result<Option<Version>, Problem> {
    let Some(at) = text(headers, &AFTER)? else { return Ok(None) };
    let at: At =
        at.parse().map_err(|error: holdfast_node::BadAt| invalid(&AFTER, &error.to_string()))?;
    if at.partition != PARTITION {
        return Err(invalid(&AFTER, "it names a partition that does not serve this namespace"));
    }
    Ok(Some(at.version))
}

fn timeout(headers: &HeaderMap, limits: &Limits) -> Result<Duration, Problem> {
    let Some(ms) = text(headers, &DEADLINE_MS)? else { return Ok(limits.request_timeout) };
    let ms = ms.parse().map(Duration::from_millis);
    ms.ok()
        .filter(|timeout| !timeout.is_zero() && *timeout <= limits.request_timeout_max)
        .ok_or_else(|| {
            let longest = limits.request_timeout_max.as_millis();
            invalid(&DEADLINE_MS, &format!("expected a number from 1 to {longest}"))
        })
}

fn consistency(headers: &HeaderMap) -> Result<Consistency, Problem> {
    let Some(value) = text(headers, &CONSISTENCY)? else { return Ok(Consistency::default()) };
    let level = match value {
        "linearizable" => Some(Consistency::Linearizable),
        "session" => Some(Consistency::Session),
        "stale" => Some(Consistency::Stale { max_age: None }),
        other => other.strip_prefix("stale=").and_then(|seconds| {
            let seconds = seconds.parse::<u32>().ok()?;
            Some(Consistency::Stale { max_age: Some(Duration::from_secs(seconds.into())) })
        }),
    };
    level.ok_or_else(|| {
        invalid(&CONSISTENCY, "expected linearizable, session, stale or stale=SECONDS")
    })
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn read(fields: &[(&HeaderName, &str)]) -> Result<Conventions, &'static str> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        Conventions::read(&headers, &Limits::default()).map_err(|problem| problem.code)
    }

    #[test]
    fn good_values_are_taken() {
        let long = "k".repeat(255);
        let read = read(&[
            (&IDEMPOTENCY_KEY, &long),
            (&AFTER, "0:17"),
            (&CONSISTENCY, "stale=5"),
            (&DEADLINE_MS, "60000"),
        ]);
        let read = read.unwrap();
        assert_eq!(read.idempotency_key.as_deref(), Some(&*long));
        assert_eq!(read.after, Some(Version::new(17)));
        assert_eq!(read.timeout, Duration::from_secs(60));
        let max_age = Some(Duration::from_secs(5));
        assert_eq!(read.consistency, Consistency::Stale { max_age });
    }

    #[test]
    fn each_level_has_its_name_and_without_one_reads_are_linearizable() {
        let level = |fields: &[(&HeaderName, &str)]| read(fields).unwrap().consistency;
        assert_eq!(level(&[]), Consistency::Linearizable);
        assert_eq!(level(&[(&CONSISTENCY, "linearizable")]), Consistency::Linearizable);
        assert_eq!(level(&[(&CONSISTENCY, "session")]), Consistency::Session);
        assert_eq!(level(&[(&CONSISTENCY, "stale")]), Consistency::Stale { max_age: None });
        let now = Consistency::Stale { max_age: Some(Duration::ZERO) };
        assert_eq!(level(&[(&CONSISTENCY, "stale=0")]), now);
    }

    #[test]
    fn bad_values_are_refused() {
        let long = "k".repeat(256);
        let bad: &[(&HeaderName, &[&str])] = &[
            (&IDEMPOTENCY_KEY, &["", "a b", &long, "ä", "a\tb"]),
            (&AFTER, &["17", "1:17", "0:x", ""]),
            (&CONSISTENCY, &["strong", "stale=", "stale=-1", ""]),
            (&DEADLINE_MS, &["0", "60001", "-1", "1.5", ""]),
        ];
        for (name, values) in bad {
            for value in *values {
                assert_eq!(read(&[(name, value)]), Err("invalid_header"), "{name}: {value:?}");
            }
        }
        let twice = read(&[(&IDEMPOTENCY_KEY, "a"), (&IDEMPOTENCY_KEY, "b")]);
        assert_eq!(twice, Err("invalid_header"));
    }
}
