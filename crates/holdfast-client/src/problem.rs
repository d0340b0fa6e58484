//! Problems as servers tell them (RFC 9457), with their stable codes.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{answer::At, json::Json};

/// Whether asking again can help, as the server says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Retry {
    /// The same request gets the same answer.
    Never,
    /// After a while; nothing has happened yet.
    Later,
    /// With the same idempotency key: it may have happened already.
    SameKey,
}

/// Which operation of a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Its place, from 0.
    pub index: usize,
    /// What the request calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What a server has to say instead of an outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Path of the page about it, on every server.
    #[serde(rename = "type")]
    pub page: String,
    /// Stable name: decide by it.
    pub code: String,
    /// HTTP status.
    pub status: u16,
    /// One sentence.
    pub title: String,
    /// What there is to say beyond it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// JSON Pointer to the field of the request that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// Which operation of a transaction it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// What was found, by name.
    #[serde(default)]
    pub facts: Json,
    /// Whether asking again can help.
    pub retry: Retry,
    /// The answer's place in the order, where it has one.
    #[serde(skip)]
    pub at: Option<At>,
    /// The stored answer of an earlier request.
    #[serde(skip)]
    pub replayed: bool,
}

impl Problem {
    /// A fact as text or number, without quotes; `None` where there is none of this name.
    #[must_use]
    pub fn fact(&self, name: &str) -> Option<String> {
        let facts: serde_json::Map<String, serde_json::Value> = self.facts.read().ok()?;
        Some(match facts.get(name)? {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    }
}

impl fmt::Display for Problem {
    /// `lease_held: Another owner holds the lease. {"lease":"a","owner":"b"}`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.title)?;
        if let Some(detail) = &self.detail {
            write!(f, " {detail}")?;
        }
        if let Some(operation) = &self.operation {
            write!(f, " Operation {}", operation.index)?;
            if let Some(name) = &operation.name {
                write!(f, " ({name})")?;
            }
            f.write_str(".")?;
        }
        if let Some(pointer) = self.pointer.as_deref().filter(|pointer| !pointer.is_empty()) {
            write!(f, " Field {pointer}.")?;
        }
        if !matches!(self.facts.as_str(), "null" | "{}") {
            write!(f, " {}", self.facts)?;
        }
        Ok(())
    }
}
