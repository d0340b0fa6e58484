//! Requests that depend on what is there: entity tags and preconditions (RFC 9110,
//! sections 8.8.3 and 13).
//!
//! The entity tag of an answer is the `version` of its outcome, for commands that are
//! conditional. `If-Match` and `If-None-Match` of a write become fields of its spec:
//! the transaction looks, so nothing comes between the look and the write. A write
//! that knows no conditions refuses them, since ignoring one would do what the client
//! ruled out. `If-None-Match` of a read is answered here, with a 304.

use std::borrow::Cow;

use holdfast_state::command::{Entry, Kind};
use hyper::{
    HeaderMap, StatusCode,
    header::{ETAG, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH},
};
use serde::Deserialize;

use crate::{
    conventions::{invalid, text},
    problem::Problem,
    query::Fields,
    reply::{self, Reply},
};

const ANY: &str = "*";

/// What a request's header fields say must be so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// The version that a write means to change, or `*`.
    if_match: Option<String>,
    /// `*`, of a write that means to create.
    if_none_match: Option<String>,
    /// What a reader has already: a list of tags, or `*`.
    known: Option<String>,
}

impl Conditions {
    /// Reads them.
    ///
    /// # Errors
    /// `invalid_header`: not a tag of ours, or the command knows no such condition.
    pub fn read(headers: &HeaderMap, entry: &Entry) -> Result<Self, Problem> {
        let if_match = text(headers, &IF_MATCH)?;
        let if_none_match = text(headers, &IF_NONE_MATCH)?;
        let none = |name: &HeaderName, value: Option<&str>, why: &str| match value {
            Some(_) => Err(invalid(name, why)),
            None => Ok(()),
        };
        match (entry.kind, entry.conditional) {
            (Kind::Query, conditional) => {
                none(&IF_MATCH, if_match, "only writes take it")?;
                let known = if_none_match.filter(|_| conditional).map(str::to_owned);
                Ok(Self { known, ..Self::default() })
            }
            (Kind::Write, true) => Ok(Self {
                if_match: if_match.map(version).transpose()?,
                if_none_match: if_none_match.map(anything).transpose()?,
                known: None,
            }),
            (Kind::Write, false) => {
                none(&IF_MATCH, if_match, "this command takes no condition")?;
                none(&IF_NONE_MATCH, if_none_match, "this command takes no condition")?;
                Ok(Self::default())
            }
        }
    }

    /// Those of a write, as fields of its spec.
    pub fn fields(&self) -> Fields<'static> {
        let both = [("if_match", &self.if_match), ("if_none_match", &self.if_none_match)];
        let given = both.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        given.map(|(name, value)| (Cow::Borrowed(name), Cow::Owned(value.clone()))).collect()
    }

    /// The answer that an outcome is: with its tag, and without its body when the client
    /// has it.
    #[must_use]
    pub fn answer(&self, entry: &Entry, outcome: bytes::Bytes) -> Reply {
        let tag = entry.conditional.then(|| tag_of(&outcome)).flatten();
        let Some(tag) = tag else { return reply::json(StatusCode::OK, outcome) };
        let known = self.known.as_deref().is_some_and(|known| names(known, &tag));
        let mut response =
            if known { reply::not_modified() } else { reply::json(StatusCode::OK, outcome) };
        let value = HeaderValue::from_str(&tag).expect("digits and quotes");
        response.headers_mut().insert(ETAG, value);
        response
    }
}

/// The tag of an outcome; `None` when it is about nothing that has a version any more.
fn tag_of(outcome: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Tagged {
        version: u64,
    }
    let Tagged { version } = serde_json::from_slice(outcome).ok()?;
    Some(format!("\"{version}\""))
}

/// Does a list of tags name this one? Weak tags do as well, for a reader.
fn names(list: &str, tag: &str) -> bool {
    let mut tags = list.split(',').map(str::trim);
    tags.any(|named| named == ANY || named.strip_prefix("W/").unwrap_or(named) == tag)
}

fn version(value: &str) -> Result<String, Problem> {
    let bare = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let number = bare.filter(|bare| bare.parse::<u64>().is_ok());
    let meant = if value == ANY { Some(ANY) } else { number };
    let expected = "expected * or one entity tag, as in an answer's ETag";
    meant.map(str::to_owned).ok_or_else(|| invalid(&IF_MATCH, expected))
}

fn anything(value: &str) -> Result<String, Problem> {
    let any = (value == ANY).then(|| value.to_owned());
    any.ok_or_else(|| invalid(&IF_NONE_MATCH, "of a write it is *: only if nothing is there"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_a_version_in_quotes() {
        assert_eq!(version("\"48211\"").unwrap(), "48211");
        assert_eq!(version("*").unwrap(), "*");
        for bad in ["48211", "\"\"", "\"a\"", "W/\"48211\"", "\"1\", \"2\"", "\"-1\"", "", "\""] {
            assert_eq!(version(bad).unwrap_err().code, "invalid_header", "{bad}");
        }
        assert_eq!(anything("*").unwrap(), "*");
        assert_eq!(anything("\"48211\"").unwrap_err().code, "invalid_header");
    }

    #[test]
    fn a_reader_may_have_any_of_a_list() {
        for list in ["\"7\"", "\"5\",\"7\"", "W/\"7\"", "*", "\"x\" , \"7\""] {
            assert!(names(list, "\"7\""), "{list}");
        }
        for list in ["7", "\"77\"", "", "\"5\""] {
            assert!(!names(list, "\"7\""), "{list}");
        }
    }

    #[test]
    fn only_what_has_a_version_has_a_tag() {
        assert_eq!(tag_of(br#"{"id":"a","version":7,"value":{"version":9}}"#).unwrap(), "\"7\"");
        assert_eq!(tag_of(br#"{"outcome":"deleted"}"#), None);
    }
}
