//! Conditions on the version of what a request is about: optimistic concurrency.
//!
//! What has a version has it as its entity tag (RFC 9110, section 8.8). A write that
//! read version 17 says [`IfMatch::Version`] of it, and is refused if somebody wrote in
//! between; one that means to create says [`IfNoneMatch`]. In JSON these are `17`, `"*"`
//! and `"*"`; an edge makes them of header fields.
//!
//! Left to commands: to look, and to refuse ([`PRECONDITION_FAILED`]) with what was found.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, Visitor},
};

use crate::{
    command::{Class, RefusalInfo},
    version::Version,
};

/// How every command is called to refuse of which a condition does not hold.
pub const PRECONDITION_FAILED: RefusalInfo = RefusalInfo {
    code: "precondition_failed",
    class: Class::Precondition,
    summary: "What the request is about is not at the version that it says.",
};

/// The condition that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// That it is there, at this version.
    IfMatch,
    /// That it is not there.
    IfNoneMatch,
}

impl Condition {
    /// JSON Pointer to the field of the spec.
    #[must_use]
    pub const fn pointer(self) -> &'static str {
        match self {
            Self::IfMatch => "/if_match",
            Self::IfNoneMatch => "/if_none_match",
        }
    }
}

/// The first condition that does not hold of the version that was found; nothing is `None`.
#[must_use]
pub fn unmet(
    if_match: Option<IfMatch>,
    if_none_match: Option<IfNoneMatch>,
    found: Option<Version>,
) -> Option<Condition> {
    if if_match.is_some_and(|condition| !condition.holds(found)) {
        return Some(Condition::IfMatch);
    }
    let exists = if_none_match.is_some_and(|condition| !condition.holds(found));
    exists.then_some(Condition::IfNoneMatch)
}

/// Only if it is there, and is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfMatch {
    /// At whichever version.
    Any,
    /// At this version.
    Version(Version),
}

impl IfMatch {
    /// Does it hold of what was found? Nothing is `None`.
    #[must_use]
    pub fn holds(self, found: Option<Version>) -> bool {
        match self {
            Self::Any => found.is_some(),
            Self::Version(version) => found == Some(version),
        }
    }
}

/// Only if it is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IfNoneMatch;

impl IfNoneMatch {
    /// Does it hold of what was found? Nothing is `None`.
    #[must_use]
    pub const fn holds(self, found: Option<Version>) -> bool {
        found.is_none()
    }
}

const ANY: &str = "*";

impl Serialize for IfMatch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Any => serializer.serialize_str(ANY),
            Self::Version(version) => serializer.serialize_u64(version.get()),
        }
    }
}

struct IfMatchVisitor;

impl Visitor<'_> for IfMatchVisitor {
    type Value = IfMatch;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a version, or \"*\" for any")
    }

    fn visit_u64<E: de::Error>(self, version: u64) -> Result<IfMatch, E> {
        Ok(IfMatch::Version(Version::new(version)))
    }

    /// Where every field comes as text, from a header or a query.
    fn visit_str<E: de::Error>(self, text: &str) -> Result<IfMatch, E> {
        let version = || text.parse().map(|version| IfMatch::Version(Version::new(version)));
        let wrong = |_| E::invalid_value(de::Unexpected::Str(text), &self);
        if text == ANY { Ok(IfMatch::Any) } else { version().map_err(wrong) }
    }
}

impl<'de> Deserialize<'de> for IfMatch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IfMatchVisitor)
    }
}

impl JsonSchema for IfMatch {
    fn schema_name() -> Cow<'static, str> {
        "IfMatch".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "oneOf": [{ "type": "integer", "minimum": 0 }, { "const": ANY }],
            "description": "Only if it is there: at this version, or at any."
        })
    }
}

impl Serialize for IfNoneMatch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(ANY)
    }
}

impl<'de> Deserialize<'de> for IfNoneMatch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'_, str>::deserialize(deserializer)?;
        if text == ANY { Ok(Self) } else { Err(de::Error::custom("expected \"*\"")) }
    }
}

impl JsonSchema for IfNoneMatch {
    fn schema_name() -> Cow<'static, str> {
        "IfNoneMatch".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "const": ANY, "description": "Only if it is not there." })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read_from_json_and_from_text() {
        let version = |number| IfMatch::Version(Version::new(number));
        for (json, expected) in
            [("17", version(17)), ("\"17\"", version(17)), ("\"*\"", IfMatch::Any)]
        {
            assert_eq!(serde_json::from_str::<IfMatch>(json).unwrap(), expected, "{json}");
        }
        for bad in ["\"\"", "\"**\"", "\"-1\"", "-1", "1.5", "null", "[]"] {
            assert!(serde_json::from_str::<IfMatch>(bad).is_err(), "{bad}");
        }
        assert_eq!(serde_json::from_str::<IfNoneMatch>("\"*\"").unwrap(), IfNoneMatch);
        for bad in ["17", "\"17\"", "null"] {
            assert!(serde_json::from_str::<IfNoneMatch>(bad).is_err(), "{bad}");
        }
        for condition in [version(17), IfMatch::Any] {
            let json = serde_json::to_string(&condition).unwrap();
            assert_eq!(serde_json::from_str::<IfMatch>(&json).unwrap(), condition);
        }
    }

    #[test]
    fn they_hold_of_what_is_there_or_of_nothing() {
        let found = |number| Some(Version::new(number));
        assert!(IfMatch::Version(Version::new(3)).holds(found(3)));
        assert!(!IfMatch::Version(Version::new(3)).holds(found(4)));
        assert!(!IfMatch::Version(Version::ZERO).holds(None));
        assert!(IfMatch::Any.holds(found(1)) && !IfMatch::Any.holds(None));
        assert!(IfNoneMatch.holds(None) && !IfNoneMatch.holds(found(1)));
    }
}
