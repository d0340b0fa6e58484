//! What can be asked: a command of the server's registry, as a value that says how it goes over
//! the wire and what comes back.
//!
//! Implementations are generated ([`api`](crate::api)). A command that only reads has no effect,
//! so it carries no key; every other does.

use std::{fmt::Write as _, time::Duration};

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

/// Does a command write?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It may write: it has one effect under its idempotency key, and a place in the order.
    Write,
    /// It only reads: a session or a bound of staleness may be chosen for it.
    Query,
}

/// HTTP's word for what is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Look.
    Get,
    /// Do.
    Post,
    /// Set.
    Put,
    /// Change in part.
    Patch,
    /// Remove.
    Delete,
}

impl Method {
    /// Its name in HTTP.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Do its fields go in the body? Else they stand in the query.
    #[must_use]
    pub const fn takes_body(self) -> bool {
        match self {
            Self::Post | Self::Put | Self::Patch => true,
            Self::Get | Self::Delete => false,
        }
    }
}

/// A command with what it takes.
pub trait Command: Serialize + Sync {
    /// What is answered when it is done.
    type Outcome: DeserializeOwned;
    /// Its name in the registry: `leases.acquire`.
    const NAME: &'static str;
    /// Whether it writes.
    const KIND: Kind;
    /// With [`target`](Self::target), where it is asked.
    const METHOD: Method;

    /// Path and query.
    fn target(&self) -> String;

    /// How long the answer may wait for something to answer with, where that was asked for.
    fn wait(&self) -> Duration {
        Duration::ZERO
    }
}

/// A request as it goes over the wire, the same at every try.
#[derive(Clone, Debug)]
pub struct Wire {
    /// What is done.
    pub method: Method,
    /// Path and query.
    pub target: String,
    /// JSON, where the method takes any.
    pub body: Bytes,
    /// Whether it writes.
    pub kind: Kind,
    /// How much longer than otherwise a server may take to answer, because it waits.
    pub wait: Duration,
}

impl Wire {
    /// What a command is over the wire.
    ///
    /// # Errors
    /// When it holds what JSON cannot say.
    pub(crate) fn of<C: Command>(command: &C) -> Result<Self, serde_json::Error> {
        let body =
            if C::METHOD.takes_body() { serde_json::to_vec(command)?.into() } else { Bytes::new() };
        let (target, wait) = (command.target(), command.wait());
        Ok(Self { method: C::METHOD, target, body, kind: C::KIND, wait })
    }
}

/// Text as a segment of a path, or a value in a query.
#[must_use]
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'~' | b'-' | b':') {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("a string takes all");
        }
    }
    out
}

/// A path with the fields of its query.
#[derive(Debug)]
pub(crate) struct Target(String);

impl Target {
    pub(crate) fn at(path: impl Into<String>) -> Self {
        Self(path.into())
    }

    /// Appends a field as text; what is not there, not.
    pub(crate) fn field(mut self, name: &str, value: &impl Serialize) -> Self {
        let text = match serde_json::to_value(value).expect("fields of a query are plain data") {
            serde_json::Value::Null => return self,
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        };
        let before = if self.0.contains('?') { '&' } else { '?' };
        write!(self.0, "{before}{name}={}", encode(&text)).expect("a string takes all");
        self
    }

    pub(crate) fn finish(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stand_in_the_query_as_text() {
        let target = Target::at("/v1/x").field("a", &"b c").field("none", &None::<u64>);
        let target = target.field("n", &Some(5)).field("flag", &true);
        assert_eq!(target.finish(), "/v1/x?a=b%20c&n=5&flag=true");
        for text in ["", "a/b", "ä%+&=?#", "~._-:"] {
            assert_eq!(holdfast_http::query::segment(&encode(text)).unwrap(), text);
        }
    }
}
