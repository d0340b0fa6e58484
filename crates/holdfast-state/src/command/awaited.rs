//! Commands that can be waited for: reading what is not there yet, receiving from a queue
//! that has nothing to give.
//!
//! Such a spec has a field `wait`. In a transaction it means nothing, for a transaction
//! does not wait; an edge that waits looks at the state again and again ([`Awaited::pending`]),
//! and makes the call once there is something, or when the time is over. Looking writes
//! nothing and asks nobody's turn.
//!
//! A query may be *tailed* besides ([`Tailed`]): answered again and again from where the answer
//! before ended, as a stream of events whose ids say where to go on.

use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Command, Query};
use crate::{table::Read, time::LogTime, tx::Abort};

/// The longest that an answer may be waited for, in seconds.
pub const WAIT_S_MAX: u8 = 60;

/// How long an answer may wait for something to answer with: 0 to 60 seconds, 0 being not
/// at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wait {
    seconds: u8,
}

/// Why a number is not a [`Wait`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an answer waits for 0 to {WAIT_S_MAX} seconds")]
pub struct NotAWait;

impl Wait {
    /// So many seconds.
    ///
    /// # Errors
    /// [`NotAWait`]
    pub const fn from_s(seconds: u8) -> Result<Self, NotAWait> {
        if seconds > WAIT_S_MAX { Err(NotAWait) } else { Ok(Self { seconds }) }
    }

    /// Is it not at all?
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.seconds == 0
    }

    /// Its length.
    #[must_use]
    pub const fn length(self) -> Duration {
        Duration::from_secs(self.seconds as u64)
    }
}

impl Serialize for Wait {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.seconds)
    }
}

impl<'de> Deserialize<'de> for Wait {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = u64::deserialize(deserializer)?;
        let seconds = u8::try_from(seconds).map_err(|_| de::Error::custom(NotAWait))?;
        Self::from_s(seconds).map_err(de::Error::custom)
    }
}

impl JsonSchema for Wait {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Wait".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "integer",
            "minimum": 0,
            "maximum": WAIT_S_MAX,
            "description": "Seconds that the answer may wait for something to answer with."
        })
    }
}

/// There is nothing to answer with yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// When there will be though nobody writes anything: at this log time, or never.
    pub until: Option<LogTime>,
}

/// A command that can be waited for.
pub trait Awaited: Command {
    /// How long the caller wants to wait.
    fn wait(spec: &Self::Spec) -> Wait;

    /// Is there nothing to answer with? `None` when there is, or a refusal.
    ///
    /// # Errors
    /// [`Abort`]
    fn pending(state: &impl Read, spec: &Self::Spec) -> Result<Option<Pending>, Abort>;
}

/// A query that can be answered as a stream.
pub trait Tailed: Query + Awaited {
    /// The field of the spec that says where to begin; an event's id is a value of it.
    const FROM: &'static str;

    /// What an answer holds, in order, and the spec that goes on behind it.
    fn events(spec: &Self::Spec, outcome: Self::Outcome) -> (Vec<TailEvent>, Self::Spec);
}

/// One event of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TailEvent {
    /// What it is followed from: a value of [`Tailed::FROM`].
    pub id: String,
    /// JSON, without line breaks.
    pub data: String,
}
