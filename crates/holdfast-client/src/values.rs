//! Values of commands that a schema describes by alternatives, written by hand.
//!
//! Everything else that commands take and answer is generated ([`api`](crate::api)).

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// What stands for any version.
const ANY: &str = "*";

/// The condition that something is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfMatch {
    /// At any version.
    Any,
    /// At this version.
    Version(u64),
}

/// The condition that nothing is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfNoneMatch {
    /// Nothing, of whatever version.
    Any,
}

/// A place in the order, by its version or its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Moment {
    /// Just after this version.
    Version(u64),
    /// At this log time, RFC 3339.
    Time(String),
}

impl Serialize for IfMatch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Any => serializer.serialize_str(ANY),
            Self::Version(version) => serializer.serialize_u64(*version),
        }
    }
}

impl<'de> Deserialize<'de> for IfMatch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Given {
            Version(u64),
            Text(String),
        }
        match Given::deserialize(deserializer)? {
            Given::Version(version) => Ok(Self::Version(version)),
            Given::Text(text) if text == ANY => Ok(Self::Any),
            Given::Text(_) => Err(de::Error::custom("expected a version or *")),
        }
    }
}

impl Serialize for IfNoneMatch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self::Any = self;
        serializer.serialize_str(ANY)
    }
}

impl<'de> Deserialize<'de> for IfNoneMatch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if String::deserialize(deserializer)? == ANY {
            return Ok(Self::Any);
        }
        Err(de::Error::custom("expected *"))
    }
}
