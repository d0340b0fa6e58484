//! `schemas.register`: a topic gets a schema, or a new version of it.
//!
//! The latest once more is that version; anything else gets the next number, if it has in
//! common with those before what the topic's compatibility asks for. From then on it judges.

use holdfast_state::{
    Id, LogTime, Read as _, Stop, Tx,
    command::{Command, Method, Refusal, RefusalInfo, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    compatibility::Compatibility,
    known,
    row::{Judging, JudgingRow, SchemaRow, Schemas},
    text::SchemaText,
};
use crate::{
    json_schema::{Difference, Schema, compare},
    topics::{
        refusals::{SCHEMA_INCOMPATIBLE, SCHEMA_UNCERTAIN, SCHEMAS_FULL, TOPIC_NOT_FOUND},
        row::Topics,
    },
};

/// The most schemas of a topic.
pub const COUNT_MAX: u64 = 100;

/// The most pairs of places that are looked at when a schema is compared with all before.
const PAIRS: usize = 50_000;

/// The command.
#[derive(Debug)]
pub struct RegisterSchema;

/// Which schema of which topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterSchemaSpec {
    /// The topic's id.
    pub topic: Id,
    /// What data of its messages must be.
    pub schema: SchemaText,
}

/// The schema judges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RegisterSchemaOutcome {
    /// Always the same.
    pub outcome: Registered,
    /// It was the latest already.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// The topic's id.
    pub topic: Id,
    /// Its number: 1, 2, 3 …
    pub number: u64,
    /// When it was registered.
    pub registered_at: LogTime,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Registered {
    /// The schema is the topic's latest.
    Registered,
}

/// Which way two schemas were compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// What was written under the earlier one must pass the new one.
    Backward,
    /// What is written under the new one must pass the earlier one.
    Forward,
}

/// Why a schema is not registered, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum RegisterSchemaRefusal {
    /// The topic was never created.
    TopicNotFound {
        /// Its id.
        topic: Id,
    },
    /// It has as many as may be.
    SchemasFull {
        /// How many.
        schemas: u64,
    },
    /// Something passes the one and not the other.
    SchemaIncompatible {
        /// Number of the schema it was compared with.
        with: u64,
        /// Which way.
        direction: Direction,
        /// Where: JSON Pointer into data, with `*` for any item or member.
        at: String,
        /// The keyword that does not let it through.
        keyword: &'static str,
    },
    /// Whether it is compatible cannot be told.
    SchemaUncertain {
        /// Number of the schema it was compared with.
        with: u64,
        /// Which way.
        direction: Direction,
        /// Where: JSON Pointer into data, with `*` for any item or member.
        at: String,
        /// The keyword that keeps it from being told.
        keyword: &'static str,
    },
}

impl Refusal for RegisterSchemaRefusal {
    const ALL: &'static [RefusalInfo] =
        &[TOPIC_NOT_FOUND, SCHEMAS_FULL, SCHEMA_INCOMPATIBLE, SCHEMA_UNCERTAIN];

    fn code(&self) -> &'static str {
        match self {
            Self::TopicNotFound { .. } => TOPIC_NOT_FOUND.code,
            Self::SchemasFull { .. } => SCHEMAS_FULL.code,
            Self::SchemaIncompatible { .. } => SCHEMA_INCOMPATIBLE.code,
            Self::SchemaUncertain { .. } => SCHEMA_UNCERTAIN.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some(match self {
            Self::TopicNotFound { .. } | Self::SchemasFull { .. } => "/topic",
            Self::SchemaIncompatible { .. } | Self::SchemaUncertain { .. } => "/schema",
        })
    }
}

impl Command for RegisterSchema {
    const NAME: &'static str = "schemas.register";
    const SUMMARY: &'static str = "Registers a schema for the messages of a topic.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/topics/{topic}/schemas";
    type Spec = RegisterSchemaSpec;
    type Outcome = RegisterSchemaOutcome;
    type Refusal = RegisterSchemaRefusal;
}

impl Write for RegisterSchema {
    fn run(
        tx: &mut Tx<'_>,
        spec: &RegisterSchemaSpec,
    ) -> Result<RegisterSchemaOutcome, Stop<RegisterSchemaRefusal>> {
        let topic = spec.topic.as_str();
        if tx.get::<Topics>(topic)?.is_none() {
            let topic = spec.topic.clone();
            return Err(Stop::Refused(RegisterSchemaRefusal::TopicNotFound { topic }));
        }
        let mut judging = tx.get::<Judging>(topic)?.unwrap_or_default();
        if let Some(number) = judging.latest
            && let Some(latest) = tx.get::<Schemas>((topic, number))?
            && latest.schema == spec.schema
        {
            return Ok(outcome(spec, number, latest.registered_at, true));
        }
        if judging.count >= COUNT_MAX {
            let schemas = judging.count;
            return Err(Stop::Refused(RegisterSchemaRefusal::SchemasFull { schemas }));
        }
        compatible(tx, spec, &judging)?;
        judging.last += 1;
        judging.count += 1;
        judging.latest = Some(judging.last);
        let (schema, registered_at) = (spec.schema.clone(), tx.now());
        let row = SchemaRow { schema, registered_at, version: tx.version() };
        tx.put::<Schemas>((topic, judging.last), &row)?;
        tx.put::<Judging>(topic, &judging)?;
        Ok(outcome(spec, judging.last, registered_at, false))
    }
}

/// Has the new schema in common with those before what it must?
fn compatible(
    tx: &Tx<'_>,
    spec: &RegisterSchemaSpec,
    judging: &JudgingRow,
) -> Result<(), Stop<RegisterSchemaRefusal>> {
    let Some(latest) = judging.latest else { return Ok(()) };
    if judging.compatibility == Compatibility::None {
        return Ok(());
    }
    let new = known::of(spec.schema.clone())?;
    let first = if judging.compatibility.is_transitive() { 1 } else { latest };
    let mut left = PAIRS;
    for number in (first..=latest).rev() {
        if tx.get::<Schemas>((spec.topic.as_str(), number))?.is_none() {
            continue;
        }
        let earlier = known::numbered(tx, &spec.topic, number)?;
        if judging.compatibility.is_backward() {
            compared(&earlier, &new, (number, Direction::Backward), &mut left)?;
        }
        if judging.compatibility.is_forward() {
            compared(&new, &earlier, (number, Direction::Forward), &mut left)?;
        }
    }
    Ok(())
}

fn compared(
    one: &Schema,
    other: &Schema,
    (with, direction): (u64, Direction),
    left: &mut usize,
) -> Result<(), Stop<RegisterSchemaRefusal>> {
    let Err(difference) = compare(one, other, left) else { return Ok(()) };
    Err(Stop::Refused(match difference {
        Difference::Outside { pointer: at, keyword } => {
            RegisterSchemaRefusal::SchemaIncompatible { with, direction, at, keyword }
        }
        Difference::Unknown { pointer: at, keyword } => {
            RegisterSchemaRefusal::SchemaUncertain { with, direction, at, keyword }
        }
    }))
}

fn outcome(
    spec: &RegisterSchemaSpec,
    number: u64,
    registered_at: LogTime,
    existed: bool,
) -> RegisterSchemaOutcome {
    let (outcome, topic) = (Registered::Registered, spec.topic.clone());
    RegisterSchemaOutcome { outcome, existed, topic, number, registered_at }
}
